/* json: what is refused, where it says so, and the getters. */
#include "tests/unit/suite.h"

#include "base/json.h"
#include "base/strv.h"

static json_t *parse(const char *text, struct err *e)
{
	return json_parse(text, strlen(text), e);
}

static const struct {
	const char *text, *place;
} refused[] = {
	{ "", "line 1" },
	{ "{", "line 1" },
	{ "{\"a\":1,\"a\":2}", "line 1" },
	{ "{}{}", "line 1" },
	{ "{} x", "line 1" },
	{ "\xef\xbb\xbf{}", "line 1" },
	{ "{\"a\":\"x\\u0000y\"}", "line 1" },
	{ "{\"x\\u0000\":1}", "line 1" },
	{ "{\"a\":1e400}", "line 1" },
	{ "{\"a\":99999999999999999999}", "line 1" },
	{ "{\"a\":\"\\ud800\"}", "line 1" },
	{ "{\"a\":\"\xff\"}", "line 1" },
	{ "{\"a\":'x'}", "line 1" },
	{ "{\"a\":01}", "line 1" },
	{ "{\"a\":1,}", "line 1" },
	{ "{\n \"a\": 1,\n \"b\": }", "line 3, column 7" },
	{ "{\"a\":\"\x1b[2J\"}", "line 1" },
};

START_TEST(bad_documents)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err e = ERR_INIT;
		json_t *j = parse(refused[i].text, &e);

		ck_assert_msg(!j, "%s", refused[i].text);
		ck_assert_int_eq(e.cls, ERR_INPUT);
		ck_assert_msg(strncmp(e.text, refused[i].place, strlen(refused[i].place)) == 0, "%s", e.text);
		ck_assert_ptr_null(strchr(e.text, 0x1b));
	}
}
END_TEST

/* @n times @c in the middle of a document. */
static json_t *deep(char open, char close, size_t n, struct err *e)
{
	auto_free char *text = malloc(2 * n);

	memset(text, open, n);
	memset(text + n, close, n);
	return json_parse(text, 2 * n, e);
}

START_TEST(depth)
{
	struct err e = ERR_INIT;
	json_t *j = deep('[', ']', JSON_DEPTH_MAX, &e);

	ck_assert_ptr_nonnull(j);
	json_decref(j);
	ck_assert_ptr_null(deep('[', ']', JSON_DEPTH_MAX + 1, &e));
	ck_assert_str_eq(e.text, "line 1, column 513: more than 512 levels deep");
	ck_assert_ptr_null(deep('[', ']', 100000, &e));
	ck_assert_ptr_null(deep('{', '}', 100000, &e));
}
END_TEST

START_TEST(brackets_in_strings_are_no_depth)
{
	struct err e = ERR_INIT;
	auto_buf b = BUF_INIT;
	json_t *j;

	buf_adds(&b, "[\"\\\"");
	for (int i = 0; i < 2000; i++)
		buf_addc(&b, '[');
	buf_adds(&b, "\\\\\"]");
	j = json_parse(b.data, b.len, &e);
	ck_assert_msg(j != NULL, "%s", e.text);
	json_decref(j);
}
END_TEST

START_TEST(nul_byte_in_the_text)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(json_parse("{}\0", 3, &e));
	ck_assert_ptr_null(json_parse("\0", 1, &e));
}
END_TEST

START_TEST(members)
{
	struct err e = ERR_INIT;
	auto_json j = parse("{\"Name\":1,\"name\":2,\"ACKIND\":3,\"nil\":null,\"unknown\":{}}", &e);

	ck_assert_ptr_nonnull(j);
	ck_assert_int_eq(json_integer_value(json_member(j, "name")), 2);
	ck_assert_int_eq(json_integer_value(json_member(j, "acKind")), 3);
	ck_assert_ptr_null(json_member(j, "nil"));
	ck_assert_ptr_null(json_member(j, "absent"));
	ck_assert_ptr_null(json_member(NULL, "x"));
	ck_assert_ptr_null(json_member(json_member(j, "name"), "x"));
}
END_TEST

#define DOC                                                                                                  \
	"{\"s\":\"text\",\"t\":true,\"i\":7,\"f\":1.0,\"o\":{},\"a\":[1],\"v\":[\"x\",\"y\"],\"w\":[\"x\","  \
	"5],\"n\":null}"

START_TEST(getters)
{
	struct err e = ERR_INIT;
	auto_json j = parse(DOC, &e);
	const char *s = "old";
	int64_t i = 1;
	bool b = false;
	json_t *o = NULL, *a = NULL;
	auto_strv v = strv_split("first", ',');

	ck_assert_int_eq(json_get_str(j, "", "s", true, &s, &e), 0);
	ck_assert_str_eq(s, "text");
	ck_assert_int_eq(json_get_int(j, "", "i", true, 0, 7, &i, &e), 0);
	ck_assert_int_eq(i, 7);
	ck_assert_int_eq(json_get_bool(j, "", "t", true, &b, &e), 0);
	ck_assert(b);
	ck_assert_int_eq(json_get_obj(j, "", "o", true, &o, &e), 0);
	ck_assert(json_is_object(o));
	ck_assert_int_eq(json_get_arr(j, "", "a", true, &a, &e), 0);
	ck_assert_uint_eq(json_array_size(a), 1);
	ck_assert_int_eq(json_get_strv(j, "", "v", true, &v, &e), 0);
	ck_assert_uint_eq(strv_len(v), 3);
	ck_assert_str_eq(v[2], "y");
}
END_TEST

START_TEST(getters_say_where)
{
	struct err e = ERR_INIT;
	auto_json j = parse(DOC, &e);
	const char *s = "old";
	int64_t i = 1;
	auto_strv v = NULL;

	ck_assert_int_eq(json_get_str(j, ".app", "i", false, &s, &e), -EINVAL);
	ck_assert_str_eq(e.text, ".app.i: string expected");
	ck_assert_int_eq(json_get_str(j, ".app", "gone", true, &s, &e), -EINVAL);
	ck_assert_str_eq(e.text, ".app.gone: missing");
	ck_assert_int_eq(json_get_str(j, ".app", "n", true, &s, &e), -EINVAL);
	ck_assert_int_eq(json_get_str(j, "", "n", false, &s, &e), 0);
	ck_assert_int_eq(json_get_str(j, "", "gone", false, &s, &e), 0);
	ck_assert_str_eq(s, "old");
	ck_assert_int_eq(json_get_int(j, "", "f", true, 0, 9, &i, &e), -EINVAL);
	ck_assert_int_eq(json_get_int(j, "", "i", true, 8, 9, &i, &e), -ERANGE);
	ck_assert_str_eq(e.text, ".i: 7 is not between 8 and 9");
	ck_assert_int_eq(i, 1);
	ck_assert_int_eq(json_get_strv(j, ".app", "w", true, &v, &e), -EINVAL);
	ck_assert_str_eq(e.text, ".app.w[1]: string expected");
	ck_assert_ptr_null(v);
	ck_assert_int_eq(json_get_str(json_member(j, "a"), "", "x", false, &s, &e), -EINVAL);
	ck_assert_str_eq(e.text, "document: object expected");
}
END_TEST

START_TEST(text)
{
	struct err e = ERR_INIT;
	auto_json j = parse("{\"b\":[1,{\"x\":\"  y\\n  z\"}],\"a\":{},\"c\":[]}", &e);
	auto_free char *line = json_text(j, JSON_LINE), *tabs = json_text(j, JSON_TABS);

	ck_assert_str_eq(line, "{\"b\":[1,{\"x\":\"  y\\n  z\"}],\"a\":{},\"c\":[]}");
	ck_assert_str_eq(tabs, "{\n\t\"b\": [\n\t\t1,\n\t\t{\n\t\t\t\"x\": \"  y\\n  "
			       "z\"\n\t\t}\n\t],\n\t\"a\": {},\n\t\"c\": []\n}");
}
END_TEST

int main(void)
{
	return SUITE_RUN("json", bad_documents, depth, brackets_in_strings_are_no_depth, nul_byte_in_the_text,
			 members, getters, getters_say_where, text);
}
