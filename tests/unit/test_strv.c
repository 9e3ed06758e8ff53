/* strv: vectors of strings and environments. */
#include "tests/unit/suite.h"

#include "base/strv.h"

START_TEST(null_is_empty)
{
	auto_strv copy = strv_copy(NULL);
	auto_free char *joined = strv_join(NULL, ",");

	ck_assert_uint_eq(strv_len(NULL), 0);
	ck_assert(!strv_has(NULL, "a"));
	ck_assert_ptr_null(copy);
	ck_assert_str_eq(joined, "");
	strv_sort(NULL);
	strv_free(NULL);
	ck_assert_ptr_null(env_get(NULL, "A"));
}
END_TEST

START_TEST(many_pushes)
{
	auto_strv v = NULL;
	auto_strv more = strv_split("x y", ' ');

	for (int i = 0; i < 1000; i++)
		strv_pushf(&v, "%d", i);
	ck_assert_uint_eq(strv_len(v), 1000);
	ck_assert_str_eq(v[999], "999");
	ck_assert_ptr_null(v[1000]);
	strv_push_all(&v, more);
	ck_assert_uint_eq(strv_len(v), 1002);
	ck_assert(strv_has(v, "500"));
	ck_assert(!strv_has(v, "1000"));
}
END_TEST

static const struct {
	const char *text, *back;
	size_t n;
} splits[] = {
	{ "", "", 1 }, { "a", "a", 1 }, { "a,b", "a|b", 2 }, { ",", "|", 2 }, { "a,,b,", "a||b|", 4 },
};

START_TEST(split_keeps_empty_parts)
{
	for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
		auto_strv v = strv_split(splits[i].text, ',');
		auto_free char *back = strv_join(v, "|");

		ck_assert_uint_eq(strv_len(v), splits[i].n);
		ck_assert_str_eq(back, splits[i].back);
	}
}
END_TEST

START_TEST(sort_is_by_bytes)
{
	auto_strv v = strv_split("b,a,B,aa", ',');
	auto_free char *s = NULL;

	strv_sort(v);
	s = strv_join(v, ",");
	ck_assert_str_eq(s, "B,a,aa,b");
}
END_TEST

START_TEST(environment)
{
	auto_strv env = NULL;
	auto_free char *s = NULL;

	env_set(&env, "A", "1");
	env_set(&env, "AB", "2");
	env_set(&env, "A", "3=4");
	env_default(&env, "AB", "no");
	env_default(&env, "C", "");
	s = strv_join(env, ";");
	ck_assert_str_eq(s, "A=3=4;AB=2;C=");
	ck_assert_str_eq(env_get(env, "A"), "3=4");
	ck_assert_str_eq(env_get(env, "C"), "");
	ck_assert_ptr_null(env_get(env, "B"));
}
END_TEST

START_TEST(environment_passed_on)
{
	static const char *const names[] = { "RKT_TEST_B", "RKT_TEST_NONE", "RKT_TEST_A", NULL };
	auto_strv env = NULL;

	ck_assert_int_eq(setenv("RKT_TEST_A", "1", 1), 0);
	ck_assert_int_eq(setenv("RKT_TEST_B", "", 1), 0);
	(void)unsetenv("RKT_TEST_NONE");
	env_pass(&env, names);
	auto_free char *s = strv_join(env, ";");
	ck_assert_str_eq(s, "RKT_TEST_B=;RKT_TEST_A=1");
}
END_TEST

int main(void)
{
	return SUITE_RUN("strv", null_is_empty, many_pushes, split_keeps_empty_parts, sort_is_by_bytes,
			 environment, environment_passed_on);
}
