/* ids: every accepted spelling of the text types next to the refused ones. */
#include "tests/unit/suite.h"

#include "schema/ids.h"

struct good {
	const char *text;
	bool ok;
};

static void check_all(bool (*valid)(const char *), const struct good *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(valid(rows[i].text) == rows[i].ok, "\"%s\"", rows[i].text);
}

#define CHECK_ALL(valid, rows) check_all(valid, rows, ARRAY_LEN(rows))

static const struct good identifiers[] = {
	{ "a", true },         { "example.com/reduce-worker", true },
	{ "a--b", true },      { "a__b", true },
	{ "a..b", true },      { "1.2~3/x", true },
	{ "a.../b", true },    { "", false },
	{ "A", false },        { "a/", false },
	{ "/a", false },       { "a//b", false },
	{ "a/../b", false },   { "a/./b", false },
	{ "a/.", false },      { "example.com/../../etc/x", false },
	{ "-a", false },       { "a_", false },
	{ "a b", false },      { "a\n", false },
	{ "a:b", false },      { "a,b", false },
	{ "\xc3\xa4", false }, { "a%2e", false },
};

static const struct good names[] = {
	{ "a", true },  { "a--b", true }, { "0", true },   { "redis-3", true },
	{ "", false },  { "-a", false },  { "a-", false }, { "a.b", false },
	{ "A", false }, { "a/b", false }, { "..", false }, { "a_b", false },
};

static const struct good versions[] = {
	{ "0.8.11", true },
	{ "0.8.11-rc1+x", true },
	{ "1.0.0+build.5", true },
	{ "99.0.0", true },
	{ "01.0.0", true },
	{ "9223372036854775807.0.0", true },
	{ "0.0.0-a", true },
	{ "0.8", false },
	{ "v0.8.11", false },
	{ "0.0.0", false },
	{ "", false },
	{ "1.2.3.4", false },
	{ "1..3", false },
	{ "1.2.", false },
	{ "1.2.x", false },
	{ "+1.2.3", false },
	{ "9223372036854775808.0.0", false },
	{ "1.2.3 ", false },
	{ "1.2.3-a\tb", false },
};

static const struct good env_names[] = {
	{ "PATH", true }, { "_", true },    { "a.b-c_9", true },
	{ "", false },    { "9A", false },  { "-a", false },
	{ "A=B", false }, { "A B", false }, { "BASH_FUNC_x%%", false },
};

static const struct good times[] = {
	{ "2014-10-27T19:32:27Z", true },      { "2014-10-27T19:32:27.67021798Z", true },
	{ "2014-10-27T19:32:27+02:00", true }, { "2000-02-29T00:00:00-11:30", true },
	{ "1900-02-29T00:00:00Z", false },     { "2014-10-27 19:32:27Z", false },
	{ "2014-10-27T19:32:27", false },      { "2014-10-27T24:00:00Z", false },
	{ "2014-13-01T00:00:00Z", false },     { "2014-04-31T00:00:00Z", false },
	{ "2014-10-27T19:32:27.Z", false },    { "2014-10-27T19:32:27Zx", false },
	{ "2014-10-27T19:32:27+0200", false }, { "", false },
};

static const struct good urls[] = {
	{ "http://a", true },    { "https://a.b:80/x?y#z", true },
	{ "HTTPS://a", true },   { "ftp://a", false },
	{ "http://", false },    { "http:///x", false },
	{ "http://:80", false }, { "https://u@", false },
	{ "http://a b", false }, { "http://a\nb", false },
	{ "http:a", false },     { "", false },
};

START_TEST(text_types)
{
	CHECK_ALL(ac_identifier_valid, identifiers);
	CHECK_ALL(ac_name_valid, names);
	CHECK_ALL(ac_version_valid, versions);
	CHECK_ALL(env_name_valid, env_names);
	CHECK_ALL(timestamp_valid, times);
	CHECK_ALL(http_url_valid, urls);
}
END_TEST

struct change {
	const char *from, *to;
};

static const struct change sanitized_identifiers[] = {
	{ "Foo/Bar", "foo/bar" },
	{ "-a b-", "a_b" },
	{ "a//b/../c", "a/b/c" },
	{ "h\xc3\xa4h", "h_h" },
	{ "..", NULL },
	{ "___", NULL },
	{ "", NULL },
	{ "./a", "a" },
};

static const struct change sanitized_names[] = {
	{ "Redis", "redis" }, { "_x_y_", "x-y" }, { "80/tcp", "80-tcp" },
	{ "--", NULL },       { "", NULL },       { "a.b", "a-b" },
};

START_TEST(sanitizing)
{
	for (size_t i = 0; i < ARRAY_LEN(sanitized_identifiers); i++) {
		auto_free char *got = ac_identifier_sanitize(sanitized_identifiers[i].from);

		ck_assert_pstr_eq(got, sanitized_identifiers[i].to);
		ck_assert(!got || ac_identifier_valid(got));
	}
	for (size_t i = 0; i < ARRAY_LEN(sanitized_names); i++) {
		auto_free char *got = ac_name_sanitize(sanitized_names[i].from);

		ck_assert_pstr_eq(got, sanitized_names[i].to);
		ck_assert(!got || ac_name_valid(got));
	}
}
END_TEST

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(image_ids)
{
	ck_assert(image_id_valid("sha512-" HEX64));
	ck_assert(image_id_valid("sha256-" HEX64));
	ck_assert(!image_id_valid("sha512-" HEX64 "0"));
	ck_assert(!image_id_valid("sha512-0123"));
	ck_assert(!image_id_valid("sha512-../456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	ck_assert(!image_id_valid("sha512-ABCDEF6789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	ck_assert(!image_id_valid("md5000-" HEX64));
	ck_assert(image_id_like("sha512-a"));
	ck_assert(image_id_like("sha512-" HEX64 HEX64));
	ck_assert(!image_id_like("sha512-" HEX64 HEX64 "0"));
	ck_assert(!image_id_like("sha256-" HEX64 "0"));
	ck_assert(!image_id_like("sha512-"));
	ck_assert(!image_id_like("sha512-zz"));
}
END_TEST

START_TEST(image_id_prefixes)
{
	static const struct {
		const char *text, *key, *fragment;
	} rows[] = {
		{ "sha512-ab", "sha512-ab", NULL },
		{ "sha512-AB", "sha512-ab", NULL },
		{ "sha512-" HEX64 HEX64, "sha512-" HEX64, NULL },
		{ "sha256-" HEX64, "sha256-" HEX64, NULL },
		{ "sha512-a", NULL, "image ID too short" },
		{ "sha512-", NULL, "image ID too short" },
		{ "sha512-xyz", NULL, "is not an image ID" },
		{ "sha1-abcdef", NULL, "is not an image ID" },
		{ "sha512-\x1b[2J", NULL, "\\x1b[2J" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		auto_free char *key = image_id_prefix(rows[i].text, &e);

		ck_assert_pstr_eq(key, rows[i].key);
		if (rows[i].fragment)
			ck_assert_ptr_nonnull(strstr(e.text, rows[i].fragment));
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("ids", text_types, sanitizing, image_ids, image_id_prefixes);
}
