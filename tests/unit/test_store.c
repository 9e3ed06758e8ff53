/* store: what is published is found, what is broken is a miss, what is removed is gone. */
#include "tests/unit/suite.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "stage0/store.h"
#include "stage0/storedoc.h"
#include "stage0/sweep.h"

struct fix {
	char *path;
	int fd;
	struct datadir d;
	struct store s;
};

static struct fix setup(void)
{
	struct fix f;
	struct err e = ERR_INIT;

	f.fd = suite_make_dir(&f.path);
	OK(datadir_open(f.path, true, &f.d, &e));
	OK(store_open(&f.d, &f.s, &e));
	return f;
}

static void teardown(struct fix *f)
{
	store_done(&f->s);
	datadir_done(&f->d);
	suite_drop_dir(f->fd, f->path);
}

/* "sha512-" and 64 digits, the last of which is @c. */
static char *id_of(char c)
{
	return xasprintf("sha512-%063d%c", 0, c);
}

static struct image_info info_of(char c, const char *name, const char *version, bool latest, int64_t when)
{
	auto_free char *id = id_of(c);
	struct image_info i = {
		.digest = xasprintf("sha512-%0127d%c", 0, c),
		.blob_algo = xstrdup("sha512"),
		.blob_digest = xasprintf("%c%0127d", c, 0),
		.blob_size = 10,
		.size = 20,
		.tree_size = 4096,
		.name = xstrdup(name),
		.manifest = xstrdup("{\n\t\"name\": \"\\u00e4\"\n}"),
		.latest = latest,
		.import_time = when,
	};

	memcpy(i.id, id, strlen(id) + 1);
	if (version)
		pairs_set(&i.labels, "version", version);
	pairs_set(&i.labels, "os", "linux");
	return i;
}

static void publish(struct fix *f, char c, const char *name, const char *version, bool latest, int64_t when)
{
	struct image_info i = info_of(c, name, version, latest, when);
	struct err e = ERR_INIT;

	ck_assert_msg(store_publish_image(&f->s, &i, &e) == 0, "%s", e.text);
	image_info_done(&i);
}

static void publish_files(struct fix *f, char c)
{
	auto_free char *id = id_of(c), *tmp = NULL;
	auto_free char *hex = xasprintf("%c%0127d", c, 0);
	struct err e = ERR_INIT;
	auto_close int dir = store_tmp_dir(&f->s, &tmp, &e);

	ck_assert_msg(dir >= 0, "%s", e.text);
	ck_assert_int_eq(mkdirat(dir, "rootfs", 0755), 0);
	ck_assert_int_eq(write_file_at(dir, "rootfs/file", "x", 1, 0644, 0), 0);
	ck_assert_int_eq(write_file_at(dir, "blob", "bytes", 5, 0600, 0), 0);
	ck_assert_msg(store_publish_blob(&f->s, dir, "blob", "sha512", hex, &e) == 0, "%s", e.text);
	ck_assert_msg(store_publish_tree(&f->s, tmp, id, &e) >= 0, "%s", e.text);
}

START_TEST(an_image_comes_back_as_it_was)
{
	struct fix f = setup();
	struct image_info i = info_of('1', "example.com/a", "1.0", true, 1234567890123456789), back;
	struct err e = ERR_INIT;
	int64_t used;

	i.origin = xstrdup("https://example.com/a.aci?x=\"1\"");
	i.verified = xcalloc(1, sizeof(*i.verified));
	i.nverified = 1;
	i.verified[0].fingerprint = xstrdup("0123456789abcdef0123456789abcdef01234567");
	i.verified[0].scope = xstrdup("prefix example.com/a");
	ck_assert_msg(store_publish_image(&f.s, &i, &e) == 0, "%s", e.text);
	ck_assert_msg(store_image_load(&f.s, i.id, &back, &e) == 0, "%s", e.text);
	ck_assert_str_eq(back.id, i.id);
	ck_assert_str_eq(back.digest, i.digest);
	ck_assert_str_eq(back.blob_digest, i.blob_digest);
	ck_assert_uint_eq(back.blob_size, 10);
	ck_assert_uint_eq(back.size, 20);
	ck_assert_uint_eq(back.tree_size, 4096);
	ck_assert_str_eq(back.name, i.name);
	ck_assert_str_eq(pairs_get(&back.labels, "version"), "1.0");
	ck_assert_str_eq(back.manifest, i.manifest);
	ck_assert_str_eq(back.origin, i.origin);
	ck_assert(back.latest);
	ck_assert_int_eq(back.import_time, i.import_time);
	ck_assert_uint_eq(back.nverified, 1);
	ck_assert_str_eq(back.verified[0].scope, "prefix example.com/a");
	ck_assert_int_eq(store_last_used(&f.s, i.id, &used), 0);
	ck_assert_int_gt(used, 0);
	image_info_done(&back);
	image_info_done(&i);
	teardown(&f);
}
END_TEST

START_TEST(ids_complete)
{
	struct fix f = setup();
	auto_free char *full = id_of('1');
	char got[IMAGE_ID_LEN + 1];
	struct err e = ERR_INIT;

	publish(&f, '1', "a", NULL, false, 1);
	ck_assert_int_eq(store_resolve_id(&f.s, "sha512-00", got, &e), 0);
	ck_assert_str_eq(got, full);
	ck_assert_int_eq(store_resolve_id(&f.s, full, got, &e), 0);
	ck_assert_int_eq(store_resolve_id(&f.s, "sha512-01", got, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, "no image IDs found"));
	ck_assert_int_eq(store_resolve_id(&f.s, "sha512-0", got, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "image ID too short"));
	publish(&f, '2', "a", NULL, false, 1);
	ck_assert_int_eq(store_resolve_id(&f.s, "sha512-00", got, &e), -ENOTUNIQ);
	ck_assert_ptr_nonnull(strstr(e.text, "ambiguous image ID"));
	teardown(&f);
}
END_TEST

static void expect_name(struct fix *f, const char *name, const char *version, char want)
{
	auto_free char *id = id_of(want);
	struct pairs labels = { NULL, 0 };
	char got[IMAGE_ID_LEN + 1] = "";
	struct err e = ERR_INIT;
	int r;

	if (version)
		pairs_set(&labels, "version", version);
	r = store_resolve_name(&f->s, name, &labels, got, &e);
	pairs_done(&labels);
	if (want) {
		ck_assert_msg(r == 0, "%s: %s", name, e.text);
		ck_assert_str_eq(got, id);
	} else {
		ck_assert_int_eq(r, -ENOENT);
	}
}

START_TEST(the_best_image_of_a_name)
{
	struct fix f = setup();

	publish(&f, '1', "example.com/a", "1", false, 30);
	publish(&f, '2', "example.com/a", "2", true, 10);
	publish(&f, '3', "example.com/a", "3", true, 20);
	publish(&f, '4', "example.com/a/b", "9", true, 99);
	publish(&f, '5', "example.com/a", "1", false, 40);
	expect_name(&f, "example.com/a", NULL, '3'); /* latest, newest of those */
	expect_name(&f, "example.com/a", "1", '5');  /* a version asked for: the newest import */
	expect_name(&f, "example.com/a", "2", '2');
	expect_name(&f, "example.com/a", "4", 0);
	expect_name(&f, "example.com/a/b", NULL, '4');
	expect_name(&f, "example.com", NULL, 0);
	expect_name(&f, "../../image", NULL, 0);
	teardown(&f);
}
END_TEST

START_TEST(long_names_stay_apart)
{
	struct fix f = setup();
	auto_free char *one = xasprintf("example.com/%0400d/1", 0),
		       *two = xasprintf("example.com/%0400d/2", 0);

	publish(&f, '1', one, NULL, false, 1);
	publish(&f, '2', two, NULL, false, 2);
	expect_name(&f, one, NULL, '1');
	expect_name(&f, two, NULL, '2');
	teardown(&f);
}
END_TEST

START_TEST(a_collision_is_a_miss)
{
	struct fix f = setup();
	auto_free char *id = id_of('1');
	struct url_info u = { .url = xstrdup("https://example.com/a.aci"), .image_id = xstrdup(id) }, back;
	auto_free char *from = store_escape("ref/url,", u.url);
	auto_free char *to = store_escape("ref/url,", "https://example.com/b.aci");
	struct err e = ERR_INIT;

	ck_assert_msg(store_url_save(&f.s, &u, &e) == 0, "%s", e.text);
	ck_assert_int_eq(linkat(f.s.cas_fd, from, f.s.cas_fd, to, 0), 0);
	ck_assert_int_eq(store_url_load(&f.s, "https://example.com/b.aci", &back, &e), -ENOENT);
	/* And a name whose file lists an image of another name. */
	publish(&f, '1', "example.com/a", NULL, false, 1);
	ck_assert_int_eq(linkat(f.s.cas_fd, "ref/name,example.com%2Fa", f.s.cas_fd, "ref/name,other", 0), 0);
	expect_name(&f, "other", NULL, 0);
	url_info_done(&u);
	teardown(&f);
}
END_TEST

START_TEST(urls_come_back)
{
	struct fix f = setup();
	struct url_info u = { .url = xstrdup("https://example.com/a.aci?v=1&x=%20"),
			      .image_id = id_of('1'),
			      .etag = xstrdup("W/\"abc\""),
			      .max_age = 60,
			      .fetched = 1234 },
			back;
	struct err e = ERR_INIT;

	ck_assert_int_eq(store_url_load(&f.s, u.url, &back, &e), -ENOENT);
	ck_assert_int_eq(store_url_save(&f.s, &u, &e), 0);
	ck_assert_msg(store_url_load(&f.s, u.url, &back, &e) == 0, "%s", e.text);
	ck_assert_str_eq(back.image_id, u.image_id);
	ck_assert_str_eq(back.etag, u.etag);
	ck_assert_int_eq(back.max_age, 60);
	ck_assert_int_eq(back.fetched, 1234);
	url_info_done(&back);
	url_info_done(&u);
	teardown(&f);
}
END_TEST

static bool there(struct fix *f, const char *name)
{
	return faccessat(f->s.cas_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(removal_leaves_nothing)
{
	struct fix f = setup();
	auto_free char *id = id_of('7'), *doc = xasprintf("image/%s", id);
	auto_free char *blob = xasprintf("blob/sha512/70/7%0127d", 0);
	struct url_info u = { .url = xstrdup("https://example.com/a.aci"), .image_id = id_of('7') }, back;
	struct err e = ERR_INIT;
	auto_strv left = NULL;
	auto_strv trees = NULL;
	struct image_info i = info_of('7', "example.com/a", NULL, false, 1);

	publish_files(&f, '7');
	publish(&f, '7', "example.com/a", NULL, false, 1);
	publish(&f, '8', "example.com/a", NULL, false, 1);
	ck_assert_int_eq(store_url_save(&f.s, &u, &e), 0);
	ck_assert(there(&f, blob) && there(&f, doc) && store_has_tree(&f.s, id));
	ck_assert_msg(store_unpublish_image(&f.s, &i, &e) == 0, "%s", e.text);
	ck_assert(!there(&f, blob) && !there(&f, doc));
	ck_assert(store_has_tree(&f.s, id));
	OK(store_list_trees(&f.s, &trees, &e));
	ck_assert(strv_has(trees, id));
	OK(store_remove_tree(&f.s, id, &e));
	OK(store_remove_tree(&f.s, id, &e));
	ck_assert(!store_has_tree(&f.s, id));
	ck_assert_int_eq(store_url_load(&f.s, u.url, &back, &e), -ENOENT);
	expect_name(&f, "example.com/a", NULL, '8');
	ck_assert_int_eq(store_list(&f.s, &left, &e), 0);
	ck_assert_uint_eq(strv_len(left), 1);
	image_info_done(&i);
	url_info_done(&u);
	teardown(&f);
}
END_TEST

START_TEST(a_failed_import_is_taken_back)
{
	struct fix f = setup();
	struct image_info i = info_of('7', "example.com/a", NULL, false, 1);
	auto_free char *blob = xasprintf("blob/sha512/70/7%0127d", 0);
	struct err e = ERR_INIT;

	publish_files(&f, '7'); /* and no document */
	ck_assert(there(&f, blob));
	ck_assert_msg(store_unpublish_image(&f.s, &i, &e) == 0, "%s", e.text);
	ck_assert(!there(&f, blob));
	image_info_done(&i);
	teardown(&f);
}
END_TEST

START_TEST(a_tree_appears_whole_or_not_at_all)
{
	struct fix f = setup();
	auto_free char *id = id_of('7'), *dir = xasprintf("tree/%s", id);
	auto_close int fd = FD_NONE;
	struct err e = ERR_INIT;
	struct stat st;

	/* What a crash between the two calls leaves. */
	ck_assert_int_eq(mkdirat(f.s.cas_fd, dir, 0700), 0);
	ck_assert(!store_has_tree(&f.s, id));
	publish_files(&f, '7');
	ck_assert(store_has_tree(&f.s, id));
	publish_files(&f, '7'); /* a second import of the same image */
	fd = store_tree_open(&f.s, id, &e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	ck_assert_int_eq(fstatat(fd, "file", &st, 0), 0);
	ck_assert_int_eq(store_tree_open(&f.s, "../../etc", &e), -EINVAL);
	teardown(&f);
}
END_TEST

START_TEST(another_blob_replaces_the_first)
{
	struct fix f = setup();
	struct image_info i = info_of('7', "a", NULL, false, 1);
	auto_free char *blob = xasprintf("blob/sha512/70/7%0127d", 0);
	struct err e = ERR_INIT;

	publish_files(&f, '7');
	publish(&f, '7', "a", NULL, false, 1);
	ck_assert(there(&f, blob));
	free(i.blob_digest);
	i.blob_digest = xasprintf("8%0127d", 0);
	ck_assert_int_eq(store_publish_image(&f.s, &i, &e), 0);
	ck_assert(!there(&f, blob));
	image_info_done(&i);
	teardown(&f);
}
END_TEST

START_TEST(broken_documents_are_errors_not_crashes)
{
	static const char *const bad[] = {
		"", "{", "[]", "{}", "{\"version\":99}", "{\"version\":1,\"id\":5}", "\xff\xfe",
	};
	struct fix f = setup();
	auto_free char *id = id_of('1'), *doc = xasprintf("image/%s", id), *other = id_of('2');
	auto_free char *other_doc = xasprintf("image/%s", other);

	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		struct image_info i;
		struct err e = ERR_INIT;

		ck_assert_int_eq(write_file_at(f.s.cas_fd, doc, bad[k], strlen(bad[k]), 0644, 0), 0);
		ck_assert_msg(store_image_load(&f.s, id, &i, &e) < 0, "%s: %s", bad[k], e.text);
		ck_assert_ptr_nonnull(strstr(e.text, id));
	}
	publish(&f, '1', "a", NULL, false, 1);
	ck_assert_int_eq(linkat(f.s.cas_fd, doc, f.s.cas_fd, other_doc, 0), 0);
	struct image_info i;
	struct err e = ERR_INIT;
	ck_assert_int_eq(store_image_load(&f.s, other, &i, &e), -EINVAL); /* about another image */
	ck_assert_int_eq(store_image_load(&f.s, "../x", &i, &e), -ENOENT);
	expect_name(&f, "a", NULL, '1');
	teardown(&f);
}
END_TEST

START_TEST(locks_exclude)
{
	struct fix f = setup();
	struct err e = ERR_INIT;
	auto_close int a = store_lock(&f.s, "url", "https://example.com/a", 0, &e);
	auto_close int other = FD_NONE;

	ck_assert_msg(a >= 0, "%s", e.text);
	ck_assert_int_eq(store_lock(&f.s, "url", "https://example.com/a", 0, &e), -EWOULDBLOCK);
	other = store_lock(&f.s, "image", "https://example.com/a", 0, &e);
	ck_assert_int_ge(other, 0);
	/* sweep spares what is held and takes the rest; a new lock still works. */
	fd_close(&other);
	ck_assert_int_eq(sweep(&f.d, 0, &e), 0);
	ck_assert_int_eq(store_lock(&f.s, "url", "https://example.com/a", 0, &e), -EWOULDBLOCK);
	fd_close(&a);
	ck_assert_int_eq(sweep(&f.d, 0, &e), 0);
	ck_assert_int_eq(unlinkat(f.d.fd, DIR_LOCKS, AT_REMOVEDIR), 0); /* empty */
	teardown(&f);
}
END_TEST

START_TEST(sweep_tells_the_living_from_the_dead)
{
	struct fix f = setup();
	auto_free char *live = NULL, *dead = NULL;
	struct err e = ERR_INIT;
	auto_close int held = store_tmp_dir(&f.s, &live, &e), dropped = store_tmp_dir(&f.s, &dead, &e);

	ck_assert(held >= 0 && dropped >= 0);
	ck_assert_int_eq(write_file_at(dropped, "x", "y", 1, 0600, 0), 0);
	ck_assert_int_eq(write_file_at(f.s.tmp_fd, "dl-1", "y", 1, 0600, 0), 0);
	ck_assert_int_eq(write_file_at(f.s.tmp_fd, "doc-1", "y", 1, 0600, 0), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", f.s.tmp_fd, "link"), 0);
	fd_close(&dropped);
	ck_assert_int_eq(sweep(&f.d, 3600000000000, &e), 0);
	ck_assert_int_eq(faccessat(f.s.tmp_fd, live, F_OK, 0), 0);
	ck_assert_int_ne(faccessat(f.s.tmp_fd, dead, F_OK, 0), 0);
	ck_assert_int_eq(faccessat(f.s.tmp_fd, "dl-1", F_OK, 0), 0);
	ck_assert_int_ne(faccessat(f.s.tmp_fd, "doc-1", F_OK, 0), 0);
	ck_assert_int_ne(faccessat(f.s.tmp_fd, "link", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(access("/etc/passwd", F_OK), 0);
	ck_assert_int_eq(sweep(&f.d, 0, &e), 0);
	ck_assert_int_ne(faccessat(f.s.tmp_fd, "dl-1", F_OK, 0), 0);
	teardown(&f);
}
END_TEST

/* Several writers of one name, and a gc that deletes what it can lock, all at once: nothing is lost. */
START_TEST(concurrent_writers_lose_nothing)
{
	static const char digits[] = "0123456789abcdef";
	struct fix f = setup();
	struct err e = ERR_INIT;
	pid_t sweeper, writers[2];
	int status;

	sweeper = suite_fork();
	if (sweeper == 0)
		for (;;)
			(void)sweep(&f.d, 0, &e);
	for (int w = 0; w < 2; w++) {
		writers[w] = suite_fork();
		if (writers[w] == 0) {
			for (int k = w * 8; k < w * 8 + 8; k++) {
				publish_files(&f, digits[k]);
				publish(&f, digits[k], "example.com/a", NULL, false, k + 1);
			}
			_exit(0);
		}
	}
	for (int w = 0; w < 2; w++) {
		ck_assert_int_eq(waitpid(writers[w], &status, 0), writers[w]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(kill(sweeper, SIGKILL), 0);
	ck_assert_int_eq(waitpid(sweeper, &status, 0), sweeper);
	auto_buf b = BUF_INIT;
	ck_assert_int_eq(read_file_at(f.s.cas_fd, "ref/name,example.com%2Fa", 65536, &b), 0);
	for (int k = 0; k < 16; k++) {
		auto_free char *id = id_of(digits[k]);
		ck_assert_msg(strstr(buf_str(&b), id) != NULL, "%s was lost", id);
		ck_assert(store_has_tree(&f.s, id));
	}
	expect_name(&f, "example.com/a", NULL, 'f');
	teardown(&f);
}
END_TEST

int main(void)
{
	return SUITE_RUN("store", an_image_comes_back_as_it_was, ids_complete, the_best_image_of_a_name,
			 long_names_stay_apart, a_collision_is_a_miss, urls_come_back, removal_leaves_nothing,
			 a_failed_import_is_taken_back, a_tree_appears_whole_or_not_at_all,
			 another_blob_replaces_the_first, broken_documents_are_errors_not_crashes,
			 locks_exclude, sweep_tells_the_living_from_the_dead,
			 concurrent_writers_lose_nothing);
}
