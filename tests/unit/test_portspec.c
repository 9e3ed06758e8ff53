/* portspec: the grammars of --port, from names and numbers to ports of apps, and ports that clash. */
#include "tests/unit/suite.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "schema/portspec.h"
#include "tests/unit/schemacheck.h"

/* ---- texts ---- */

/* "NAME PROTOCOL IP HOSTPORT PODPORT"; heap. */
static char *shown(const struct port_spec *s)
{
	return xasprintf("%s %s %s %u %u", s->name, s->protocol ? s->protocol : "-",
			 s->host_ip ? s->host_ip : "*", (unsigned int)s->host_port,
			 (unsigned int)s->pod_port);
}

static const struct {
	const char *text, *want; /* NULL: refused */
} shorts[] = {
	{ "web:8080", "web - * 8080 0" },
	{ "web:1", "web - * 1 0" },
	{ "web:65535/udp", "web udp * 65535 0" },
	{ "80-tcp:8080/tcp", "80-tcp tcp * 8080 0" },
	{ "80:8080", "80 - * 8080 0" },
	{ "80/tcp:8080", "80/tcp - * 8080 0" },
	{ "web:127.0.0.1:8080", "web - 127.0.0.1 8080 0" },
	{ "web:0.0.0.0:8080", "web - 0.0.0.0 8080 0" },
	{ "web:[::1]:8080", "web - ::1 8080 0" },
	{ "web:[2001:DB8:0::1]:8080/tcp", "web tcp 2001:db8::1 8080 0" },
	{ "web:[::ffff:10.1.2.3]:80", "web - 10.1.2.3 80 0" },
	{ "", NULL },
	{ "web", NULL },
	{ "web:", NULL },
	{ ":8080", NULL },
	{ "Web:8080", NULL },
	{ "web_1:8080", NULL },
	{ "web:0", NULL },
	{ "web:65536", NULL },
	{ "web:+80", NULL },
	{ "web:-80", NULL },
	{ "web: 80", NULL },
	{ "web:80 ", NULL },
	{ "web:080", NULL },
	{ "web:0x50", NULL },
	{ "web:80/", NULL },
	{ "web:80/TCP", NULL },
	{ "web:80/sctp", NULL },
	{ "web:80/tcp/udp", NULL },
	{ "80/sctp:80", NULL },
	{ "0/tcp:80", NULL },
	{ "web/tcp:80", NULL },
	{ "web::80", NULL },
	{ "web:::1:80", NULL },
	{ "web:::80", NULL },
	{ "web:[]:80", NULL },
	{ "web:[::1]", NULL },
	{ "web:[::1]80", NULL },
	{ "web:[::1:80", NULL },
	{ "web:::1]:80", NULL },
	{ "web:[127.0.0.1]:80", NULL },
	{ "web:[fe80::1%eth0]:80", NULL },
	{ "web:127.0.0.01:80", NULL },
	{ "web:127.1:80", NULL },
	{ "web:localhost:80", NULL },
	{ "web:1.2.3.4:5.6.7.8:80", NULL },
	{ "web:tcp:80:0.0.0.0:8080", NULL },
}, fulls[] = {
	{ "web:tcp:80:0.0.0.0:8080", "web tcp 0.0.0.0 8080 80" },
	{ "dns:udp:53:[::1]:5353", "dns udp ::1 5353 53" },
	{ "web:tcp:80::8080", "web tcp * 8080 80" },
	{ "web:tcp:80:8080", NULL },
	{ "web:tcp:80", NULL },
	{ "web", NULL },
	{ "", NULL },
	{ "web:sctp:80:0.0.0.0:8080", NULL },
	{ "web:TCP:80:0.0.0.0:8080", NULL },
	{ "web:tcp:0:0.0.0.0:8080", NULL },
	{ "web:tcp:80:0.0.0.0:0", NULL },
	{ "web:tcp:80:0.0.0.0:65536", NULL },
	{ "web:tcp:80:::1:8080", NULL },
	{ "web:tcp:80:0.0.0.0:8080:9", NULL },
	{ "80/tcp:tcp:80:0.0.0.0:8080", NULL },
	{ "web:tcp:80:[::1]", NULL },
};

static void try_text(const char *text, const char *want,
		     int (*parse)(const char *, struct port_spec *, struct err *))
{
	struct port_spec s = { .name = NULL };
	struct port_specs l = { NULL, 0 };
	struct err e = ERR_INIT;
	int r = parse(text, &s, &e);

	if (!want) {
		ck_assert_msg(r == -EINVAL, "\"%s\" is accepted", text);
		ck_assert_int_eq(e.cls, ERR_USAGE);
		ck_assert_ptr_nonnull(strstr(e.text, text));
		ck_assert_ptr_null(s.name);
		return;
	}
	ck_assert_msg(r == 0, "\"%s\": %s", text, e.text);
	auto_free char *got = shown(&s);
	ck_assert_str_eq(got, want);
	port_specs_push_take(&l, &s);
	ck_assert_ptr_null(s.name);
	port_specs_done(&l);
}

START_TEST(what_is_said_about_apps)
{
	for (size_t i = 0; i < ARRAY_LEN(shorts); i++)
		try_text(shorts[i].text, shorts[i].want, port_spec_parse);
}
END_TEST

START_TEST(what_is_said_about_a_sandbox)
{
	for (size_t i = 0; i < ARRAY_LEN(fulls); i++)
		try_text(fulls[i].text, fulls[i].want, port_spec_parse_full);
}
END_TEST

/* ---- pods ---- */

#define APP(name, ports)                                                                                     \
	"{'name':'" name                                                                                     \
	"','image':{'id':'sha512-00'},'app':{'exec':['/x'],'user':'0','group':'0','ports':[" ports "]}}"
#define PORT(name, proto, rest) "{'name':'" name "','protocol':'" proto "','port':" rest "}"

/* web: http 80/tcp, rtp 5000-5009/udp, shared 1/tcp; docker: 53-tcp, 53-udp, shared 2/tcp, bus 9/sctp */
#define TWO_APPS                                                                                             \
	APP("web", PORT("http", "tcp", "80") "," PORT("rtp", "udp", "5000,'count':10") "," PORT("shared",    \
												"tcp", "1")) \
	"," APP("docker", PORT("53-tcp", "tcp", "53") "," PORT("53-udp", "udp", "53") "," PORT(              \
				  "shared", "tcp", "2") "," PORT("bus", "sctp", "9"))

static struct pod_manifest *pod_of(const char *apps, const char *ports)
{
	auto_free char *text = xasprintf(
		"{'acKind':'PodManifest','acVersion':'0.8.11','apps':[%s],'ports':[%s]}", apps, ports);
	auto_free char *json = quoted(text);
	struct err e = ERR_INIT;
	struct pod_manifest *m = pod_manifest_parse(json, strlen(json), &e);

	ck_assert_msg(m != NULL, "%s", e.text);
	return m;
}

/* --port=@a [--port=@b] in the pod of TWO_APPS: applied and checked. */
static int publish(const char *a, const char *b, struct pod_manifest **ret, struct err *e)
{
	const char *const values[] = { a, b };
	const struct app *apps[2];
	struct port_specs l = { NULL, 0 };
	auto_pod_manifest m = pod_of(TWO_APPS, "");
	int r;

	for (size_t i = 0; i < 2 && values[i]; i++) {
		struct port_spec s;

		ck_assert_int_eq(port_spec_parse(values[i], &s, e), 0);
		port_specs_push_take(&l, &s);
	}
	r = port_specs_apply(&l, m, e);
	apps[0] = m->apps[0].app;
	apps[1] = m->apps[1].app;
	if (r == 0)
		r = exposed_ports_check(m, apps, e);
	port_specs_done(&l);
	if (r == 0)
		*ret = steal_ptr(&m);
	return r;
}

static const struct {
	const char *a, *b, *want; /* the manifest's "ports" as JSON with ' */
} good[] = {
	{ "http:8080", NULL, "[{'name':'http','hostPort':8080}]" },
	{ "http:127.0.0.1:8080/tcp", "53-udp:[::1]:53/udp",
	  "[{'name':'http','hostPort':8080,'hostIP':'127.0.0.1'},{'name':'53-udp','hostPort':53,'hostIP':'::"
	  "1'}]" },
	/* a number that is no name */
	{ "80:8080", NULL,
	  "[{'name':'http','hostPort':8080,'podPort':{'name':'http','protocol':'tcp','port':80,'count':1,"
	  "'socketActivated':false}}]" },
	{ "53/udp:53", "53:54/tcp",
	  "[{'name':'53-udp','hostPort':53,'podPort':{'name':'53-udp','protocol':'udp','port':53,'count':1,"
	  "'socketActivated':false}},{'name':'53-tcp','hostPort':54,'podPort':{'name':'53-tcp','protocol':'"
	  "tcp',"
	  "'port':53,'count':1,'socketActivated':false}}]" },
	/* one of a range */
	{ "5009:6000", NULL,
	  "[{'name':'rtp','hostPort':6000,'podPort':{'name':'rtp','protocol':'udp','port':5009,'count':1,"
	  "'socketActivated':false}}]" },
	/* the number of a port whose name several apps have */
	{ "2:2000", NULL,
	  "[{'name':'shared','hostPort':2000,'podPort':{'name':'shared','protocol':'tcp','port':2,'count':1,"
	  "'socketActivated':false}}]" },
	/* neighbours */
	{ "rtp:6000", "80:6010", NULL },
	{ "rtp:6000", "http:6005", NULL }, /* another protocol */
	{ "http:127.0.0.1:80", "53-tcp:127.0.0.2:80", NULL },
	{ "http:0.0.0.0:80", "53-tcp:[::]:80", NULL },
	{ "rtp:65526", NULL, NULL },
};

START_TEST(ports_that_are_published)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		auto_pod_manifest m = NULL;
		auto_json j = NULL;
		struct err e = ERR_INIT;

		OK(publish(good[i].a, good[i].b, &m, &e));
		j = pod_manifest_to_json(m);
		if (good[i].want)
			expect_text(json_incref(json_object_get(j, "ports")), good[i].want);
	}
}
END_TEST

static const struct {
	const char *a, *b;
	int code;
	const char *why;
} bad[] = {
	{ "nil:1", NULL, ENOENT,
	  "port 'nil': no app declares it; there are: http (80/tcp of app 'web'), rtp (5000-5009/udp" },
	{ "81:1", NULL, ENOENT, "port '81': no app" },
	{ "80/udp:1", NULL, ENOENT, "port '80/udp': no app" },
	{ "5010:1", NULL, ENOENT, "port '5010': no app" },
	{ "shared:1", NULL, EEXIST,
	  "port 'shared': ambiguous, since there are: shared (1/tcp of app 'web'), shared (2/tcp of app "
	  "'docker')" },
	{ "53:1", NULL, EEXIST,
	  "port '53': ambiguous, since there are: 53-tcp (53/tcp of app 'docker'), 53-udp (53/udp" },
	{ "http:1/udp", NULL, EPROTOTYPE, "port 'http': it is a port of tcp, not of udp" },
	{ "53/udp:1/tcp", NULL, EPROTOTYPE, "port '53/udp': it is a port of udp, not of tcp" },
	{ "bus:1", NULL, EPROTONOSUPPORT, "port 'bus': protocol 'sctp': only tcp and udp" },
	{ "rtp:65527", NULL, ERANGE, "port 'rtp': 10 ports from 65527 on end above 65535" },
	{ "http:80", "53-tcp:80", EEXIST,
	  "ports 'http' and '53-tcp' want the same port of the host, 80/tcp" },
	{ "http:80", "53-tcp:127.0.0.1:80", EEXIST, "same port" },
	{ "http:80", "53-tcp:[::1]:80", EEXIST, "same port" },
	{ "http:0.0.0.0:80", "53-tcp:10.0.0.1:80", EEXIST, "same port" },
	{ "http:[::]:80", "53-tcp:[fd00::1]:80", EEXIST, "same port" },
	{ "http:10.0.0.1:80", "53-tcp:[::ffff:10.0.0.1]:80", EEXIST, "same port" },
	{ "http:80", "http:80", EEXIST, "same port" },
	{ "rtp:6000", "53-udp:6009", EEXIST,
	  "ports 'rtp' and '53-udp' want the same port of the host, 6009/udp" },
	{ "53-udp:6000", "rtp:5991", EEXIST, "6000/udp" },
};

START_TEST(ports_that_are_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_pod_manifest m = NULL;
		struct err e = ERR_INIT;

		ck_assert_msg(publish(bad[i].a, bad[i].b, &m, &e) == -bad[i].code, "%s %s: \"%s\"", bad[i].a,
			      bad[i].b ? bad[i].b : "", e.text);
		expect_error(&e, bad[i].why);
	}
}
END_TEST

START_TEST(pods_that_declare_no_port)
{
	auto_pod_manifest m = pod_of("", "");
	struct port_specs l = { NULL, 0 };
	struct port_spec s;
	struct err e = ERR_INIT;

	OK(port_spec_parse("web:80", &s, &e));
	port_specs_push_take(&l, &s);
	ck_assert_int_eq(port_specs_apply(&l, m, &e), -ENOENT);
	expect_error(&e, "port 'web': no app declares any port");
	port_specs_done(&l);
}
END_TEST

START_TEST(a_sandbox_has_no_apps)
{
	auto_pod_manifest m = pod_of("", "");
	struct port_specs l = { NULL, 0 };
	struct port_spec s;
	struct err e = ERR_INIT;
	auto_json j = NULL;

	OK(port_spec_parse_full("dns:udp:53:[::1]:5353", &s, &e));
	port_specs_push_take(&l, &s);
	OK(port_specs_apply(&l, m, &e));
	OK(exposed_ports_check(m, NULL, &e));
	j = pod_manifest_to_json(m);
	expect_text(json_incref(json_object_get(j, "ports")),
		    "[{'name':'dns','hostPort':5353,'hostIP':'::1','podPort':{'name':'dns','protocol':'udp','"
		    "port':53,"
		    "'count':1,'socketActivated':false}}]");
	port_specs_done(&l);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
	auto_pod_manifest m = pod_of(
		APP("a", PORT("all", "udp", "1,'count':4096") "," PORT("more", "udp", "9000")),
		"{'name':'all','hostPort':1},{'name':'more','hostPort':9000}");
	const struct app *apps[] = { m->apps[0].app };
	struct err e = ERR_INIT;

	ck_assert_int_eq(exposed_ports_check(m, apps, &e), -E2BIG);
	expect_error(&e, "port 'more': more than 4096 ports are published");
	m->nports = 1;
	OK(exposed_ports_check(m, apps, &e));
	m->nports = 2;
}
END_TEST

int main(void)
{
	return SUITE_RUN("portspec", what_is_said_about_apps, what_is_said_about_a_sandbox,
			 ports_that_are_published, ports_that_are_refused, pods_that_declare_no_port,
			 a_sandbox_has_no_apps, no_more_than_there_is_room_for);
}
