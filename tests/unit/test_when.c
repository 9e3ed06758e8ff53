/* when: times in words and digits. */
#include "tests/unit/suite.h"

#include <stdint.h>

#include "base/when.h"

#define DAY 86400

START_TEST(long_form)
{
	static const struct {
		long nsec;
		const char *text;
	} rows[] = {
		{ 0, "2006-01-02 15:04:05 -0700 MST" },
		{ 123456789, "2006-01-02 15:04:05.123 -0700 MST" },
		{ 120000000, "2006-01-02 15:04:05.12 -0700 MST" },
		{ 100000000, "2006-01-02 15:04:05.1 -0700 MST" },
		{ 5000000, "2006-01-02 15:04:05.005 -0700 MST" },
		{ 999999, "2006-01-02 15:04:05 -0700 MST" },
	};

	ck_assert_int_eq(setenv("TZ", "MST7", 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *s = when_long((struct timespec){ 1136239445, rows[i].nsec });

		ck_assert_str_eq(s, rows[i].text);
	}
}
END_TEST

START_TEST(rfc3339)
{
	auto_free char *a = when_rfc3339((struct timespec){ 1136239445, 999999999 });
	auto_free char *b = when_rfc3339((struct timespec){ 0, 0 });
	auto_free char *c = when_rfc3339((struct timespec){ INT64_MAX, 0 });

	ck_assert_str_eq(a, "2006-01-02T22:04:05Z");
	ck_assert_str_eq(b, "1970-01-01T00:00:00Z");
	ck_assert_str_eq(c, "@9223372036854775807");
}
END_TEST

static const struct {
	int64_t sec;
	long nsec;
	const char *text;
} agos[] = {
	{ 0, 0, "now" },
	{ 0, 999999999, "now" },
	{ 1, 0, "1 second ago" },
	{ 1, 999999999, "1 second ago" },
	{ 2, 0, "2 seconds ago" },
	{ 59, 0, "59 seconds ago" },
	{ 60, 0, "1 minute ago" },
	{ 119, 0, "1 minute ago" },
	{ 120, 0, "2 minutes ago" },
	{ 3599, 0, "59 minutes ago" },
	{ 3600, 0, "1 hour ago" },
	{ 7200, 0, "2 hours ago" },
	{ DAY - 1, 0, "23 hours ago" },
	{ DAY, 0, "1 day ago" },
	{ 2 * DAY, 0, "2 days ago" },
	{ 7 * DAY - 1, 0, "6 days ago" },
	{ 7 * DAY, 0, "1 week ago" },
	{ 14 * DAY, 0, "2 weeks ago" },
	{ 30 * DAY - 1, 0, "4 weeks ago" },
	{ 30 * DAY, 0, "1 month ago" },
	{ 60 * DAY, 0, "2 months ago" },
	{ 360 * DAY - 1, 0, "11 months ago" },
	{ 360 * DAY, 0, "1 year ago" },
	{ 540 * DAY, 0, "2 years ago" },
	{ 720 * DAY, 0, "2 years ago" },
	{ 1080 * DAY, 0, "3 years ago" },
	{ 37ll * 360 * DAY - 1, 0, "36 years ago" },
	{ 37ll * 360 * DAY, 0, "a long while ago" },
	{ -1, 0, "1 second from now" },
	{ -DAY, 0, "1 day from now" },
	{ -37ll * 360 * DAY, 0, "a long while from now" },
};

START_TEST(short_form)
{
	struct timespec then = { 1500000000, 0 };

	for (size_t i = 0; i < ARRAY_LEN(agos); i++) {
		struct timespec now = { then.tv_sec + agos[i].sec, agos[i].nsec };
		auto_free char *s = when_short(then, now);

		ck_assert_str_eq(s, agos[i].text);
	}
}
END_TEST

START_TEST(extreme_times_do_not_overflow)
{
	struct timespec far = { INT64_MAX, 0 }, past = { INT64_MIN, 0 };
	auto_free char *a = when_short(past, far), *b = when_short(far, past), *c = when_long(far);

	ck_assert_str_eq(a, "a long while ago");
	ck_assert_str_eq(b, "a long while from now");
	ck_assert_str_eq(c, "@9223372036854775807");
	ck_assert_int_eq(when_ns(far), INT64_MAX);
	ck_assert_int_eq(when_ns(past), INT64_MIN);
	ck_assert_int_eq(when_ns((struct timespec){ 2, 5 }), 2000000005);
	ck_assert_int_gt(when_now().tv_sec, 1500000000);
}
END_TEST

int main(void)
{
	return SUITE_RUN("when", long_form, rfc3339, short_form, extreme_times_do_not_overflow);
}
