/* ports: the maps of a pod, one a port of a range, and their JSON. */
#include "tests/unit/suite.h"

#include <arpa/inet.h>

#include "schema/portspec.h"
#include "stage1/net/ports.h"
#include "tests/unit/schemacheck.h"

#define POD(ports)                                                                                           \
	"{'acKind':'PodManifest','acVersion':'0.8.11','apps':[{'name':'a','image':{'id':'sha512-00'}},"      \
	"{'name':'b','image':{'id':'sha512-00'},'app':{'exec':['/x'],'user':'0','group':'0','ports':["       \
	"{'name':'http','protocol':'tcp','port':80},{'name':'bus','protocol':'sctp','port':9},"              \
	"{'name':'rtp','protocol':'udp','port':5000,'count':3}]}}],'ports':[" ports "]}"

/* App a has no ports, and neither it nor its image has a section. */
static int maps_of(const char *text, struct port_maps *ret, struct err *e)
{
	auto_free char *json = quoted(text);
	auto_pod_manifest m = pod_manifest_parse(json, strlen(json), e);
	const struct app *apps[2] = { NULL, NULL };

	ck_assert_msg(m != NULL, "%s", e->text);
	apps[1] = m->apps[1].app;
	return port_maps_of_pod(m, apps, ret, e);
}

static const struct {
	const char *pod, *maps;
} good[] = {
	{ POD(""), "[]" },
	{ POD("{'name':'http','hostPort':8080}"), "[{'hostPort':8080,'containerPort':80,'protocol':'tcp'}]" },
	{ POD("{'name':'http','hostPort':8080,'hostIP':'0.0.0.0'}"),
	  "[{'hostPort':8080,'containerPort':80,'protocol':'tcp','hostIP':'0.0.0.0'}]" },
	{ POD("{'name':'rtp','hostPort':65533,'hostIP':'FD00::1'}"),
	  "[{'hostPort':65533,'containerPort':5000,'protocol':'udp','hostIP':'fd00::1'},"
	  "{'hostPort':65534,'containerPort':5001,'protocol':'udp','hostIP':'fd00::1'},"
	  "{'hostPort':65535,'containerPort':5002,'protocol':'udp','hostIP':'fd00::1'}]" },
	{ POD("{'name':'http','hostPort':1,'podPort':{'name':'x','protocol':'udp','port':7}}"),
	  "[{'hostPort':1,'containerPort':7,'protocol':'udp'}]" },
	{ POD("{'name':'new','hostPort':1,'hostIP':'::ffff:10.0.0.1','podPort':{'name':'new','port':7}}"),
	  "[{'hostPort':1,'containerPort':7,'protocol':'tcp','hostIP':'10.0.0.1'}]" },
};

START_TEST(maps_and_their_json)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct port_maps l = { NULL, 0 }, back = { NULL, 0 };
		struct err e = ERR_INIT;
		auto_json j = NULL;

		OK(maps_of(good[i].pod, &l, &e));
		j = port_maps_to_json(&l);
		expect_text(json_incref(j), good[i].maps);
		OK(port_maps_from_json(j, &back, &e));
		expect_text(port_maps_to_json(&back), good[i].maps);
		free(l.v);
		free(back.v);
	}
}
END_TEST

START_TEST(families)
{
	struct port_maps l = { NULL, 0 };
	struct err e = ERR_INIT;
	char text[PORT_MAP_TEXT_MAX];

	OK(maps_of(POD("{'name':'http','hostPort':1},{'name':'http','hostPort':2,'hostIP':'127.0.0.1'},"
		       "{'name':'rtp','hostPort':3,'hostIP':'::1'}"),
		   &l, &e));
	ck_assert_uint_eq(l.n, 5);
	ck_assert_int_eq(l.v[0].family, AF_UNSPEC);
	ck_assert_int_eq(l.v[1].family, AF_INET);
	ck_assert_uint_eq(ntohl(l.v[1].host.v4.s_addr), INADDR_LOOPBACK);
	ck_assert_int_eq(l.v[2].family, AF_INET6);
	ck_assert(IN6_IS_ADDR_LOOPBACK(&l.v[2].host.v6));
	ck_assert_str_eq(port_map_text(&l.v[0], text), "1/tcp");
	ck_assert_str_eq(port_map_text(&l.v[1], text), "127.0.0.1:2/tcp");
	ck_assert_str_eq(port_map_text(&l.v[4], text), "[::1]:5/udp");
	free(l.v);
}
END_TEST

static const struct {
	const char *pod;
	int code;
} bad[] = {
	{ POD("{'name':'smtp','hostPort':25}"), ENOENT },
	{ POD("{'name':'bus','hostPort':25}"), EPROTONOSUPPORT },
	{ POD("{'name':'rtp','hostPort':65534}"), ERANGE },
	{ POD("{'name':'http','hostPort':80},{'name':'http','hostPort':80,'hostIP':'127.0.0.1'}"), EEXIST },
};

START_TEST(pods_that_are_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct port_maps l = { NULL, 42 };
		struct err e = ERR_INIT;

		ck_assert_int_eq(maps_of(bad[i].pod, &l, &e), -bad[i].code);
		ck_assert_uint_eq(l.n, 42);
	}
}
END_TEST

static const struct {
	const char *json, *why;
} damaged[] = {
	{ "{}", "portMappings: array expected" },
	{ "[1]", "portMappings[0]: object expected" },
	{ "[{'hostPort':1,'containerPort':1,'protocol':'tcp'},{'hostPort':0,'containerPort':1,'protocol':'"
	  "tcp'}]",
	  "portMappings[1].hostPort" },
	{ "[{'hostPort':1,'containerPort':65536,'protocol':'tcp'}]", "portMappings[0].containerPort" },
	{ "[{'hostPort':1,'containerPort':1}]", "portMappings[0].protocol" },
	{ "[{'hostPort':1,'containerPort':1,'protocol':'sctp'}]", "'sctp' is neither tcp nor udp" },
	{ "[{'hostPort':1,'containerPort':1,'protocol':'tcp','hostIP':'x'}]", "portMappings[0].hostIP: 'x'" },
};

START_TEST(records_that_are_damaged)
{
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		auto_json j = doc(damaged[i].json);
		struct port_maps l = { NULL, 42 };
		struct err e = ERR_INIT;

		ck_assert_int_lt(port_maps_from_json(j, &l, &e), 0);
		expect_error(&e, damaged[i].why);
		ck_assert_uint_eq(l.n, 42);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("ports", maps_and_their_json, families, pods_that_are_refused,
			 records_that_are_damaged);
}
