/* image manifest: what is accepted, what is refused and where the message points. */
#include "tests/unit/suite.h"

#include "base/strv.h"
#include "schema/image.h"
#include "tests/unit/schemacheck.h"

static struct image_manifest *parse(const char *text, struct err *e)
{
	auto_free char *s = quoted(text);

	return image_manifest_parse(s, strlen(s), e);
}

static const char full[] =
	"{'acKind':'ImageManifest','acVersion':'0.8.11','name':'example.com/reduce-worker',"
	"'labels':[{'name':'version','value':'1.0.0'},{'name':'arch','value':'amd64'},{'name':'os','value':'"
	"linux'}],"
	"'app':{'exec':['/usr/bin/reduce-worker'],'user':'100','group':'300'},"
	"'annotations':[{'name':'created','value':'2014-10-27T19:32:27.67021798Z'}],"
	"'dependencies':[{'imageName':'example.com/"
	"base','imageID':'sha512-0a','labels':[{'name':'os','value':'linux'}],"
	"'size':22017258}],"
	"'pathWhitelist':['/etc/ca/example.com/crt','/usr/bin/x']}";

START_TEST(everything_survives)
{
	struct err e = ERR_INIT;
	auto_image_manifest m = parse(full, &e);
	auto_free char *title = NULL;

	ck_assert_msg(m != NULL, "%s", e.text);
	expect_text(image_manifest_to_json(m), full);
	title = image_manifest_title(m);
	ck_assert_str_eq(title, "example.com/reduce-worker:1.0.0");
}
END_TEST

#define HEAD  "'acKind':'ImageManifest','acVersion':'0.8.11'"
#define NAMED HEAD ",'name':'a'"

static const char *const accepted[] = {
	"{" NAMED "}",
	"{'ACKIND':'ImageManifest','acversion':'0.8.11','Name':'a'}",
	"{" NAMED ",'app':null,'labels':null,'pathWhitelist':[],'future':{'x':[1]}}",
	"{'acKind':'ImageManifest','acVersion':'99.0.0','name':'a'}",
	"{" NAMED ",'labels':[{'name':'arch','value':'nonsense'}]}",
	"{" NAMED ",'labels':[{'name':'os','value':'freebsd'},{'name':'arch','value':'arm'}]}",
	"{" NAMED ",'dependencies':[{'imageName':'b','app':'x','size':0}]}",
	"{" NAMED ",'app':{'user':'0','group':'0'}}",
};

START_TEST(good_manifests)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct err e = ERR_INIT;
		auto_image_manifest m = NULL;
		auto_free char *s = quoted(accepted[i]);

		m = image_manifest_parse(s, strlen(s), &e);
		ck_assert_msg(m != NULL, "%s: %s", accepted[i], e.text);
	}
}
END_TEST

static const struct {
	const char *text, *error;
} refused[] = {
	{ "", "image manifest: line 1" },
	{ "[]", "image manifest: document: object expected" },
	{ "{" NAMED "} x", "image manifest: line 1" },
	{ "{" NAMED ",'name':'b'}", "image manifest: line 1" },
	{ "{" NAMED ",'name':'a\\u0000b'}", "image manifest: line 1" },
	{ "\xef\xbb\xbf{" NAMED "}", "image manifest: line 1" },
	{ "{'acVersion':'0.8.11','name':'a'}", "image manifest: .acKind: missing" },
	{ "{'acKind':'PodManifest','acVersion':'0.8.11','name':'a'}",
	  ".acKind: 'PodManifest' is not ImageManifest" },
	{ "{'acKind':'imagemanifest','acVersion':'0.8.11','name':'a'}", ".acKind: 'imagemanifest'" },
	{ "{'acKind':'ImageManifest','name':'a'}", ".acVersion: missing" },
	{ "{'acKind':'ImageManifest','acVersion':'0.8','name':'a'}", ".acVersion: '0.8' is not a version" },
	{ "{'acKind':'ImageManifest','acVersion':'0.0.0','name':'a'}", ".acVersion: '0.0.0'" },
	{ "{" HEAD "}", ".name: missing" },
	{ "{" HEAD ",'name':'Example'}", ".name: 'Example' is not an AC identifier" },
	{ "{" HEAD ",'name':'a/../b'}", ".name: 'a/../b'" },
	{ "{" HEAD ",'name':7}", ".name: string expected" },
	{ "{" NAMED ",'labels':{}}", ".labels: array expected" },
	{ "{" NAMED ",'labels':[{'name':'os','value':'beos'}]}", ".labels: bad os 'beos'" },
	{ "{" NAMED ",'labels':[{'name':'os','value':'linux'},{'name':'arch','value':'arm64'}]}",
	  "bad arch 'arm64'" },
	{ "{" NAMED ",'app':[]}", ".app: object expected" },
	{ "{" NAMED ",'app':{'exec':[7],'user':'0','group':'0'}}", ".app.exec[0]: string expected" },
	{ "{" NAMED ",'annotations':[{'name':'homepage','value':'x'}]}", ".annotations[0].value: 'x'" },
	{ "{" NAMED ",'dependencies':[{}]}", ".dependencies[0].imageName: missing" },
	{ "{" NAMED ",'dependencies':[{'imageName':'b','size':-1}]}",
	  ".dependencies[0].size: -1 is not between" },
	{ "{" NAMED ",'dependencies':[{'imageName':'b','imageID':'sha512-ZZ'}]}",
	  ".dependencies[0].imageID: 'sha512-ZZ'" },
	{ "{" NAMED ",'dependencies':[{'imageName':'b','imageID':'../x'}]}", "is not an image ID" },
	{ "{" NAMED ",'dependencies':[{'imageName':'b','labels':[{'name':'name','value':''}]}]}",
	  ".dependencies[0].labels[0].name: 'name' cannot be a label" },
	{ "{" NAMED ",'pathWhitelist':['/a',1]}", ".pathWhitelist[1]: string expected" },
};

START_TEST(bad_manifests)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err e = ERR_INIT;
		auto_image_manifest m = parse(refused[i].text, &e);

		ck_assert_msg(!m, "%s", refused[i].text);
		expect_error(&e, refused[i].error);
	}
}
END_TEST

START_TEST(whitelist_entries_are_cleaned)
{
	struct err e = ERR_INIT;
	auto_image_manifest m = parse("{" NAMED ",'pathWhitelist':['/c/','a//b','/../../x','']}", &e);
	auto_free char *joined = NULL;

	ck_assert_msg(m != NULL, "%s", e.text);
	joined = strv_join(m->path_whitelist, " ");
	ck_assert_str_eq(joined, "/c /a/b /x /");
}
END_TEST

START_TEST(deep_and_large_documents)
{
	struct err e = ERR_INIT;
	auto_buf text = BUF_INIT;

	buf_adds(&text, "{\"x\":");
	for (int i = 0; i < 100000; i++)
		buf_addc(&text, '[');
	ck_assert_ptr_null(image_manifest_parse(buf_str(&text), text.len, &e));
	expect_error(&e, "more than 512 levels deep");
	buf_clear(&text);
	while (text.len <= IMAGE_MANIFEST_MAX)
		buf_adds(&text, "                                                                ");
	ck_assert_ptr_null(image_manifest_parse(buf_str(&text), text.len, &e));
	expect_error(&e, "larger than");
}
END_TEST

int main(void)
{
	return SUITE_RUN("image_manifest", everything_survives, good_manifests, bad_manifests,
			 whitelist_entries_are_cleaned, deep_and_large_documents);
}
