/* oci/appview: the config of an image as the manifest that pods are prepared from. */
#include "tests/unit/suite.h"

#include "base/strv.h"
#include "oci/appview.h"
#include "oci/platform.h"
#include "tests/unit/schemacheck.h"

#define HEAD "{'os':'linux','architecture':'arm64','rootfs':{'type':'layers','diff_ids':[]},"

static const struct oci_origin origin = {
	.name = "localhost:5000/a/b",
	.tag = "v1",
	.original = "docker://localhost:5000/a/b:v1",
	.host = "localhost:5000",
	.repository = "a/b",
};

/* The view of the image whose config goes on with @rest behind HEAD; NULL and @e. */
static struct image_manifest *view(const char *rest, char ***warnings, struct err *e)
{
	auto_free char *text = xasprintf(HEAD "%s", rest), *s = quoted(text);
	struct oci_config c;
	struct image_manifest *m;

	ck_assert_msg(oci_config_parse(s, strlen(s), &c, e) == 0, "%s: %s", s, e->text);
	m = oci_app_view(&c, &origin, warnings, e);
	oci_config_done(&c);
	return m;
}

START_TEST(everything)
{
	static const char *const parts[] = {
		"'name':'localhost_5000/a/"
		"b','labels':[{'name':'arch','value':'aarch64'},{'name':'os','value':'linux'},"
		"{'name':'version','value':'v1'}]",
		"'exec':['/e','x','c'],'user':'bob','group':'staff'",
		"'workingDirectory':'/w'",
		"'environment':[{'name':'A','value':'2'},{'name':'B','value':'x=y'}]",
		"'name':'volume-data-db','path':'/Data/db'",
		"'name':'volume-data-db-1','path':'/data/db'",
		"'name':'volume-data-db-2','path':'/data-db'",
		"'name':'80-tcp','protocol':'tcp','port':80,'count':1",
		"'name':'8000-8010-udp','protocol':'udp','port':8000,'count':11",
		"'userLabels':{'k':'v'}",
		"{'name':'author','value':'me'},{'name':'authors','value':'me'},"
		"{'name':'created','value':'2020-01-01T00:00:00Z'},"
		"{'name':'appc.io/docker/originalname','value':'docker://localhost:5000/a/b:v1'},"
		"{'name':'appc.io/docker/registryurl','value':'localhost:5000'},"
		"{'name':'appc.io/docker/repository','value':'a/b'},",
		"{'name':'appc.io/docker/cmd','value':'[\\'c\\']'}",
		"{'name':'appc.io/docker/stopsignal','value':'SIGQUIT'}",
		"'appc.io/docker/healthcheck'",
	};
	struct err e = ERR_INIT;
	auto_strv warnings = NULL;
	auto_image_manifest m = view(
		"'author':'me','created':'2020-01-01T00:00:00Z','config':{'Entrypoint':['/"
		"e','x'],'Cmd':['c'],"
		"'User':'bob:staff','WorkingDir':'srv/../w','Env':['A=1','B=x=y','A=2','C','1 D=3'],"
		"'Volumes':{'/data/db':{},'data-db':{},'/Data/db/':{}},'Labels':{'k':'v'},"
		"'ExposedPorts':{'80/tcp':{},'8000-8010/UDP':{}},'StopSignal':'SIGQUIT',"
		"'Healthcheck':{'Test':['NONE']}}}",
		&warnings, &e);

	ck_assert_msg(m != NULL, "%s", e.text);
	auto_json doc_out = image_manifest_to_json(m);
	auto_free char *got = json_text(doc_out, JSON_LINE);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		auto_free char *part = quoted(parts[i]);

		ck_assert_msg(strstr(got, part) != NULL, "no %s in %s", part, got);
	}
	ck_assert_uint_eq(m->app->env.n, 2);
	ck_assert_uint_eq(m->app->mount_points.n, 3);
	ck_assert_uint_eq(strv_len(warnings), 2);
	ck_assert_ptr_nonnull(strstr(warnings[1], "\"1 D\" of the image cannot be set"));
}
END_TEST

START_TEST(exec_of_entrypoint_and_cmd)
{
	static const struct {
		const char *rest, *exec;
	} rows[] = {
		{ "'config':{'Entrypoint':['/e'],'Cmd':['a','b']}}", "/e a b" },
		{ "'config':{'Entrypoint':[''],'Cmd':['a']}}", "a" },
		{ "'config':{'Entrypoint':null,'Cmd':['a']}}", "a" },
		{ "'config':{'Entrypoint':['/e']}}", "/e" },
		{ "'config':{}}", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		auto_strv warnings = NULL;
		auto_image_manifest m = view(rows[i].rest, &warnings, &e);

		ck_assert_msg(m != NULL, "%s", e.text);
		auto_free char *got = strv_join(m->app->exec, " ");

		ck_assert_str_eq(got, rows[i].exec);
	}
}
END_TEST

START_TEST(users_and_groups)
{
	static const struct {
		const char *rest, *user, *group;
	} rows[] = {
		{ "'config':{}}", "0", "0" },
		{ "'config':{'User':'bob'}}", "bob", "bob" },
		{ "'config':{'User':'1:2'}}", "1", "2" },
		{ "'config':{'User':'bob:'}}", "bob", "bob" },
		{ "'config':{'User':':staff'}}", "0", "staff" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		auto_strv warnings = NULL;
		auto_image_manifest m = view(rows[i].rest, &warnings, &e);

		ck_assert_msg(m != NULL, "%s", e.text);
		ck_assert_str_eq(m->app->user, rows[i].user);
		ck_assert_str_eq(m->app->group, rows[i].group);
	}
}
END_TEST

START_TEST(what_cannot_be)
{
	static const struct {
		const char *rest, *why;
	} rows[] = {
		{ "'config':{'Volumes':{'/':{}}}}", "cannot be a volume" },
		{ "'config':{'Volumes':{'/a/..':{}}}}", "cannot be a volume" },
		{ "'config':{'ExposedPorts':{'0':{}}}}", "is not PORT" },
		{ "'config':{'ExposedPorts':{'90-80':{}}}}", "is not PORT" },
		{ "'config':{'ExposedPorts':{'65536':{}}}}", "is not PORT" },
		{ "'config':{'ExposedPorts':{'80/http':{}}}}", "is not PORT" },
		{ "'config':{'ExposedPorts':{'80-':{}}}}", "is not PORT" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		auto_strv warnings = NULL;
		auto_image_manifest m = view(rows[i].rest, &warnings, &e);

		ck_assert_msg(m == NULL, "taken: %s", rows[i].rest);
		ck_assert_msg(strstr(e.text, rows[i].why) != NULL, "%s", e.text);
	}
}
END_TEST

START_TEST(architectures)
{
	static const struct {
		const char *oci, *variant, *appc;
	} rows[] = { { "amd64", "v2", "amd64" }, { "arm64", "v8", "aarch64" }, { "arm", NULL, "armv7l" },
		     { "arm", "v6", "armv6l" },  { "arm", "v5", NULL },        { "386", NULL, "i386" },
		     { "vax", NULL, NULL } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct oci_platform p = { .architecture = xstrdup(rows[i].oci),
					  .variant = xstrdup(rows[i].variant) };
		const char *got = oci_platform_appc_arch(&p);

		ck_assert_msg(got == rows[i].appc || (got && rows[i].appc && strcmp(got, rows[i].appc) == 0),
			      "row %zu: %s", i, got ? got : "none");
		oci_platform_done(&p);
	}
}
END_TEST

START_TEST(a_base)
{
	struct err e = ERR_INIT;
	auto_strv warnings = NULL;
	auto_image_manifest m = view("'created':'yesterday'}", &warnings, &e);

	ck_assert_msg(m != NULL, "%s", e.text);
	ck_assert_ptr_null(m->app);
	ck_assert_ptr_null(pairs_get(&m->annotations, "created"));
	ck_assert_str_eq(pairs_get(&m->annotations, "appc.io/docker/repository"), "a/b");
}
END_TEST

int main(void)
{
	return SUITE_RUN("oci_appview", everything, exec_of_entrypoint_and_cmd, users_and_groups,
			 what_cannot_be, architectures, a_base);
}
