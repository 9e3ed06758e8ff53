/* output: ids as listings show them, formats, and a standard output that fails. */
#include "tests/unit/suite.h"

#include "rkt/output.h"

#define ID "sha512-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(ids_are_cut_after_so_many_digits)
{
	char out[IMAGE_ID_LEN + 1];
	output_image_id(ID, false, OUTPUT_ID_LIST, out);
	ck_assert_str_eq(out, "sha512-0123456789ab");
	output_image_id(ID, false, OUTPUT_ID_FETCH, out);
	ck_assert_uint_eq(strlen(out), 39);
	output_image_id(ID, true, OUTPUT_ID_LIST, out);
	ck_assert_str_eq(out, ID);
	output_image_id("odd", false, OUTPUT_ID_LIST, out);
	ck_assert_str_eq(out, "odd");
	output_image_id(ID ID, true, 0, out);
	ck_assert_str_eq(out, ID);
}
END_TEST

START_TEST(formats_have_names)
{
	ck_assert_int_eq(output_format_of(NULL), OUTPUT_TEXT);
	ck_assert_int_eq(output_format_of(""), OUTPUT_TEXT);
	ck_assert_int_eq(output_format_of("json"), OUTPUT_JSON);
	ck_assert_int_eq(output_format_of("json-pretty"), OUTPUT_JSON_PRETTY);
}
END_TEST

START_TEST(json_is_one_line_or_indented)
{
	struct err e = ERR_INIT;
	int p[2];
	char got[64] = "";
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(dup2(p[1], STDOUT_FILENO), STDOUT_FILENO);
	ck_assert_int_eq(output_json(json_pack("{s:i}", "a", 1), OUTPUT_JSON, &e), 0);
	ck_assert_int_eq(output_json(json_pack("{s:i}", "a", 1), OUTPUT_JSON_PRETTY, &e), 0);
	ck_assert_int_gt(read(p[0], got, sizeof(got) - 1), 0);
	ck_assert_str_eq(got, "{\"a\":1}\n{\n\t\"a\": 1\n}\n");
}
END_TEST

START_TEST(a_full_output_is_an_error)
{
	struct err e = ERR_INIT;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	ck_assert_int_eq(output_line(&e, "x"), -ENOSPC);
	ck_assert_str_eq(e.text, "write standard output: No space left on device");
}
END_TEST

int main(void)
{
	return SUITE_RUN("output", ids_are_cut_after_so_many_digits, formats_have_names,
			 json_is_one_line_or_indented, a_full_output_is_an_error);
}
