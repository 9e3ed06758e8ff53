/* app: the app section, member by member. */
#include "tests/unit/suite.h"

#include "base/strv.h"
#include "schema/app.h"
#include "tests/unit/schemacheck.h"

static const char full[] =
	"{'exec':['/bin/sh','-c','exit 7'],"
	"'eventHandlers':[{'name':'pre-start','exec':['/pre']},{'name':'post-stop','exec':['/post','x']}],"
	"'user':'100','group':'300','supplementaryGIDs':[400,4294967294],'workingDirectory':'/opt/work',"
	"'environment':[{'name':'A','value':'1'}],"
	"'mountPoints':[{'name':'work','path':'/var/lib/work','readOnly':true}],"
	"'ports':[{'name':'http','protocol':'tcp','port':80,'count':2,'socketActivated':true}],"
	"'isolators':[{'name':'resource/cpu','value':{'limit':'4'}},{'name':'example.com/x','value':null}],"
	"'userAnnotations':{'a':'b'},'userLabels':{'c':'d'}}";

START_TEST(everything_survives)
{
	struct err e = ERR_INIT;
	auto_json in = doc(full);
	struct app *a = app_from_json(in, ".app", &e), *copy;

	ck_assert_msg(a != NULL, "%s", e.text);
	ck_assert_uint_eq(strv_len(a->exec), 3);
	ck_assert_str_eq(a->post_stop[1], "x");
	ck_assert_uint_eq(a->gids[1], 4294967294u);
	ck_assert_uint_eq(a->ports.v[0].count, 2);
	copy = app_copy(a);
	expect_text(app_to_json(a), full);
	app_free(a);
	expect_text(app_to_json(copy), full);
	app_free(copy);
	app_free(NULL);
}
END_TEST

/* Members beside user and group; @out NULL: refused with @error. */
static const struct {
	const char *members, *out, *error;
} rows[] = {
	{ "'x':0", "{'exec':[],'user':'u','group':'g'}", NULL },
	{ "'exec':null,'eventHandlers':null,'ports':[]", "{'exec':[],'user':'u','group':'g'}", NULL },
	{ "'exec':['']", "{'exec':[''],'user':'u','group':'g'}", NULL },
	{ "'exec':'sh'", NULL, ".app.exec: array expected" },
	{ "'exec':[1]", NULL, ".app.exec[0]: string expected" },
	{ "'exec':['a',null]", NULL, ".app.exec[1]: string expected" },
	{ "'supplementaryGids':[1]", "{'exec':[],'user':'u','group':'g','supplementaryGIDs':[1]}", NULL },
	{ "'supplementaryGIDs':[-1]", NULL, ".app.supplementaryGIDs[0]: group id expected" },
	{ "'supplementaryGIDs':[4294967295]", NULL, "[0]: group id expected" },
	{ "'supplementaryGIDs':['1']", NULL, "[0]: group id expected" },
	{ "'supplementaryGIDs':[1.0]", NULL, "[0]: group id expected" },
	{ "'eventHandlers':[{'name':'pre-stop','exec':['x']}]", NULL,
	  ".app.eventHandlers[0].name: 'pre-stop' is not an event" },
	{ "'eventHandlers':[{'name':'pre-start','exec':['x']},{'name':'pre-start','exec':['y']}]", NULL,
	  ".app.eventHandlers[1].name: 'pre-start' is given twice" },
	{ "'eventHandlers':[{'name':'pre-start','exec':[]}]", NULL, ".app.eventHandlers[0].exec: empty" },
	{ "'eventHandlers':['x']", NULL, ".app.eventHandlers[0]: object expected" },
	{ "'workingDirectory':''", "{'exec':[],'user':'u','group':'g'}", NULL },
	{ "'workingDirectory':'x'", NULL, ".app.workingDirectory: 'x' is not an absolute path" },
	{ "'workingDirectory':'/a/../b'", "{'exec':[],'user':'u','group':'g','workingDirectory':'/a/../b'}",
	  NULL },
	{ "'environment':[{'name':'1','value':''}]", NULL, ".app.environment[0].name: '1'" },
	{ "'mountPoints':[{'name':'a','path':'x'}]", NULL, ".app.mountPoints[0].path: 'x'" },
	{ "'ports':[{'name':'a','port':80}]",
	  "{'exec':[],'user':'u','group':'g',"
	  "'ports':[{'name':'a','protocol':'tcp','port':80,'count':1,'socketActivated':false}]}",
	  NULL },
	{ "'ports':[{'name':'a','protocol':'sctp','port':65535,'count':0}]",
	  "{'exec':[],'user':'u','group':'g',"
	  "'ports':[{'name':'a','protocol':'sctp','port':65535,'count':1,'socketActivated':false}]}",
	  NULL },
	{ "'ports':[{'name':'a','port':0}]", NULL, ".app.ports[0].port: 0 is not between 1 and 65535" },
	{ "'ports':[{'name':'a','port':65536}]", NULL, "65536 is not between" },
	{ "'ports':[{'name':'a','port':65535,'count':2}]", NULL,
	  ".app.ports[0]: ports 65535 to 65536 end above 65535" },
	{ "'ports':[{'name':'a','port':'80'}]", NULL, ".app.ports[0].port: integer expected" },
	{ "'ports':[{'name':'a','port':8e1}]", NULL, ".app.ports[0].port: integer expected" },
	{ "'ports':[{'name':'a'}]", NULL, ".app.ports[0].port: missing" },
	{ "'isolators':[{'name':'resource/cpu'}]", NULL, ".app.isolators[0].value: missing" },
	{ "'userLabels':{'a':1}", NULL, ".app.userLabels: 'a' has a value that is not a string" },
	{ "'userAnnotations':[]", NULL, ".app.userAnnotations: object expected" },
};

START_TEST(members)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf("{'user':'u','group':'g',%s}", rows[i].members);
		auto_json in = doc(text);
		struct err e = ERR_INIT;
		struct app *a = app_from_json(in, ".app", &e);

		ck_assert_msg(!a == !rows[i].out, "%s: %s", text, e.text);
		if (a)
			expect_text(app_to_json(a), rows[i].out);
		else
			expect_error(&e, rows[i].error);
		app_free(a);
	}
}
END_TEST

static const struct {
	const char *text, *error;
} identities[] = {
	{ "{'group':'0'}", ".app.user: missing" },
	{ "{'user':'0'}", ".app.group: missing" },
	{ "{'user':'','group':'0'}", ".app.user: '' is not a user" },
	{ "{'user':'0','group':''}", ".app.group: '' is not a group" },
	{ "{'user':0,'group':'0'}", ".app.user: string expected" },
	{ "{'user':null,'group':'0'}", ".app.user: missing" },
	{ "[]", ".app: object expected" },
};

START_TEST(user_and_group_are_needed)
{
	for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
		auto_json in = doc(identities[i].text);
		struct err e = ERR_INIT;

		ck_assert_ptr_null(app_from_json(in, ".app", &e));
		expect_error(&e, identities[i].error);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("app", everything_survives, members, user_and_group_are_needed);
}
