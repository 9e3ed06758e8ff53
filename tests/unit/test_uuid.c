/* uuid: canonical form out, several forms in. */
#include "tests/unit/suite.h"

#include "base/uuid.h"

START_TEST(new_ones_are_valid_and_differ)
{
	char a[UUID_LEN + 1], b[UUID_LEN + 1];

	ck_assert_int_eq(uuid_new(a), 0);
	ck_assert_int_eq(uuid_new(b), 0);
	ck_assert(uuid_valid(a));
	ck_assert_str_ne(a, b);
	ck_assert_int_eq(a[14], '4');
	ck_assert_ptr_nonnull(strchr("89ab", a[19]));
}
END_TEST

#define GOOD "6733c088-a507-4694-aabf-0a9c1e2d3f40"

START_TEST(only_the_canonical_form_is_valid)
{
	static const char *const bad[] = { "",
					   "6733c088",
					   "6733C088-a507-4694-aabf-0a9c1e2d3f40",
					   "6733c088aa507-4694-aabf-0a9c1e2d3f40",
					   GOOD "0",
					   GOOD "\n",
					   "6733c088-a507-4694-aabf-0a9c1e2d3f4g",
					   "6733c088-a507-4694-aabf-0a9c1e2d3f4-",
					   "../../../../../../../../../../../etc" };

	ck_assert(uuid_valid(GOOD));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!uuid_valid(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(parse_accepts_case_and_missing_dashes)
{
	static const char *const good[] = { GOOD, "6733C088-A507-4694-AABF-0A9C1E2D3F40",
					    "6733c088a5074694aabf0a9c1e2d3f40",
					    "-6733c088a5074694aabf0a9c1e2d3f40-" };
	static const char *const bad[] = { "",
					   "-",
					   "6733c088a5074694aabf0a9c1e2d3f4",
					   "6733c088a5074694aabf0a9c1e2d3f400",
					   "6733c088a5074694aabf0a9c1e2d3f4x",
					   "00000000-0000-0000-0000-000000000000",
					   "6733c088 a5074694aabf0a9c1e2d3f40" };
	char out[UUID_LEN + 1];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert_int_eq(uuid_parse(good[i], out), 0);
		ck_assert_str_eq(out, GOOD);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(uuid_parse(bad[i], out), -EINVAL);
	ck_assert_str_eq(out, GOOD);
}
END_TEST

int main(void)
{
	return SUITE_RUN("uuid", new_ones_are_valid_and_differ, only_the_canonical_form_is_valid,
			 parse_accepts_case_and_missing_dashes);
}
