/* lines: what an app writes, with its name before every line. */
#include "tests/unit/suite.h"

#include "base/auto.h"
#include "stage1/lib/lines.h"

START_TEST(lines_come_whole)
{
	struct lines l = { .app = "web", .pid = 7 };
	auto_buf out = BUF_INIT;

	lines_feed(&l, "a\nb", 3, 12000034, &out);
	ck_assert_str_eq(buf_str(&out), "[12.000034] web[7]: a\n");
	buf_clear(&out);
	lines_feed(&l, "c\n\n", 3, 13500000, &out);
	ck_assert_str_eq(buf_str(&out), "[13.500000] web[7]: bc\n[13.500000] web[7]: \n");
	buf_clear(&out);
	lines_flush(&l, 0, &out);
	ck_assert_uint_eq(out.len, 0);
	lines_feed(&l, "end", 3, 0, &out);
	lines_flush(&l, 0, &out);
	ck_assert_str_eq(buf_str(&out), "[0.000000] web[7]: end\n");
	lines_done(&l);
}
END_TEST

START_TEST(long_lines_are_cut)
{
	struct lines l = { .app = "x", .pid = 1 };
	static char text[LINES_LONGEST * 2 + 1];
	auto_buf out = BUF_INIT;
	int lines = 0;

	(void)memset(text, 'y', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 1000)
		lines_feed(&l, text + i, sizeof(text) - i < 1000 ? sizeof(text) - i : 1000, 0, &out);
	ck_assert_uint_le(l.part.len, LINES_LONGEST);
	lines_feed(&l, "\n", 1, 0, &out);
	for (const char *p = out.data; (p = strchr(p, '\n')); p++)
		lines++;
	ck_assert_int_eq(lines, 3);
	lines_done(&l);
}
END_TEST

START_TEST(bytes_stay_bytes_unless_a_terminal_reads)
{
	struct lines plain = { .app = "x", .pid = 1 }, tty = { .app = "x", .pid = 1, .escape = true };
	auto_buf out = BUF_INIT;

	lines_feed(&plain, "\033[1m\0z\n", 7, 0, &out);
	ck_assert_uint_eq(out.len, strlen("[0.000000] x[1]: ") + 7);
	ck_assert_ptr_nonnull(memchr(out.data, '\033', out.len));
	buf_clear(&out);
	lines_feed(&tty, "\033[1m\0z\n", 7, 0, &out);
	ck_assert_ptr_null(memchr(out.data, '\033', out.len));
	ck_assert_ptr_null(memchr(out.data, '\0', out.len));
	lines_done(&plain);
	lines_done(&tty);
}
END_TEST

int main(void)
{
	return SUITE_RUN("lines", lines_come_whole, long_lines_are_cut,
			 bytes_stay_bytes_unless_a_terminal_reads);
}
