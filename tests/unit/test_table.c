/* table: padding as Go's text/tabwriter (0, 8, 1, '\t'). */
#include "tests/unit/suite.h"

#include "base/table.h"

static const char *const NONE[] = { NULL };

/* The printed form of @columns columns of the cells. */
static char *printed(size_t columns, const char *const *cells)
{
	struct table *t = table_new(columns);
	struct buf out = BUF_INIT;

	for (; *cells; cells++)
		table_cell(t, *cells);
	table_print(t, &out);
	table_free(t);
	return buf_steal(&out);
}

START_TEST(empty_prints_one_newline)
{
	auto_free char *s = printed(3, NONE);

	ck_assert_str_eq(s, "\n");
	table_free(NULL);
}
END_TEST

START_TEST(columns_are_padded_with_tabs)
{
	static const char *const cells[] = { "UUID",   "APP", "STATE", "12345678", "winner",
					     "exited", "1",   "",      "running",  NULL };
	auto_free char *s = printed(3, cells);

	/* 8 + 1 characters need 16 columns, 7 fit into 8. */
	ck_assert_str_eq(s, "UUID\t\tAPP\tSTATE\n12345678\twinner\texited\n1\t\t\trunning\n");
}
END_TEST

START_TEST(seven_characters_fit_eight_do_not)
{
	static const char *const seven[] = { "1234567", "x", NULL }, *const eight[] = { "12345678", "x", "1",
											"y", NULL };
	auto_free char *a = printed(2, seven), *b = printed(2, eight);

	ck_assert_str_eq(a, "1234567\tx\n");
	ck_assert_str_eq(b, "12345678\tx\n1\t\ty\n");
}
END_TEST

START_TEST(width_is_in_characters)
{
	static const char *const cells[] = { "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "x",
					     NULL };
	auto_free char *s = printed(2, cells);

	ck_assert_str_eq(s, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\tx\n");
}
END_TEST

START_TEST(control_bytes_are_escaped)
{
	static const char *const cells[] = { "a\tb\n\x1b", "x", NULL };
	auto_free char *s = printed(2, cells);

	ck_assert_str_eq(s, "a\\x09b\\x0a\\x1b\tx\n");
}
END_TEST

START_TEST(unfinished_row_and_one_column)
{
	static const char *const cells[] = { "a", "b", "c", NULL };
	auto_free char *two = printed(2, cells), *one = printed(1, cells);

	ck_assert_str_eq(two, "a\tb\nc\n");
	ck_assert_str_eq(one, "a\nb\nc\n");
}
END_TEST

int main(void)
{
	return SUITE_RUN("table", empty_prints_one_newline, columns_are_padded_with_tabs,
			 seven_characters_fit_eight_do_not, width_is_in_characters, control_bytes_are_escaped,
			 unfinished_row_and_one_column);
}
