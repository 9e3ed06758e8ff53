/* pod manifest: round trip in the form that Go writes, and every refusal. */
#include "tests/unit/suite.h"

#include "schema/pod.h"
#include "tests/unit/schemacheck.h"

static struct pod_manifest *parse(const char *text, struct err *e)
{
	auto_free char *s = quoted(text);

	return pod_manifest_parse(s, strlen(s), e);
}

static const char full[] =
	"{'acVersion':'0.8.11','acKind':'PodManifest',"
	"'apps':[{'name':'reduce','image':{'name':'example.com/r','id':'sha512-277205b3ae3eb3a8',"
	"'labels':[{'name':'os','value':'linux'}]},"
	"'app':{'exec':['/bin/r'],'user':'0','group':'0'},'readOnlyRootFS':true,"
	"'mounts':[{'volume':'work','path':'/w'}],'annotations':[{'name':'foo','value':'baz'}]},"
	"{'name':'backup','image':{'id':'sha512-3e86b59982e49066'}}],"
	"'volumes':[{'name':'work','kind':'host','source':'/opt','readOnly':true}],"
	"'isolators':[{'name':'resource/memory','value':{'limit':'4G'}}],"
	"'annotations':[{'name':'ip-address','value':'10.1.2.3'}],"
	"'ports':[{'name':'ftp','hostPort':2121,'hostIP':'127.0.0.1',"
	"'podPort':{'name':'ftp','protocol':'tcp','port':21,'count':1,'socketActivated':false}}],"
	"'userAnnotations':{'a':'b'},'userLabels':{'c':'d'}}";

START_TEST(everything_survives)
{
	struct err e = ERR_INIT;
	auto_pod_manifest m = parse(full, &e);

	ck_assert_msg(m != NULL, "%s", e.text);
	expect_text(pod_manifest_to_json(m), full);
	ck_assert_ptr_eq(pod_manifest_app(m, "backup"), &m->apps[1]);
	ck_assert_ptr_null(pod_manifest_app(m, "none"));
}
END_TEST

START_TEST(empty_lists_are_null_as_go_writes_them)
{
	auto_pod_manifest m = pod_manifest_new();
	struct runtime_app *a = pod_manifest_add_app(m);

	a->name = xstrdup("a");
	a->image_id = xstrdup("sha512-00");
	expect_text(pod_manifest_to_json(m),
		    "{'acVersion':'0.8.11','acKind':'PodManifest','apps':[{'name':'a','image':{'id':'sha512-"
		    "00'}}],"
		    "'volumes':null,'isolators':null,'annotations':null,'ports':[]}");
}
END_TEST

START_TEST(what_may_be_missing)
{
	struct err e = ERR_INIT;
	auto_pod_manifest m = parse("{'acKind':'PodManifest'}", &e);

	ck_assert_msg(m != NULL, "%s", e.text);
	ck_assert_uint_eq(m->napps, 0);
}
END_TEST

#define POD(members)  "{'acKind':'PodManifest'," members "}"
#define APP(n, more)  "{'name':'" n "','image':{'id':'sha512-00'}" more "}"
#define HTTP          "'ports':[{'name':'http','port':80}]"
#define WITH_PORTS(p) ",'app':{'user':'0','group':'0'," p "}"

static const struct {
	const char *text, *error; /* NULL: accepted */
} rows[] = {
	{ POD("'apps':[" APP("a", "") "," APP("b", "") "]"), NULL },
	{ POD("'apps':[" APP("a", ",'mountPoints':7") "]"), NULL },
	{ POD("'ports':[{'name':'x','hostPort':1,'hostIP':'::1'}]"), NULL },
	{ POD("'isolators':[{'name':'os/linux/cpu-shares','value':5},{'name':'os/linux/"
	      "cpu-shares','value':6}]"),
	  NULL },
	{ "", "pod manifest: line 1" },
	{ "{}", "pod manifest: .acKind: missing" },
	{ "{'acKind':'ImageManifest'}", ".acKind: 'ImageManifest' is not PodManifest" },
	{ POD("'acVersion':'1'"), ".acVersion: '1' is not a version" },
	{ POD("'apps':{}"), ".apps: array expected" },
	{ POD("'apps':[7]"), ".apps[0]: object expected" },
	{ POD("'apps':[{'image':{'id':'sha512-00'}}]"), ".apps[0].name: missing" },
	{ POD("'apps':[" APP("A", "") "]"), ".apps[0].name: 'A' is not an AC name" },
	{ POD("'apps':[" APP("..", "") "]"), ".apps[0].name: '..'" },
	{ POD("'apps':[{'name':'a'}]"), ".apps[0].image: missing" },
	{ POD("'apps':[{'name':'a','image':{}}]"), ".apps[0].image.id: missing" },
	{ POD("'apps':[{'name':'a','image':{'id':'../../etc'}}]"),
	  ".apps[0].image.id: '../../etc' is not an image ID" },
	{ POD("'apps':[{'name':'a','image':{'id':'sha512-00','name':'B'}}]"), ".apps[0].image.name: 'B'" },
	{ POD("'apps':[" APP("a", "") "," APP("b", "") "," APP("a", "") "]"),
	  ".apps: 'a' is the name of two apps" },
	{ POD("'apps':[" APP("a", ",'app':{}") "]"), ".apps[0].app.user: missing" },
	{ POD("'apps':[" APP("a", ",'mounts':[{'volume':'v'}]") "]"), ".apps[0].mounts[0].path: missing" },
	{ POD("'apps':[" APP("a", ",'readOnlyRootFS':'yes'") "]"), ".apps[0].readOnlyRootFS: true or false" },
	{ POD("'apps':[" APP("a", ",'annotations':[{'name':'created','value':'x'}]") "]"),
	  ".apps[0].annotations[0].value" },
	{ POD("'volumes':[{'name':'v','kind':'empty'},{'name':'v','kind':'empty'}]"),
	  ".volumes: 'v' is given twice" },
	{ POD("'isolators':[{'name':'resource/memory'}]"), ".isolators[0].value: missing" },
	{ POD("'ports':[{'name':'x','hostPort':99999}]"), ".ports[0].hostPort: 99999 is not between" },
	{ POD("'ports':[{'name':'x','hostPort':0}]"), ".ports[0].hostPort: 0 is not between" },
	{ POD("'ports':[{'name':'x','hostPort':1,'hostIP':'1.2.3'}]"),
	  ".ports[0].hostIP: '1.2.3' is not an IP" },
	{ POD("'ports':[{'name':'x','hostPort':1,'podPort':{'name':'x'}}]"),
	  ".ports[0].podPort.port: missing" },
	{ POD("'apps':[" APP("a", WITH_PORTS(HTTP)) "," APP(
		  "b", WITH_PORTS(HTTP)) "],"
					 "'ports':[{'name':'http','hostPort':80}]"),
	  ".ports[0]: 'http' is the name of several ports" },
	{ POD("'userLabels':{'a':null}"), ".userLabels: 'a'" },
};

START_TEST(rules)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		auto_pod_manifest m = parse(rows[i].text, &e);

		ck_assert_msg(!m == !!rows[i].error, "%s: %s", rows[i].text, e.text);
		if (rows[i].error)
			expect_error(&e, rows[i].error);
	}
}
END_TEST

START_TEST(number_of_apps_is_bounded)
{
	struct err e = ERR_INIT;
	auto_json pod = json_pack("{s:s, s:[]}", "acKind", "PodManifest", "apps");
	auto_free char *text = NULL;

	for (int i = 0; i <= POD_APPS_MAX; i++) {
		auto_free char *name = xasprintf("a%d", i);

		json_array_append_new(json_object_get(pod, "apps"),
				      json_pack("{s:s, s:{s:s}}", "name", name, "image", "id", "sha512-00"));
	}
	text = json_text(pod, JSON_LINE);
	ck_assert_ptr_null(pod_manifest_parse(text, strlen(text), &e));
	expect_error(&e, ".apps: 65 apps are more than 64");
}
END_TEST

int main(void)
{
	return SUITE_RUN("pod_manifest", everything_survives, empty_lists_are_null_as_go_writes_them,
			 what_may_be_missing, rules, number_of_apps_is_bounded);
}
