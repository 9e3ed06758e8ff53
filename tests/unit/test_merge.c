/* test_merge — trees on each other: one sorted walk, the uppermost of a name, directories together; what layers hide. */
#include "suite.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/strv.h"
#include "image/merge.h"

/* "tree/path" with its own name in it, a directory if it ends in "/". */
static void make(int dir, const char *const *paths)
{
	for (; *paths; paths++) {
		const char *slash = strrchr(*paths, '/');
		auto_free char *parent = xstrndup(*paths, (size_t)(slash - *paths));

		ck_assert_int_eq(mkdir_p_at(dir, parent, 0755), 0);
		if (slash[1])
			ck_assert_int_eq(write_file_at(dir, *paths, *paths, strlen(*paths), 0644, 0), 0);
	}
}

/* A line for each: its path, and of a regular file what is in it. */
static int note(void *arg, const struct merge_entry *x, struct err *e)
{
	auto_buf text = BUF_INIT;

	if (strcmp(x->path, "end") == 0)
		return err_set(e, ERR_STATE, ECANCELED, "enough");
	if (S_ISREG(x->st.st_mode))
		ck_assert_int_eq(read_file_at(x->dir, x->name, 4096, &text), 0);
	buf_addf(arg, "%s:%s\n", x->path, buf_str(&text));
	return 0;
}

static int walk(int dir, const char *const *roots, size_t n, bool layers, struct buf *b, struct err *e)
{
	const struct merge m = { .dirfd = dir, .roots = roots, .n = n, .layers = layers };

	return merge_walk(&m, note, b, e);
}

static const char *const ab[] = { "a", "b" };

START_TEST(the_uppermost_of_a_name_shows)
{
	static const char *const paths[] = { "a/d/one", "a/d/two", "a/f", "a/x/y", "b/d/two", "b/d/0",
					     "b/f/in",  "b/d-",    "b/x", "b/z/",  NULL };
	auto_buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char *path;
	int dir = suite_make_dir(&path);

	make(dir, paths);
	OK(walk(dir, ab, 2, false, &b, &e));
	ck_assert_str_eq(buf_str(&b), ":\nd:\nd/0:b/d/0\nd/one:a/d/one\nd/two:b/d/two\nd-:b/d-\n"
				      "f:\nf/in:b/f/in\nx:b/x\nz:\n");
	suite_drop_dir(dir, path);
}
END_TEST

/* Who may not see what hides gets nothing at all. */
START_TEST(layers_hide_what_is_below)
{
	static const char *const paths[] = { "a/gone/one", "a/f/x", "a/o/old",   "a/o/s/old", "a/s/gone",
					     "a/s/stays",  "b/f",   "b/o/s/new", "b/s/",      NULL };
	auto_buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char *path;
	int dir = suite_make_dir(&path);

	make(dir, paths);
	auto_close int opaque = openat(dir, "b/o", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fsetxattr(opaque, MERGE_OPAQUE, "y", 1, 0) < 0) {
		ck_assert_int_eq(walk(dir, ab, 2, true, &b, &e), -EPERM);
		ck_assert_uint_eq(b.len, 0);
	} else {
		ck_assert_int_eq(mknodat(dir, "b/gone", S_IFCHR, makedev(0, 0)), 0);
		ck_assert_int_eq(mknodat(dir, "b/nothing", S_IFCHR, makedev(0, 0)), 0);
		ck_assert_int_eq(mknodat(dir, "b/s/gone", S_IFCHR, makedev(0, 0)), 0);
		OK(walk(dir, ab, 2, true, &b, &e));
		ck_assert_str_eq(buf_str(&b),
				 ":\nf:b/f\no:\no/s:\no/s/new:b/o/s/new\ns:\ns/stays:a/s/stays\n");
		buf_clear(&b);
		OK(walk(dir, ab, 2, false, &b, &e)); /* no layers: files as others */
		ck_assert_ptr_nonnull(strstr(buf_str(&b), "o/old:a/o/old\n"));
		ck_assert_ptr_nonnull(strstr(buf_str(&b), "gone:\n"));
	}
	suite_drop_dir(dir, path);
}
END_TEST

START_TEST(who_looks_can_end_it)
{
	static const char *const paths[] = { "a/d/x", "a/end", "a/f", NULL };
	auto_buf b = BUF_INIT;
	struct err e = ERR_INIT;
	char *path;
	int dir = suite_make_dir(&path);

	make(dir, paths);
	ck_assert_int_eq(walk(dir, ab, 1, false, &b, &e), -ECANCELED);
	ck_assert_str_eq(buf_str(&b), ":\nd:\nd/x:a/d/x\n");
	ck_assert_str_eq(e.text, "enough");
	suite_drop_dir(dir, path);
}
END_TEST

/* 200 trees of 30 levels each, and no more descriptors than 70. */
START_TEST(descriptors_do_not_grow)
{
	const struct rlimit few = { 70, 70 };
	auto_strv roots = NULL;
	auto_buf b = BUF_INIT, deep = BUF_INIT;
	struct err e = ERR_INIT;
	char *path;
	int dir = suite_make_dir(&path);

	for (int i = 0; i < 30; i++)
		buf_adds(&deep, "d/");
	for (int i = 0; i < 200; i++) {
		auto_free char *file = xasprintf("%03d/%s%03d", i, buf_str(&deep), i),
			       *upper = xasprintf("%03d/d/d/z", i);
		const char *const paths[] = { file, upper, NULL };

		make(dir, paths);
		strv_pushf(&roots, "%03d", i);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	OK(walk(dir, (const char *const *)roots, 200, false, &b, &e));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "/000:000/d"));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "/199:199/d"));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "\nd/d/z:199/d/d/z\n"));
	suite_drop_dir(dir, path);
}
END_TEST

int main(void)
{
	return SUITE_RUN("merge", the_uppermost_of_a_name_shows, layers_hide_what_is_below,
			 who_looks_can_end_it, descriptors_do_not_grow);
}
