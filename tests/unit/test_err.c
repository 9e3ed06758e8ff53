/* err: texts are built outward, cut knowingly, and keep their cause. */
#include "tests/unit/suite.h"

START_TEST(system_error_ends_in_its_cause)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(err_sys(&e, ENOENT, "open %s", "/x"), -ENOENT);
	ck_assert_str_eq(e.text, "open /x: No such file or directory");
	ck_assert_int_eq(e.code, ENOENT);
	ck_assert_int_eq(e.cls, ERR_SYS);
	ck_assert_int_eq(err_ctx(&e, "fetch %d", 7), -ENOENT);
	ck_assert_str_eq(e.text, "fetch 7: open /x: No such file or directory");
	ck_assert_int_eq(err_hint(&e, "try %s", "later"), -ENOENT);
	ck_assert_str_eq(e.text, "fetch 7: open /x: No such file or directory; try later");
}
END_TEST

START_TEST(unknown_errno_has_a_text)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(err_sys(&e, 99999, "do"), -99999);
	ck_assert_str_eq(e.text, "do: error 99999");
}
END_TEST

START_TEST(context_and_hint_on_nothing_add_no_separator)
{
	struct err e = ERR_INIT;

	(void)err_ctx(&e, "a");
	ck_assert_str_eq(e.text, "a");
	err_clear(&e);
	(void)err_hint(&e, "b");
	ck_assert_str_eq(e.text, "b");
}
END_TEST

START_TEST(arguments_may_point_into_the_object)
{
	struct err e = ERR_INIT;

	(void)err_set(&e, ERR_INPUT, EINVAL, "inner");
	ck_assert_int_eq(err_set(&e, ERR_NET, EIO, "outer(%s)", e.text), -EIO);
	ck_assert_str_eq(e.text, "outer(inner)");
	ck_assert_int_eq(e.cls, ERR_NET);
	(void)err_ctx(&e, "%s", e.text);
	ck_assert_str_eq(e.text, "outer(inner): outer(inner)");
}
END_TEST

START_TEST(long_text_is_cut_but_the_cause_stays)
{
	struct err e = ERR_INIT;
	char path[5000];

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	(void)err_sys(&e, EACCES, "open %s", path);
	ck_assert_uint_lt(strlen(e.text), ERR_TEXT_MAX);
	ck_assert_ptr_nonnull(strstr(e.text, "...: Permission denied"));
	(void)err_ctx(&e, "%s", path);
	ck_assert_uint_lt(strlen(e.text), ERR_TEXT_MAX);
	(void)err_hint(&e, "%s", path);
	ck_assert_str_eq(e.text + strlen(e.text) - 3, "...");
	(void)err_set(&e, ERR_INPUT, EINVAL, "%s", path);
	ck_assert_uint_eq(strlen(e.text), ERR_TEXT_MAX - 1);
	ck_assert_str_eq(e.text + ERR_TEXT_MAX - 4, "...");
}
END_TEST

START_TEST(cut_does_not_split_a_character)
{
	struct err e = ERR_INIT;
	char text[2000];

	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	for (size_t shift = 0; shift < 2; shift++) {
		text[1998] = '\0';
		(void)err_set(&e, ERR_INPUT, EINVAL, "%s%s", shift ? "x" : "", text);
		size_t dots = strlen(e.text) - 3;

		ck_assert_str_eq(e.text + dots, "...");
		ck_assert_int_eq((unsigned char)e.text[dots - 1], 0xa9);
	}
}
END_TEST

START_TEST(copy_and_clear)
{
	struct err a = ERR_INIT, b = ERR_INIT;

	(void)err_set(&a, ERR_TRUST, EPERM, "no");
	ck_assert_int_eq(err_copy(&b, &a), -EPERM);
	ck_assert_int_eq(err_copy(&b, &b), -EPERM);
	ck_assert_str_eq(b.text, "no");
	err_clear(&b);
	ck_assert_int_eq(b.code, 0);
	ck_assert_int_eq(b.cls, ERR_NONE);
	ck_assert_str_eq(b.text, "");
}
END_TEST

int main(void)
{
	return SUITE_RUN("err", system_error_ends_in_its_cause, unknown_errno_has_a_text,
			 context_and_hint_on_nothing_add_no_separator, arguments_may_point_into_the_object,
			 long_text_is_cut_but_the_cause_stays, cut_does_not_split_a_character,
			 copy_and_clear);
}
