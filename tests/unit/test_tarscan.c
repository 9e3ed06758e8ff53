/* test_tarscan — framing is checked however the bytes are cut. */
#include "suite.h"

#include "image/tarscan.h"

enum { BLOCK = 512 };

/* Headers as a packer writes them, with their checksums. */
static void seal(unsigned char *h)
{
	unsigned int sum = 0;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += h[i];
	(void)snprintf((char *)h + 148, 8, "%06o", sum);
}

static void header(unsigned char *h, char type, unsigned int size)
{
	memset(h, 0, BLOCK);
	memcpy(h, "rootfs/f", 8);
	memcpy(h + 100, "0000644", 8);
	(void)snprintf((char *)h + 124, 12, "%011o", size);
	h[156] = (unsigned char)type;
	memcpy(h + 257, "ustar", 6);
	seal(h);
}

/* Feed @n bytes in portions of @step; the first failure, or that of the end. */
static int scan(unsigned char *p, size_t n, size_t step, uint64_t *entries, uint64_t *bytes, struct err *e)
{
	struct tarscan *s = tarscan_new();
	int r = 0;

	for (size_t at = 0; r == 0 && at < n; at += step)
		r = tarscan_feed(s, p + at, n - at < step ? n - at : step, e);
	if (r == 0)
		r = tarscan_end(s, e);
	*entries = tarscan_entries(s);
	*bytes = tarscan_bytes(s);
	tarscan_free(s);
	return r;
}

START_TEST(every_portion_gives_the_same)
{
	unsigned char image[5 * BLOCK] = { 0 };
	uint64_t entries, bytes;
	struct err e = ERR_INIT;

	header(image, '0', 700);
	for (size_t step = 1; step <= sizeof(image); step += 61) {
		ck_assert_int_eq(scan(image, sizeof(image), step, &entries, &bytes, &e), 0);
		ck_assert_uint_eq(entries, 1);
		ck_assert_uint_eq(bytes, 700);
	}
}
END_TEST

START_TEST(truncation_is_seen_but_for_padding)
{
	unsigned char image[3 * BLOCK] = { 0 };
	uint64_t entries, bytes;
	struct err e = ERR_INIT;

	header(image, '0', 700);
	ck_assert_int_eq(scan(image, BLOCK - 1, 64, &entries, &bytes, &e), -EINVAL);
	ck_assert_int_eq(scan(image, BLOCK + 699, 64, &entries, &bytes, &e), -EINVAL);
	ck_assert_int_eq(scan(image, BLOCK + 700, 64, &entries, &bytes, &e), 0);
}
END_TEST

START_TEST(lies_are_refused)
{
	static const struct {
		size_t at;
		unsigned char with;
	} lies[] = { { 130, '8' }, { 101, 'z' }, { 156, 'M' } };
	unsigned char image[3 * BLOCK] = { 0 };
	uint64_t entries, bytes;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		header(image, '0', 0);
		image[lies[i].at] = lies[i].with;
		seal(image);
		ck_assert_int_eq(scan(image, sizeof(image), BLOCK, &entries, &bytes, &e), -EINVAL);
	}
	header(image, '0', 0);
	image[0] ^= 1; /* the checksum no longer fits */
	ck_assert_int_eq(scan(image, sizeof(image), BLOCK, &entries, &bytes, &e), -EINVAL);
	header(image, 'S', 0);
	ck_assert_int_eq(scan(image, sizeof(image), BLOCK, &entries, &bytes, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "unknown entry type"));
	header(image, 'x', 2u << 20);
	ck_assert_int_eq(scan(image, sizeof(image), BLOCK, &entries, &bytes, &e), -E2BIG);
}
END_TEST

START_TEST(a_hard_link_loses_its_size)
{
	unsigned char image[3 * BLOCK] = { 0 }, want[BLOCK];
	uint64_t entries, bytes;
	struct err e = ERR_INIT;

	header(want, '1', 0);
	header(image, '1', 5);
	ck_assert_int_eq(scan(image, sizeof(image), 100, &entries, &bytes, &e), 0);
	ck_assert_int_ne(memcmp(image, want, BLOCK), 0); /* in pieces: nobody reads it yet */
	ck_assert_int_eq(scan(image, sizeof(image), sizeof(image), &entries, &bytes, &e), 0);
	ck_assert_int_eq(memcmp(image, want, BLOCK), 0);
	ck_assert_uint_eq(entries, 1);
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

START_TEST(notes_wait_for_their_entries)
{
	unsigned char image[9 * BLOCK] = { 0 };
	struct tarscan *s = tarscan_new();
	struct err e = ERR_INIT;

	header(image, '0', 0);
	for (int i = 0; i < 2; i++) {
		unsigned char *at = image + BLOCK * (size_t)(1 + 3 * i);

		header(at, 'x', 7);
		memcpy(at + BLOCK, i ? "7 gid=\n" : "7 uid=\n", 7);
		header(at + 2 * BLOCK, '0', 0);
		memcpy(at + 2 * BLOCK + 108, "0000012", 7);
		memcpy(at + 2 * BLOCK + 116, "0000034", 7);
		seal(at + 2 * BLOCK);
	}
	OK(tarscan_feed(s, image, sizeof(image), &e));
	ck_assert(!tarscan_note(s, 1).uid_set);
	ck_assert(tarscan_note(s, 2).uid_set);
	ck_assert(!tarscan_note(s, 2).uid_set);
	struct tarscan_note n = tarscan_note(s, 3);
	ck_assert(!n.uid_set && n.gid_set && !n.mtime_set && !n.sparse);
	ck_assert_int_eq(n.gid, 034);
	ck_assert(!tarscan_note(s, 4).gid_set);
	tarscan_free(s);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { every_portion_gives_the_same, truncation_is_seen_but_for_padding,
				       lies_are_refused, a_hard_link_loses_its_size,
				       notes_wait_for_their_entries };

	return suite_run("tarscan", tests, ARRAY_LEN(tests));
}
