/* Listing of a directory (aci/base/fsat.h); deleting and copying are in test_fsat and test_fscopy. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "tests/unit/suite.h"

static bool wanted(const char *name)
{
	return name[0] == 'w';
}

START_TEST(regular_files_of_a_directory)
{
	char *path;
	int dir = suite_make_dir(&path);
	auto_strv names = NULL;

	ck_assert_int_eq(write_file_at(dir, "w2", "", 0, 0644, 0), 0);
	ck_assert_int_eq(write_file_at(dir, "w1", "", 0, 0644, 0), 0);
	ck_assert_int_eq(write_file_at(dir, "other", "", 0, 0644, 0), 0);
	ck_assert_int_eq(mkdirat(dir, "wdir", 0755), 0);
	ck_assert_int_eq(symlinkat("w1", dir, "wlink"), 0);
	auto_closedir DIR *d = opendir(path);
	ck_assert_ptr_nonnull(d);
	ck_assert_int_eq(files_in(d, wanted, &names), 0);
	auto_free char *s = strv_join(names, ",");
	ck_assert_str_eq(s, "w1,w2");
	suite_drop_dir(dir, path);
}
END_TEST

int main(void)
{
	return SUITE_RUN("fswalk", regular_files_of_a_directory);
}
