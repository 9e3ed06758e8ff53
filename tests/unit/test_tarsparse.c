/* tarsparse: maps in every form, whole and broken. */
#include "suite.h"

#include "image/tarsparse.h"

enum { BLOCK = 512 };

START_TEST(pieces_ascend_within_the_file)
{
	struct tarsparse m = { .size = 100 };

	ck_assert_ptr_null(tarsparse_add(&m, 0, 10));
	ck_assert_ptr_null(tarsparse_add(&m, 10, 0));
	ck_assert_ptr_null(tarsparse_add(&m, 50, 50));
	ck_assert_ptr_null(tarsparse_add(&m, 100, 0));
	ck_assert_ptr_null(tarsparse_check(&m, 60));
	ck_assert_ptr_nonnull(tarsparse_check(&m, 61));
	ck_assert_ptr_nonnull(tarsparse_add(&m, 99, 1));
	m = (struct tarsparse){ .size = 100 };
	ck_assert_ptr_null(tarsparse_add(&m, 100, 1));
	ck_assert_ptr_nonnull(tarsparse_check(&m, 1));
	m = (struct tarsparse){ .size = UINT64_MAX };
	ck_assert_ptr_nonnull(tarsparse_check(&m, 0));
	ck_assert_ptr_nonnull(tarsparse_add(&m, INT64_MAX, 1));
	ck_assert_ptr_nonnull(tarsparse_add(&m, 1, UINT64_MAX));
}
END_TEST

START_TEST(pieces_are_counted)
{
	struct tarsparse m = { .size = 0 };

	for (unsigned int i = 0; i < TARSPARSE_PIECES_MAX; i++)
		ck_assert_ptr_null(tarsparse_add(&m, 0, 0));
	ck_assert_ptr_nonnull(tarsparse_add(&m, 0, 0));
}
END_TEST

static void piece(unsigned char *to, const char *offset, const char *length)
{
	memcpy(to, offset, 11);
	memcpy(to + 12, length, 11);
}

START_TEST(gnu_maps)
{
	unsigned char h[BLOCK] = { 0 };
	struct tarsparse m = { .size = 0 };
	bool more = true;

	ck_assert(!tarsparse_gnu_hidden(h));
	ck_assert_ptr_nonnull(tarsparse_gnu_header(&m, h, &more)); /* no size */
	memcpy(h + 483, "00000001000", 11);
	piece(h + 386, "00000000000", "00000000010");
	ck_assert(tarsparse_gnu_hidden(h));
	ck_assert_ptr_null(tarsparse_gnu_header(&m, h, &more));
	ck_assert(!more);
	ck_assert_ptr_null(tarsparse_check(&m, 8));
	ck_assert_uint_eq(m.size, 512);
	piece(h + 386 + 48, "00000000100", "00000000010"); /* the second is missing */
	m = (struct tarsparse){ .size = 0 };
	ck_assert_ptr_nonnull(tarsparse_gnu_header(&m, h, &more));
	memset(h, 0, sizeof(h));
	for (size_t i = 0; i < 21; i++)
		piece(h + i * 24, "00000000000", "00000000000");
	h[504] = 1;
	m = (struct tarsparse){ .size = 0 };
	ck_assert_ptr_null(tarsparse_gnu_block(&m, h, &more));
	ck_assert(more);
	ck_assert_uint_eq(m.pieces, 21);
	h[20 * 24] = '\0'; /* a block follows one that is not full */
	ck_assert_ptr_nonnull(tarsparse_gnu_block(&m, h, &more));
	h[0] = '9';
	ck_assert_ptr_nonnull(tarsparse_gnu_block(&m, h, &more));
}
END_TEST

START_TEST(lists)
{
	static const char *const bad[] = { "", "0", "0,", ",", "0,1,", "0,1,2", "a,1", "0,-1", "5,5,0,1" };
	struct tarsparse m = { .size = 0 };

	ck_assert_ptr_null(tarsparse_list(&m, "0,1,512,10", 10));
	ck_assert_uint_eq(m.pieces, 2);
	ck_assert_uint_eq(m.stored, 11);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		m = (struct tarsparse){ .size = 0 };
		ck_assert_msg(tarsparse_list(&m, bad[i], strlen(bad[i])) != NULL, "%s", bad[i]);
	}
}
END_TEST

/* The text in portions of @step, then zeros up to @total. */
static const char *text(const char *s, size_t step, uint64_t total, uint64_t size)
{
	struct tarsparse m = { .size = size };
	struct tarsparse_text t = { .left = 0 };
	const char *why = NULL;
	size_t n = strlen(s);

	for (size_t at = 0; !why && at < n; at += step)
		why = tarsparse_text(&m, &t, s + at, n - at < step ? n - at : step);
	return why ? why : tarsparse_text_end(&m, &t, total);
}

START_TEST(texts)
{
	static const char *const bad[] = { "",
					   "1",
					   "1\n",
					   "1\n0\n",
					   "\n",
					   "x\n",
					   "1 \n",
					   "1\n\n0\n",
					   "#\n0\n",
					   "1\n0\n-1\n",
					   "2\n0\n5\n0\n5\n",
					   "99999999999999999999\n",
					   "2147483648\n0\n" };

	for (size_t step = 1; step < 12; step++) {
		ck_assert_ptr_null(text("2\n0\n5\n100\n7\n", step, 512 + 12, 200));
		ck_assert_ptr_null(text("0\nwhatever", step, 512, 200));
		for (size_t i = 0; i < ARRAY_LEN(bad); i++)
			ck_assert_msg(text(bad[i], step, 1024, 200) != NULL, "%s", bad[i]);
	}
	ck_assert_ptr_nonnull(text("1\n0\n5\n", 1, 512 + 6, 200));
	ck_assert_ptr_nonnull(text("1\n0\n5\n", 1, 100, 200));
	ck_assert_ptr_nonnull(text("1\n0\n5\n", 1, 512 + 5, 4));
}
END_TEST

int main(void)
{
	return SUITE_RUN("tarsparse", pieces_ascend_within_the_file, pieces_are_counted, gnu_maps, lists,
			 texts);
}
