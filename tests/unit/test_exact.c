/* exact: numbers come out as they went in, everything else as JSON is. */
#include "stage1/net/exact.h"

#include "suite.h"

START_TEST(numbers_stay_as_written)
{
	static const char *const texts[] = {
		"{\"a\":1,\"b\":1.0,\"c\":1.50,\"d\":1e3,\"e\":-0}",
		"[18446744073709551616,[0.1,1E-400]]",
		"[9223372036854775807,-9223372036854775808,123456789012345678,-5,0,0.30000000000000000001]",
		"{\"text\":\"1.50 and -0\",\"quote\":\"\\\"1.5\\\\\",\"deep\":[[{\"x\":2.0}]]}",
		"1.10",
		"{}",
	};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_json j = exact_parse(texts[i], strlen(texts[i]), &e);

		ck_assert_msg(j != NULL, "%s: %s", texts[i], e.text);
		auto_free char *out = exact_text(j);
		ck_assert_str_eq(out, texts[i]);
	}
}
END_TEST

/* A record is written by json_text and read by json_parse. */
START_TEST(numbers_survive_a_record)
{
	static const char text[] = "{\"rate\":1e9,\"n\":7}";
	struct err e = ERR_INIT;
	auto_json j = exact_parse(text, strlen(text), &e);
	auto_free char *record = json_text(j, JSON_TABS);
	auto_json again = json_parse(record, strlen(record), &e);

	ck_assert_ptr_nonnull(again);
	auto_free char *out = exact_text(again);
	ck_assert_str_eq(out, text);
	ck_assert_int_eq(json_integer_value(json_member(again, "n")), 7);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "line 1" },
		{ "{\"a\":1.}", "line 1, column" },
		{ "{\"a\":01}", "line 1, column" },
		{ "{\"a\":1.5e}", "line 1, column" },
		{ "{\"a\":--1}", "line 1, column" },
		{ "{1.5:2}", "string or '}' expected" },
		{ "{\"a\":1.5,\n\"b\":2.5,\n\"c\":}", "line 3, column" },
		{ "{\"a\":\"\\u00011.5\"}", "control character" },
		{ "{\"\\u00011.5\":1}", "control character" },
		{ "{\"a\":1,\"a\":2}", "duplicate" },
		{ "{\"a\":1} 2", "line 1" },
		{ "\"", "line 1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;

		ck_assert_msg(exact_parse(rows[i].text, strlen(rows[i].text), &e) == NULL, "%s",
			      rows[i].text);
		ck_assert_msg(strstr(e.text, rows[i].why) != NULL, "%s: %s", rows[i].text, e.text);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("exact", numbers_stay_as_written, numbers_survive_a_record, refused);
}
