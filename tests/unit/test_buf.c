/* buf: growth, stealing, and what a terminal must not get. */
#include "tests/unit/suite.h"

#include "base/buf.h"

START_TEST(empty_is_usable)
{
	auto_buf b = BUF_INIT;
	auto_free char *s = NULL;

	ck_assert_str_eq(buf_str(&b), "");
	buf_clear(&b);
	buf_add(&b, NULL, 0);
	ck_assert_ptr_null(b.data);
	s = buf_steal(&b);
	ck_assert_str_eq(s, "");
}
END_TEST

START_TEST(growth_keeps_the_bytes)
{
	auto_buf b = BUF_INIT;

	for (int i = 0; i < 5000; i++)
		buf_addf(&b, "%04d,", i);
	ck_assert_uint_eq(b.len, 25000);
	ck_assert_int_eq(b.data[b.len], 0);
	ck_assert_mem_eq(b.data + 5 * 4321, "4321,", 5);
	buf_clear(&b);
	ck_assert_str_eq(buf_str(&b), "");
	buf_addc(&b, 'x');
	buf_adds(&b, "yz");
	ck_assert_str_eq(buf_str(&b), "xyz");
}
END_TEST

START_TEST(reserve_stays_terminated)
{
	auto_buf b = BUF_INIT;

	buf_adds(&b, "ab");
	memcpy(buf_reserve(&b, 100), "cd", 2);
	b.len += 2;
	ck_assert_str_eq(buf_str(&b), "abcd");
}
END_TEST

START_TEST(steal_leaves_empty)
{
	struct buf b = BUF_INIT;
	auto_free char *s = NULL;

	buf_adds(&b, "gone");
	s = buf_steal(&b);
	ck_assert_str_eq(s, "gone");
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

static const struct {
	const char *in;
	size_t len;
	const char *out;
} escapes[] = {
	{ "plain text", 10, "plain text" },
	{ "a\nb\tc", 5, "a\\x0ab\\x09c" },
	{ "\x1b[31m", 5, "\\x1b[31m" },
	{ "a\0b", 3, "a\\x00b" },
	{ "\x7f", 1, "\\x7f" },
	{ "back\\slash", 10, "back\\x5cslash" },
	{ "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f" },
	{ "\xf0\x9f\x90\xa7", 4, "\xf0\x9f\x90\xa7" },
	{ "\xc2\x9b"
	  "31m",
	  5, "\\xc2\\x9b31m" },                   /* C1: one-byte escape of some terminals */
	{ "\xe2\x80\xae", 3, "\\xe2\\x80\\xae" }, /* right-to-left override */
	{ "\xff\xfe", 2, "\\xff\\xfe" },
	{ "\xc0\xaf", 2, "\\xc0\\xaf" },                   /* overlong slash */
	{ "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" },          /* surrogate */
	{ "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	{ "\xe2\x82", 2, "\\xe2\\x82" },                   /* cut short */
};

START_TEST(terminal_gets_no_control)
{
	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		auto_buf b = BUF_INIT;

		buf_add_escaped(&b, escapes[i].in, escapes[i].len);
		ck_assert_msg(strcmp(buf_str(&b), escapes[i].out) == 0, "%zu: %s", i, buf_str(&b));
	}
}
END_TEST

START_TEST(line_keeps_backslashes_only)
{
	auto_buf b = BUF_INIT;

	buf_add_line(&b, "a\\x1b\nb", 7);
	ck_assert_str_eq(buf_str(&b), "a\\x1b\\x0ab");
}
END_TEST

int main(void)
{
	return SUITE_RUN("buf", empty_is_usable, growth_keeps_the_bytes, reserve_stays_terminated,
			 steal_leaves_empty, terminal_gets_no_control, line_keeps_backslashes_only);
}
