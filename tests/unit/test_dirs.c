/* dirs: the data directory is made whole, kept as it is, and refused with one line. */
#include "tests/unit/suite.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "stage0/dirs.h"

static const char *const all[] = {
	DIR_PODS,    DIR_EMBRYO, DIR_PREPARE, DIR_PREPARED, DIR_RUN, DIR_EXITED_GARBAGE,
	DIR_GARBAGE, DIR_CAS,    DIR_BLOB,    DIR_TREE,     DIR_REF, DIR_IMAGE,
	DIR_CAS_TMP, DIR_LOCKS,  DIR_TMP,
};

/* A scratch directory and a data directory in it that is not made yet. */
static char *path, *data;
static int fd;

static void before(void)
{
	fd = suite_make_dir(&path);
	data = xasprintf("%s/data", path);
}

static void after(void)
{
	free(data);
	suite_drop_dir(fd, path);
}

static mode_t mode_of(int at, const char *name)
{
	struct stat st;

	ck_assert_msg(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s: %s", name, strerror(errno));
	return st.st_mode;
}

START_TEST(makes_every_directory)
{
	auto_free char *deep = xasprintf("%s/a/b/data", path);
	struct datadir d;
	struct err e = ERR_INIT;

	OK(datadir_open(deep, true, &d, &e));
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		ck_assert_msg(S_ISDIR(mode_of(d.fd, all[i])), "%s", all[i]);
	ck_assert_str_eq(d.path, deep);
	datadir_done(&d);
}
END_TEST

START_TEST(others_cannot_walk_in)
{
	struct datadir d;
	struct err e = ERR_INIT;

	ck_assert_int_eq(datadir_open(data, true, &d, &e), 0);
	ck_assert_int_eq(mode_of(d.fd, ".") & 0007, 0);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		ck_assert_msg((mode_of(d.fd, all[i]) & 0007) == 0, "%s", all[i]);
	ck_assert_int_eq(mode_of(d.fd, DIR_TREE) & 0777, 0700);
	ck_assert_int_eq(mode_of(d.fd, DIR_CAS_TMP) & 0777, 0700);
	datadir_done(&d);
}
END_TEST

START_TEST(completes_a_branch_and_keeps_modes)
{
	struct datadir d;
	struct err e = ERR_INIT;

	ck_assert_int_eq(datadir_open(path, true, &d, &e), 0);
	ck_assert_int_eq(fchmodat(d.fd, DIR_RUN, 0755, 0), 0);
	ck_assert_int_eq(unlinkat(d.fd, DIR_CAS_TMP, AT_REMOVEDIR), 0);
	/* this one says that all are there */
	ck_assert_int_eq(unlinkat(d.fd, DIR_TMP, AT_REMOVEDIR), 0);
	datadir_done(&d);
	ck_assert_int_eq(datadir_open(path, true, &d, &e), 0);
	ck_assert(S_ISDIR(mode_of(d.fd, DIR_CAS_TMP)));
	ck_assert_int_eq(mode_of(d.fd, DIR_RUN) & 0777, 0755);
	datadir_done(&d);
}
END_TEST

START_TEST(resolves_links_once)
{
	auto_free char *real = xasprintf("%s/real", path), *link = xasprintf("%s/link", path);
	struct datadir d;
	struct err e = ERR_INIT;

	ck_assert_int_eq(mkdir(real, 0700), 0);
	ck_assert_int_eq(symlink("real", link), 0);
	ck_assert_int_eq(datadir_open(link, true, &d, &e), 0);
	ck_assert_str_eq(d.path, real);
	datadir_done(&d);
}
END_TEST

START_TEST(a_reader_makes_nothing)
{
	struct datadir d;
	struct err e = ERR_INIT;

	ck_assert_int_eq(datadir_open(data, false, &d, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, data));
	ck_assert_int_ne(access(data, F_OK), 0);
}
END_TEST

START_TEST(a_file_in_the_way_is_named)
{
	auto_free char *below = xasprintf("%s/data/x", path);
	struct datadir d;
	struct err e = ERR_INIT;

	ck_assert_int_eq(write_file_at(fd, "data", "x", 1, 0644, 0), 0);
	ck_assert_int_eq(datadir_open(data, true, &d, &e), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(e.text, data));
	ck_assert_int_eq(datadir_open(below, true, &d, &e), -ENOTDIR);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("dirs", before, after, makes_every_directory, others_cannot_walk_in,
				 completes_a_branch_and_keeps_modes, resolves_links_once,
				 a_reader_makes_nothing, a_file_in_the_way_is_named);
}
