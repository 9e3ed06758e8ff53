/* challenge, base64: what a registry asks for. */
#include "tests/unit/suite.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/base64.h"
#include "base/strv.h"
#include "stage0/challenge.h"

static struct challenge pick(const char *value)
{
	auto_strv v = NULL;
	struct challenge c;

	strv_push(&v, value);
	challenge_pick(v, &c);
	return c;
}

START_TEST(a_comma_inside_quotes_is_text)
{
	struct challenge c = pick("Bearer realm=\"https://auth.example.com/token\",service=\"reg\","
				  "scope=\"repository:a/b:pull,push\"");

	ck_assert_int_eq(c.scheme, CHALLENGE_BEARER);
	ck_assert_str_eq(c.realm, "https://auth.example.com/token");
	ck_assert_str_eq(c.service, "reg");
	ck_assert_str_eq(c.scope, "repository:a/b:pull,push");
	ck_assert_ptr_null(c.error);
	challenge_done(&c);
}
END_TEST

START_TEST(case_and_spaces_do_not_matter)
{
	struct challenge c = pick("bEARER Realm = \"https://a/\" , SCOPE=x , error=\"in\\\"valid\"");

	ck_assert_int_eq(c.scheme, CHALLENGE_BEARER);
	ck_assert_str_eq(c.realm, "https://a/");
	ck_assert_str_eq(c.scope, "x");
	ck_assert_str_eq(c.error, "in\"valid");
	challenge_done(&c);
}
END_TEST

START_TEST(several_in_one_field)
{
	struct challenge c = pick(
		"Negotiate, Basic realm=\"one\", Bearer realm=\"https://a/t\",service=s, Digest x=y");

	ck_assert_int_eq(c.scheme, CHALLENGE_BEARER);
	ck_assert_str_eq(c.realm, "https://a/t");
	challenge_done(&c);
	c = pick("Basic realm=\"a, Bearer realm=b\"");
	ck_assert_int_eq(c.scheme, CHALLENGE_BASIC);
	ck_assert_str_eq(c.realm, "a, Bearer realm=b");
	challenge_done(&c);
}
END_TEST

START_TEST(what_cannot_be_read_is_none)
{
	static const char *const bad[] = { "",
					   "Bearer",
					   "Bearer service=x",
					   "Bearer realm=\"https://a",
					   "Bearer realm=\"a\nb\"",
					   "Bearer realm=",
					   "=x",
					   "Bearer realm=\"x\" junk" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct challenge c = pick(bad[i]);

		ck_assert_msg(c.scheme == CHALLENGE_NONE, "taken: %s", bad[i]);
		challenge_done(&c);
	}
}
END_TEST

START_TEST(base64_there_and_back)
{
	static const struct {
		const char *plain, *text;
	} v[] = { { "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
		  { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "user:pa:ss", "dXNlcjpwYTpzcw==" } };

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		auto_free char *text = base64_encode(v[i].plain, strlen(v[i].plain));
		auto_buf plain = BUF_INIT;

		ck_assert_str_eq(text, v[i].text);
		ck_assert_int_eq(base64_decode(text, strlen(text), &plain), 0);
		ck_assert_str_eq(buf_str(&plain), v[i].plain);
		buf_clear(&plain);
		ck_assert_int_eq(base64_decode(text, strcspn(text, "="), &plain), 0);
		ck_assert_uint_eq(plain.len, strlen(v[i].plain));
	}
}
END_TEST

START_TEST(base64_refuses_the_rest)
{
	static const char *const bad[] = { "Z", "Zm9vY", "Zm 9", "Zm9-", "====", "Zg===", "Z=g=", "=" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_buf b = BUF_INIT;

		ck_assert_msg(base64_decode(bad[i], strlen(bad[i]), &b) == -EINVAL, "taken: %s", bad[i]);
		ck_assert_uint_eq(b.len, 0);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("challenge", a_comma_inside_quotes_is_text, case_and_spaces_do_not_matter,
			 several_in_one_field, what_cannot_be_read_is_none, base64_there_and_back,
			 base64_refuses_the_rest);
}
