/* labels: lists, maps and platforms. */
#include "tests/unit/suite.h"

#include "schema/labels.h"
#include "tests/unit/schemacheck.h"

START_TEST(pairs_keep_their_order)
{
	struct pairs p = { NULL, 0 }, q;

	for (int i = 0; i < 40; i++) {
		auto_free char *name = xasprintf("n%d", i);

		pairs_set(&p, name, "x");
	}
	pairs_set(&p, "n7", "y");
	ck_assert_uint_eq(p.n, 40);
	ck_assert_str_eq(p.v[7].name, "n7");
	ck_assert_str_eq(pairs_get(&p, "n7"), "y");
	ck_assert_ptr_null(pairs_get(&p, "absent"));
	pairs_copy(&q, &p);
	pairs_set(&q, "n7", "z");
	pairs_set(&q, "n40", "z");
	ck_assert_str_eq(pairs_get(&p, "n7"), "y");
	pairs_done(&p);
	pairs_done(&q);
	pairs_done(&q);
}
END_TEST

static const struct {
	int (*from_json)(const json_t *, const char *, struct pairs *, struct err *);
	const char *text;
	const char *error; /* NULL: accepted and printed back as @text */
} lists[] = {
	{ labels_from_json, "[]", NULL },
	{ labels_from_json, "[{'name':'version','value':'1.0'},{'name':'os','value':''}]", NULL },
	{ labels_from_json, "[{'name':'Foo','value':'x'}]", ".l[0].name: 'Foo' is not an AC identifier" },
	{ labels_from_json, "[{'name':'a','value':'x'},{'name':'a','value':'y'}]", ".l: 'a' is given twice" },
	{ labels_from_json, "[{'name':'name','value':'x'}]", ".l[0].name: 'name' cannot be a label" },
	{ labels_from_json, "[{'name':'a','value':1}]", ".l[0].value: string expected" },
	{ labels_from_json, "[{'value':'x'}]", ".l[0].name: missing" },
	{ labels_from_json, "['a']", ".l[0]: object expected" },
	{ labels_from_json, "[{'name':'a','value':'x'},null]", ".l[1]: object expected" },
	{ annotations_from_json, "[{'name':'created','value':'2014-10-27T19:32:27.67Z'}]", NULL },
	{ annotations_from_json, "[{'name':'homepage','value':'https://example.com'}]", NULL },
	{ annotations_from_json, "[{'name':'name','value':'x'}]", NULL },
	{ annotations_from_json, "[{'name':'created','value':'2014-10-27 19:32:27Z'}]",
	  ".l[0].value: '2014" },
	{ annotations_from_json, "[{'name':'homepage','value':'ftp://a'}]", "is not an http or https URL" },
	{ annotations_from_json, "[{'name':'documentation','value':''}]", "is not an http or https URL" },
	{ annotations_from_json, "[{'name':'a/../b','value':'x'}]", "is not an AC identifier" },
	{ environment_from_json, "[{'name':'A.b-C','value':'=\\n'}]", NULL },
	{ environment_from_json, "[{'name':'A B','value':'x'}]", "is not a name of an environment variable" },
	{ environment_from_json, "[{'name':'A','value':'x'},{'name':'A','value':'x'}]",
	  "'A' is given twice" },
};

START_TEST(lists_from_json)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct err e = ERR_INIT;
		struct pairs p = { NULL, 0 };
		auto_json arr = doc(lists[i].text);
		int r = lists[i].from_json(arr, ".l", &p, &e);

		ck_assert_msg((r == 0) == !lists[i].error, "%s: %s", lists[i].text, e.text);
		if (lists[i].error) {
			expect_error(&e, lists[i].error);
			ck_assert_ptr_null(p.v);
		} else {
			expect_text(pairs_to_json(&p), lists[i].text);
		}
		pairs_done(&p);
	}
}
END_TEST

START_TEST(a_missing_value_is_empty)
{
	struct err e = ERR_INIT;
	struct pairs p = { NULL, 0 };
	auto_json arr = doc("[{'NAME':'a'},{'name':'b','value':null}]");

	ck_assert_int_eq(labels_from_json(arr, "", &p, &e), 0);
	ck_assert_str_eq(pairs_get(&p, "a"), "");
	ck_assert_str_eq(pairs_get(&p, "b"), "");
	pairs_done(&p);
}
END_TEST

START_TEST(duplicates_among_very_many)
{
	struct err e = ERR_INIT;
	struct pairs p = { NULL, 0 };
	auto_json arr = json_array();

	for (int i = 0; i < 100000; i++) {
		auto_free char *name = xasprintf("n%d", i == 99999 ? 5 : i);

		json_array_append_new(arr, json_pack("{s:s, s:s}", "name", name, "value", ""));
	}
	ck_assert_int_eq(labels_from_json(arr, ".labels", &p, &e), -EINVAL);
	expect_error(&e, ".labels: 'n5' is given twice");
}
END_TEST

START_TEST(string_maps)
{
	struct err e = ERR_INIT;
	struct pairs p = { NULL, 0 };
	auto_json good = doc("{'b':'2','A b':'','a':'1'}");
	auto_json bad = doc("{'x':1}");

	ck_assert_int_eq(string_map_from_json(good, ".m", &p, &e), 0);
	expect_text(string_map_to_json(&p), "{'A b':'','a':'1','b':'2'}");
	pairs_done(&p);
	ck_assert_int_eq(string_map_from_json(bad, ".m", &p, &e), -EINVAL);
	expect_error(&e, ".m: 'x' has a value that is not a string");
}
END_TEST

static const struct {
	const char *os, *arch, *error;
} platforms[] = {
	{ "linux", "amd64", NULL },
	{ "linux", "aarch64_be", NULL },
	{ "linux", "s390x", NULL },
	{ "linux", "riscv64", NULL },
	{ "freebsd", "arm", NULL },
	{ "darwin", "x86_64", NULL },
	{ "linux", NULL, NULL },
	{ NULL, "nonsense", NULL },
	{ NULL, NULL, NULL },
	{ "linux", "x86_64", "bad arch 'x86_64'" },
	{ "darwin", "amd64", "bad arch 'amd64'" },
	{ "Linux", "amd64", "bad os 'Linux'" },
	{ "plan9", NULL, "bad os 'plan9'" },
	{ "", NULL, "bad os ''" },
};

START_TEST(known_platforms)
{
	for (size_t i = 0; i < ARRAY_LEN(platforms); i++) {
		struct err e = ERR_INIT;
		struct pairs p = { NULL, 0 };

		if (platforms[i].os)
			pairs_set(&p, "os", platforms[i].os);
		if (platforms[i].arch)
			pairs_set(&p, "arch", platforms[i].arch);
		ck_assert_int_eq(labels_check_os_arch(&p, &e) == 0, !platforms[i].error);
		if (platforms[i].error)
			expect_error(&e, platforms[i].error);
		pairs_done(&p);
	}
}
END_TEST

static void expect_host(struct pairs *p, const char *error)
{
	struct err e = ERR_INIT;
	int r = labels_check_host(p, &e);

	ck_assert_int_eq(r == 0, !error);
	if (error)
		expect_error(&e, error);
}

START_TEST(images_for_this_machine)
{
	struct pairs p = { NULL, 0 };

	expect_host(&p, "missing os label in the image manifest");
	pairs_set(&p, "os", "linux");
	expect_host(&p, "missing arch label in the image manifest");
	pairs_set(&p, "arch", host_arch());
	expect_host(&p, NULL);
	pairs_set(&p, "arch", "s390x");
	if (strcmp(host_arch(), "s390x") != 0)
		expect_host(&p, "bad arch 's390x': this machine runs");
	pairs_set(&p, "os", "freebsd");
	expect_host(&p, "bad os 'freebsd'");
	pairs_set(&p, "os", "linux");
	pairs_set(&p, "arch", "i386");
	if (strcmp(host_arch(), "amd64") == 0)
		expect_host(&p, NULL);
	pairs_done(&p);
}
END_TEST

int main(void)
{
	return SUITE_RUN("labels", pairs_keep_their_order, lists_from_json, a_missing_value_is_empty,
			 duplicates_among_very_many, string_maps, known_platforms, images_for_this_machine);
}
