/* test_capset — capability isolators to sets. */
#include "suite.h"

#include <sys/capability.h>

#include "base/strv.h"
#include "stage1/lib/capset.h"

#define RETAIN "os/linux/capabilities-retain-set"
#define REMOVE "os/linux/capabilities-remove-set"

static int of(const char *name, const char *json, const char *name2, const char *json2, uint64_t *set,
	      struct err *e)
{
	struct app *a = app_new();
	int r = 0;

	if (name)
		r = isolators_add(&a->isolators, name, json_parse(json, strlen(json), e), e);
	if (r == 0 && name2)
		r = isolators_add(&a->isolators, name2, json_parse(json2, strlen(json2), e), e);
	ck_assert_int_eq(r, 0);
	r = capset_of_app(a, set, e);
	app_free(a);
	return r;
}

START_TEST(default_is_the_specification_s)
{
	struct err e = ERR_INIT;
	uint64_t set = 0;

	ck_assert_int_eq(of(NULL, NULL, NULL, NULL, &set, &e), 0);
	ck_assert_uint_eq(set, 0xa80425fb);
}
END_TEST

START_TEST(retain_is_exact_and_takes_both_spellings)
{
	struct err e = ERR_INIT;
	uint64_t set = 0;

	ck_assert_int_eq(of(RETAIN, "{\"set\":[\"CAP_NET_ADMIN\",\"KILL\"]}", NULL, NULL, &set, &e), 0);
	ck_assert_uint_eq(set, (UINT64_C(1) << CAP_NET_ADMIN) | (UINT64_C(1) << CAP_KILL));
}
END_TEST

START_TEST(remove_subtracts_from_the_default)
{
	struct err e = ERR_INIT;
	uint64_t set = 0;

	ck_assert_int_eq(of(REMOVE, "{\"set\":[\"CAP_MKNOD\",\"CAP_SYS_ADMIN\"]}", NULL, NULL, &set, &e), 0);
	ck_assert_uint_eq(set, capset_default() & ~(UINT64_C(1) << CAP_MKNOD));
}
END_TEST

START_TEST(both_at_once_is_refused)
{
	struct err e = ERR_INIT;
	uint64_t set = 5;

	ck_assert_int_eq(of(RETAIN, "{\"set\":[\"CAP_KILL\"]}", REMOVE, "{\"set\":[\"CAP_KILL\"]}", &set, &e),
			 -EINVAL);
	ck_assert_uint_eq(set, 5);
}
END_TEST

START_TEST(unknown_names_are_refused)
{
	struct err e = ERR_INIT;
	uint64_t set = 5;

	ck_assert_int_eq(of(RETAIN, "{\"set\":[\"CAP_BOGUS\"]}", NULL, NULL, &set, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "CAP_BOGUS"));
	ck_assert_int_eq(of(REMOVE, "{\"set\":[\"SYS_ADMIN2\"]}", NULL, NULL, &set, &e), -EINVAL);
	ck_assert_uint_eq(set, 5);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { default_is_the_specification_s,
				       retain_is_exact_and_takes_both_spellings,
				       remove_subtracts_from_the_default, both_at_once_is_refused,
				       unknown_names_are_refused };

	return suite_run("capset", tests, ARRAY_LEN(tests));
}
