/* path: lexical rules. */
#include "tests/unit/suite.h"

#include "base/path.h"

START_TEST(clean)
{
	static const char *const rows[][2] = {
		{ "", "." },
		{ ".", "." },
		{ "/", "/" },
		{ "//", "/" },
		{ "a", "a" },
		{ "a/", "a" },
		{ "a//b", "a/b" },
		{ "./a/./b/.", "a/b" },
		{ "a/..", "." },
		{ "a/../b", "b" },
		{ "a/../..", ".." },
		{ "..", ".." },
		{ "../..", "../.." },
		{ "../a/..", ".." },
		{ "../../a", "../../a" },
		{ "/..", "/" },
		{ "/../..//a", "/a" },
		{ "/a/b/../../..", "/" },
		{ "/a/./b/../c", "/a/c" },
		{ "a/b/c/../../d", "a/d" },
		{ "..a/...", "..a/..." },
		{ "/a/..b", "/a/..b" },
		{ "a/b/../../../c", "../c" },
		{ "a/./..", "." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *out = path_clean(rows[i][0]);

		ck_assert_msg(strcmp(out, rows[i][1]) == 0, "%s: %s", rows[i][0], out);
	}
}
END_TEST

START_TEST(join)
{
	static const char *const rows[][3] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "a//", "b", "a/b" }, { "/", "b", "/b" },
		{ "", "b", "b" },    { "a", "/b", "/b" },  { "a", "", "a/" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *out = path_join(rows[i][0], rows[i][1]);

		ck_assert_str_eq(out, rows[i][2]);
	}
}
END_TEST

START_TEST(absolute)
{
	auto_free char *a = NULL, *b = NULL, *c = NULL;

	ck_assert_int_eq(chdir("/usr"), 0);
	a = path_abs("bin/../lib");
	b = path_abs("/x/../y");
	c = path_abs("../../..");
	ck_assert_str_eq(a, "/usr/lib");
	ck_assert_str_eq(b, "/y");
	ck_assert_str_eq(c, "/");
}
END_TEST

START_TEST(absolute_from_a_deleted_directory)
{
	char *path;
	int fd = suite_make_dir(&path);

	ck_assert_int_eq(fchdir(fd), 0);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_ptr_null(path_abs("x"));
	ck_assert_int_eq(chdir("/"), 0);
	suite_drop_dir(fd, path); /* missing is success */
}
END_TEST

START_TEST(below)
{
	ck_assert(path_below("/a/b", "/a"));
	ck_assert(path_below("/a", "/a"));
	ck_assert(path_below("/a", "/"));
	ck_assert(path_below("/", "/"));
	ck_assert(!path_below("/ab", "/a"));
	ck_assert(!path_below("/a", "/a/b"));
	ck_assert(!path_below("a", "/"));
	ck_assert(path_below("example.com/x", "example.com"));
	ck_assert(!path_below("example.community/x", "example.com"));
}
END_TEST

START_TEST(base_and_dotdot)
{
	ck_assert_str_eq(path_base("/a/b"), "b");
	ck_assert_str_eq(path_base("b"), "b");
	ck_assert_str_eq(path_base("a/"), "");
	ck_assert(path_has_dotdot(".."));
	ck_assert(path_has_dotdot("a/../b"));
	ck_assert(path_has_dotdot("/a/.."));
	ck_assert(!path_has_dotdot("..."));
	ck_assert(!path_has_dotdot("a/..b/c.."));
	ck_assert(!path_has_dotdot(""));
}
END_TEST

int main(void)
{
	return SUITE_RUN("path", clean, join, absolute, absolute_from_a_deleted_directory, below,
			 base_and_dotdot);
}
