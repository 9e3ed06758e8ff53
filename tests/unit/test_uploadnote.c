/* uploadnote: where an upload goes on is written, read by the next one, refused when it is no good, and swept when it is old. */
#include "tests/unit/datafix.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "stage0/sweep.h"
#include "stage0/uploadnote.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WHERE  "/v2/a/blobs/uploads/1?_state=x%3D&y=\"\\"

static struct store store;

static void before(void)
{
	struct err e = ERR_INIT;

	datafix_before();
	OK(store_open(&fx.d, &store, &e));
}

static void after(void)
{
	store_done(&store);
	datafix_after();
}

/* What the note for @host says; it is kept if @keep. */
static char *said(const char *host, bool keep)
{
	struct err e = ERR_INIT;
	struct upload_note n;
	char *location = NULL;

	OK(upload_note_open(&n, &store, host, "a", DIGEST, &location, &e));
	ck_assert_int_ge(n.dir, 0);
	upload_note_close(&n, keep);
	return location;
}

static void put(const char *location)
{
	struct err e = ERR_INIT;
	struct upload_note n;
	auto_free char *old = NULL;

	OK(upload_note_open(&n, &store, "h", "a", DIGEST, &old, &e));
	upload_note_put(&n, location);
	upload_note_close(&n, true);
}

START_TEST(who_comes_next_reads_it)
{
	auto_free char *none = said("h", true);
	struct stat st;

	ck_assert_ptr_null(none);
	put(WHERE "0");
	put(WHERE);
	auto_free char *location = said("h", true), *other = said("h2", false);
	ck_assert_str_eq(location, WHERE);
	ck_assert_ptr_null(other);
	auto_free char *again = said("h", false), *gone = said("h", false);
	ck_assert_str_eq(again, WHERE);
	ck_assert_ptr_null(gone);
	/* nothing is left */
	ck_assert_int_eq(fstat(store.tmp_fd, &st), 0);
	ck_assert_int_eq(st.st_nlink, 2);
}
END_TEST

START_TEST(without_a_store_there_is_none)
{
	struct err e = ERR_INIT;
	struct store nowhere = { .cas_fd = -1, .tmp_fd = -1, .data_fd = -1 };
	struct upload_note n;
	char *location = NULL;

	OK(upload_note_open(&n, &nowhere, "h", "a", DIGEST, &location, &e));
	ck_assert_ptr_null(location);
	upload_note_put(&n, WHERE);
	upload_note_close(&n, true);
}
END_TEST

START_TEST(only_a_path_is_an_address)
{
	static const char *const bad[] = { "",     "v2/x",    "//host/x", "http://host/x", "@host/x", ":80/x",
					   "/a b", "/a\r\nb", "/a\x7f",   "/\xc3\xa4",     "/a\tb" };
	char *longest = xmalloc(UPLOAD_LOCATION_MAX + 2);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!upload_location_valid(bad[i]), "%s", bad[i]);
	ck_assert(upload_location_valid(WHERE));
	ck_assert(upload_location_valid("/"));
	memset(longest, 'x', UPLOAD_LOCATION_MAX + 1);
	longest[0] = '/';
	longest[UPLOAD_LOCATION_MAX] = '\0';
	ck_assert(upload_location_valid(longest));
	put(longest);
	auto_free char *location = said("h", true);
	ck_assert_str_eq(location, longest);
	longest[UPLOAD_LOCATION_MAX] = 'x';
	longest[UPLOAD_LOCATION_MAX + 1] = '\0';
	ck_assert(!upload_location_valid(longest));
	put(longest);
	auto_free char *refused = said("h", true);
	ck_assert_ptr_null(refused);
	free(longest);
}
END_TEST

START_TEST(an_old_one_is_swept)
{
	struct err e = ERR_INIT;
	struct upload_note n;
	char *location = NULL;

	put(WHERE);
	OK(sweep(&fx.d, 3600000000000, &e));
	OK(upload_note_open(&n, &store, "h", "a", DIGEST, &location, &e));
	ck_assert_str_eq(location, WHERE);
	free(location);
	/* not while somebody has it */
	OK(sweep(&fx.d, 0, &e));
	ck_assert_int_eq(faccessat(n.dir, "note", F_OK, 0), 0);
	upload_note_close(&n, true);
	OK(sweep(&fx.d, 0, &e));
	auto_free char *gone = said("h", false);
	ck_assert_ptr_null(gone);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("uploadnote", before, after, who_comes_next_reads_it,
				 without_a_store_there_is_none, only_a_path_is_an_address,
				 an_old_one_is_swept);
}
