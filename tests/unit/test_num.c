/* num: every accepted spelling, and the refused ones next to them. */
#include "tests/unit/suite.h"

#include "base/num.h"

static const struct {
	const char *text;
	int r;
	uint64_t value;
} unsigneds[] = {
	{ "0", 0, 0 },
	{ "007", 0, 7 },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "99999999999999999999999", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 },
	{ "+1", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },
	{ "1e3", -EINVAL, 0 },
	{ "99999999999999999999x", -EINVAL, 0 },
	{ "\xd9\xa1", -EINVAL, 0 },
};

START_TEST(unsigned_numbers)
{
	for (size_t i = 0; i < ARRAY_LEN(unsigneds); i++) {
		uint64_t v = 42;

		ck_assert_int_eq(parse_u64(unsigneds[i].text, &v), unsigneds[i].r);
		ck_assert_uint_eq(v, unsigneds[i].r ? 42 : unsigneds[i].value);
	}
}
END_TEST

START_TEST(narrow_numbers)
{
	uint32_t v = 42;

	ck_assert_int_eq(parse_u32("4294967295", &v), 0);
	ck_assert_uint_eq(v, UINT32_MAX);
	ck_assert_int_eq(parse_u32("4294967296", &v), -ERANGE);
	ck_assert_uint_eq(v, UINT32_MAX);
}
END_TEST

START_TEST(signed_numbers)
{
	int64_t v = 42;

	ck_assert_int_eq(parse_i64("-9223372036854775808", &v), 0);
	ck_assert_int_eq(v, INT64_MIN);
	ck_assert_int_eq(parse_i64("9223372036854775807", &v), 0);
	ck_assert_int_eq(v, INT64_MAX);
	ck_assert_int_eq(parse_i64("-0", &v), 0);
	ck_assert_int_eq(v, 0);
	ck_assert_int_eq(parse_i64("9223372036854775808", &v), -ERANGE);
	ck_assert_int_eq(parse_i64("-9223372036854775809", &v), -ERANGE);
	ck_assert_int_eq(parse_i64("--1", &v), -EINVAL);
	ck_assert_int_eq(parse_i64("-", &v), -EINVAL);
	ck_assert_int_eq(v, 0);
}
END_TEST

START_TEST(user_ids)
{
	static const char *const bad[] = { "",
					   " 0",
					   "+1",
					   "-1",
					   "00",
					   "01",
					   "0x1",
					   "1a",
					   "4294967295",
					   "4294967296",
					   "99999999999999999999" };
	uint32_t v = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_lt(parse_id(bad[i], &v), 0);
	ck_assert_uint_eq(v, 7);
	ck_assert_int_eq(parse_id("4294967294", &v), 0);
	ck_assert_uint_eq(v, UINT32_MAX - 1);
	ck_assert_int_eq(parse_id("0", &v), 0);
	ck_assert_uint_eq(v, 0);
}
END_TEST

START_TEST(modes)
{
	uint32_t v = 1;

	ck_assert_int_eq(parse_mode("0755", &v), 0);
	ck_assert_uint_eq(v, 0755);
	ck_assert_int_eq(parse_mode("7777", &v), 0);
	ck_assert_uint_eq(v, 07777);
	ck_assert_int_eq(parse_mode("10000", &v), -ERANGE);
	ck_assert_int_eq(parse_mode("77777777777777777777777777", &v), -ERANGE);
	ck_assert_int_eq(parse_mode("8", &v), -EINVAL);
	ck_assert_int_eq(parse_mode("", &v), -EINVAL);
	ck_assert_int_eq(parse_mode("u+x", &v), -EINVAL);
	ck_assert_uint_eq(v, 07777);
}
END_TEST

START_TEST(booleans)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
	static const char *const bad[] = { "", "yes", "tRUE", "on", "2", "true " };
	bool v;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		ck_assert_int_eq(parse_bool(yes[i], &v), 0);
		ck_assert(v);
		ck_assert_int_eq(parse_bool(no[i], &v), 0);
		ck_assert(!v);
		ck_assert_int_eq(parse_bool(bad[i], &v), -EINVAL);
	}
}
END_TEST

#define S INT64_C(1000000000)

static const struct {
	const char *text;
	int r;
	int64_t ns;
} durations[] = {
	{ "0", 0, 0 },
	{ "-0", 0, 0 },
	{ "+0", 0, 0 },
	{ "0s", 0, 0 },
	{ "5s", 0, 5 * S },
	{ "30m", 0, 1800 * S },
	{ "1h30m", 0, 5400 * S },
	{ "1.5h", 0, 5400 * S },
	{ "300ms", 0, 300000000 },
	{ "-1s", 0, -S },
	{ "+5s", 0, 5 * S },
	{ ".5s", 0, S / 2 },
	{ "1.s", 0, S },
	{ "1us", 0, 1000 },
	{ "1\xc2\xb5s", 0, 1000 },
	{ "1\xce\xbcs", 0, 1000 },
	{ "7ns", 0, 7 },
	{ "2h45m3.5s10ms", 0, (2 * 3600 + 45 * 60 + 3) * S + 510000000 },
	{ "0.3333333333333333333333333333h", 0, INT64_C(1200000000000) - 1 },
	{ "9223372036854775807ns", 0, INT64_MAX },
	{ "-9223372036854775808ns", 0, INT64_MIN },
	{ "2562047h47m16.854775807s", 0, INT64_MAX },
	{ "9223372036854775808ns", -ERANGE, 0 },
	{ "2562048h", -ERANGE, 0 },
	{ "99999999999999999999999999h", -ERANGE, 0 },
	{ "2562047h2562047h", -ERANGE, 0 },
	{ "-9223372036854775809ns", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "3", -EINVAL, 0 },
	{ "-", -EINVAL, 0 },
	{ "s", -EINVAL, 0 },
	{ ".", -EINVAL, 0 },
	{ ".s", -EINVAL, 0 },
	{ "1x", -EINVAL, 0 },
	{ "1 s", -EINVAL, 0 },
	{ " 1s", -EINVAL, 0 },
	{ "1S", -EINVAL, 0 },
	{ "1h3", -EINVAL, 0 },
	{ "1d", -EINVAL, 0 },
	{ "--1s", -EINVAL, 0 },
	{ "1s-1s", -EINVAL, 0 },
	{ "0x1s", -EINVAL, 0 },
	{ "99999999999999999999999999h1", -EINVAL, 0 },
	{ "340282366920938463463374607431768211457ns", -ERANGE, 0 }, /* 2^128 + 1 */
};

START_TEST(durations_in)
{
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int64_t ns = 42;
		int r = parse_duration(durations[i].text, &ns);

		ck_assert_msg(r == durations[i].r, "%s: %d", durations[i].text, r);
		ck_assert_msg(ns == (r ? 42 : durations[i].ns), "%s: %lld", durations[i].text, (long long)ns);
	}
}
END_TEST

START_TEST(durations_out)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 1100, "1.1\xc2\xb5s" },
		{ 2200000, "2.2ms" },
		{ 100000000, "100ms" },
		{ S, "1s" },
		{ 3 * S + S / 2, "3.5s" },
		{ 1800 * S, "30m0s" },
		{ 86400 * S, "24h0m0s" },
		{ 3600 * S + 1, "1h0m0.000000001s" },
		{ -90 * S, "-1m30s" },
		{ INT64_MAX, "2562047h47m16.854775807s" },
		{ INT64_MIN, "-2562047h47m16.854775808s" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = format_duration(rows[i].ns);
		int64_t back = 0;

		ck_assert_str_eq(text, rows[i].text);
		ck_assert_int_eq(parse_duration(text, &back), 0);
		ck_assert_int_eq(back, rows[i].ns);
	}
}
END_TEST

START_TEST(sizes_out)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0B" },
		{ 9, "9B" },
		{ 12, "12B" },
		{ 1023, "1023B" },
		{ 1024, "1.0KiB" },
		{ 1229, "1.2KiB" },
		{ 10188, "9.9KiB" },
		{ 10189, "10KiB" },
		{ 10752, "10KiB" },
		{ 11776, "12KiB" },
		{ 79 * 1048576ull, "79MiB" },
		{ 143 * 1048576ull, "143MiB" },
		{ 1048575, "1024KiB" },
		{ UINT64_MAX, "16EiB" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = format_size(rows[i].bytes);

		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("num", unsigned_numbers, narrow_numbers, signed_numbers, user_ids, modes, booleans,
			 durations_in, durations_out, sizes_out);
}
