/* quantity: exact rounding, every suffix, and what is refused. */
#include "tests/unit/suite.h"

#include "base/buf.h"
#include "schema/isolator.h"

#define MAX INT64_MAX

static const struct {
	const char *text;
	int64_t scale, value;
} good[] = {
	{ "0", 1, 0 },
	{ "1", 1, 1 },
	{ "1024", 1, 1024 },
	{ "+1M", 1, 1000000 },
	{ " 1", 1, 1 },
	{ ".5", 1, 1 },
	{ "1.", 1, 1 },
	{ "1.G", 1, 1000000000 },
	{ "0.5", 1, 1 },
	{ "1500m", 1, 2 },
	{ "1n", 1, 1 },
	{ "1000000000n", 1, 1 },
	{ "1000000001n", 1, 2 },
	{ "5u", 1, 1 },
	{ "1.1Ki", 1, 1127 },
	{ "0.5Ki", 1, 512 },
	{ "0.0009765625Ki", 1, 1 },
	{ "0.00097656250000000000000000000000000000000000000001Ki", 1, 2 },
	{ "1k", 1, 1000 },
	{ "1K", 1, 1000 },
	{ "128Mi", 1, 134217728 },
	{ "1Gi", 1, 1073741824 },
	{ "1Ti", 1, 1099511627776 },
	{ "1Pi", 1, 1125899906842624 },
	{ "7Ei", 1, 8070450532247928832 },
	{ "1T", 1, 1000000000000 },
	{ "1P", 1, 1000000000000000 },
	{ "1E", 1, 1000000000000000000 },
	{ "1e3", 1, 1000 },
	{ "1E3", 1, 1000 },
	{ "1e+3", 1, 1000 },
	{ "15e-1", 1, 2 },
	{ "1e-30", 1, 1 },
	{ "1e-1000000", 1, 1 },
	{ "0e1000000", 1, 0 },
	{ "0.000000000000000000000000000000000000001e40", 1, 10 },
	{ "9223372036854775807", 1, MAX },
	{ "9223372036854775.807k", 1, MAX },
	{ "9223372036854775806.5", 1, MAX },
	{ "000000000000000000000000000000000000000000000000007", 1, 7 },
	{ "250m", 1000, 250 },
	{ "1u", 1000, 1 },
	{ "0.1", 1000, 100 },
	{ "1.0005", 1000, 1001 },
	{ "2", 1000, 2000 },
};

START_TEST(accepted)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct err e = ERR_INIT;
		int64_t v = -1;

		ck_assert_msg(quantity_parse(good[i].text, good[i].scale, &v, &e) == 0, "%s: %s",
			      good[i].text, e.text);
		ck_assert_msg(v == good[i].value, "%s gives %lld", good[i].text, (long long)v);
	}
}
END_TEST

static const struct {
	const char *text;
	int64_t scale;
	int r;
} bad[] = {
	{ "", 1, -EINVAL },
	{ "1 M", 1, -EINVAL },
	{ "1kB", 1, -EINVAL },
	{ "1ki", 1, -EINVAL },
	{ "0x10", 1, -EINVAL },
	{ "1_000", 1, -EINVAL },
	{ "1,5", 1, -EINVAL },
	{ "1.2.3", 1, -EINVAL },
	{ "1e", 1, -EINVAL },
	{ "+-1", 1, -EINVAL },
	{ "M", 1, -EINVAL },
	{ ".", 1, -EINVAL },
	{ "true", 1, -EINVAL },
	{ "-1", 1, -EINVAL },
	{ "-0.5", 1, -EINVAL },
	{ " -5M", 1, -EINVAL },
	{ "1e--3", 1, -EINVAL },
	{ "1e3k", 1, -EINVAL },
	{ "1Kii", 1, -EINVAL },
	{ "1e+-3", 1, -EINVAL },
	{ "10E", 1, -ERANGE },
	{ "8Ei", 1, -ERANGE },
	{ "99999999999999999999", 1, -ERANGE },
	{ "1e19", 1, -ERANGE },
	{ "1e9999999", 1, -ERANGE },
	{ "9223372036854775808", 1, -ERANGE },
	{ "9223372036854775807.5", 1, -ERANGE },
	{ "9223372036854776", 1000, -ERANGE },
	{ "1e99999999999999999999", 1, -ERANGE },
	{ "9223372036854775807Ei", 1, -ERANGE },
};

START_TEST(refused)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;
		int64_t v = 42;

		ck_assert_msg(quantity_parse(bad[i].text, bad[i].scale, &v, &e) == bad[i].r, "%s: %s",
			      bad[i].text, e.text);
		ck_assert_int_eq(e.code, -bad[i].r);
		ck_assert_int_eq(e.cls, ERR_INPUT);
		ck_assert_int_eq(v, 42);
	}
}
END_TEST

START_TEST(many_digits)
{
	struct err e = ERR_INIT;
	auto_buf text = BUF_INIT;
	int64_t v;

	/* 0.333…: a million digits, none of which may be lost or take quadratic time */
	buf_adds(&text, "0.");
	for (int i = 0; i < 1000000; i++)
		buf_addc(&text, '3');
	ck_assert_int_eq(quantity_parse(buf_str(&text), 1000, &v, &e), 0);
	ck_assert_int_eq(v, 334);
}
END_TEST

START_TEST(text_in_messages_is_escaped_and_cut)
{
	struct err e = ERR_INIT;
	char text[400];
	int64_t v;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	text[0] = '\x1b';
	ck_assert_int_eq(quantity_parse(text, 1, &v, &e), -EINVAL);
	ck_assert_int_eq(strncmp(e.text, "\"\\x1bxxx", 8), 0);
	ck_assert_ptr_null(strchr(e.text, '\x1b'));
	ck_assert_ptr_nonnull(strstr(e.text, "...\" is not a quantity"));
}
END_TEST

int main(void)
{
	return SUITE_RUN("quantity", accepted, refused, many_digits, text_in_messages_is_escaped_and_cut);
}
