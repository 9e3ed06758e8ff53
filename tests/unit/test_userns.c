/* userns: which texts are a range of ids. */
#include "tests/unit/suite.h"

#include <errno.h>

#include "stage1/lib/userns.h"

START_TEST(ranges)
{
	static const char *const bad[] = { "1",     "0:65536", "65536:0",  "-1:65536",     "65536:65536x",
					   " 1:1",  "1: 1",    "0x1000:1", "065536:65536", "4294967295:2",
					   "1:1:1", ":",       "65536:",   ":65536" };
	struct userns u;
	struct err e = ERR_INIT;

	ck_assert_int_eq(userns_parse("524288:65536", &u, &e), 0);
	ck_assert(u.on);
	ck_assert_uint_eq(u.shift, 524288);
	ck_assert_uint_eq(u.count, 65536);
	ck_assert_int_eq(userns_parse("", &u, &e), 0);
	ck_assert(!u.on);
	ck_assert_int_eq(userns_parse(NULL, &u, &e), 0);
	ck_assert(!u.on);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(userns_parse(bad[i], &u, &e) == -EINVAL, "taken: %s", bad[i]);
		ck_assert(!u.on);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("userns", ranges);
}
