/* cni: what plugins are given, and what is taken from them. */
#include "stage1/net/cni.h"

#include "stage1/net/exact.h"
#include "suite.h"

static struct net_conf *conf(const char *text)
{
	struct err e = ERR_INIT;
	struct net_conf *c = net_conf_parse(text, strlen(text), "x.conflist", &e);

	ck_assert_msg(c != NULL, "%s", e.text);
	return c;
}

static json_t *json(const char *text)
{
	struct err e = ERR_INIT;
	json_t *j = json_parse(text, strlen(text), &e);

	ck_assert_msg(j != NULL, "%s", e.text);
	return j;
}

START_TEST(configuration)
{
	struct net_conf *c = conf(
		"{\"name\":\"n\",\"cniVersion\":\"0.4.0\",\"plugins\":[{\"Name\":\"other\",\"type\":\"a\","
		"\"mtu\":1500.0,"
		"\"CniVersion\":\"0.4.0\",\"prevResult\":{\"x\":1},\"runtimeConfig\":{\"mac\":\"stale\"},"
		"\"capabilities\":{\"ips\":true,\"mac\":false,\"aliases\":true}},{\"type\":\"b\",\"list\":["
		"1e3]}]}");
	auto_json runtime = json(
		"{\"ips\":[\"10.0.0.2\"],\"mac\":\"00:00:00:00:00:01\",\"portMappings\":[]}");
	auto_json prev = json(
		"{\"interfaces\":[{\"name\":\"veth1\"},{\"name\":\"eth0\",\"sandbox\":\"/proc/6/fd/3\"}]}");
	auto_free char *first = cni_config(c, 0, NULL, "/proc/7/fd/3", runtime),
		       *second = cni_config(c, 1, prev, "/proc/7/fd/3", runtime);

	ck_assert_str_eq(first, "{\"type\":\"a\",\"mtu\":1500.0,\"name\":\"n\",\"cniVersion\":\"0.4.0\","
				"\"runtimeConfig\":{\"ips\":[\"10.0.0.2\"]}}");
	ck_assert_str_eq(second, "{\"type\":\"b\",\"list\":[1e3],\"name\":\"n\",\"cniVersion\":\"0.4.0\","
				 "\"prevResult\":{\"interfaces\":[{\"name\":\"veth1\"},{\"name\":\"eth0\","
				 "\"sandbox\":\"/proc/7/fd/3\"}]}}");
	/* A namespace that is gone is no host, and not whose number it was. */
	auto_free char *gone = cni_config(c, 1, prev, "", runtime);
	ck_assert_ptr_nonnull(strstr(gone, "\"sandbox\":\"/proc/0/ns/net\""));
	/* The configuration itself is as it was. */
	ck_assert_ptr_nonnull(json_member(json_array_get(c->plugins, 0), "prevResult"));
	net_conf_free(c);
}
END_TEST

START_TEST(arguments)
{
	auto_free char *none = cni_args(""), *some = cni_args("IP=1.2.3.4;X=y"),
		       *said = cni_args("IgnoreUnknown=0;X=y");

	ck_assert_str_eq(none, "IgnoreUnknown=1");
	ck_assert_str_eq(some, "IgnoreUnknown=1;IP=1.2.3.4;X=y");
	ck_assert_str_eq(said, "IgnoreUnknown=0;X=y");
}
END_TEST

START_TEST(capabilities)
{
	static const struct {
		const char *declared, *args, *want, *why;
	} rows[] = {
		{ "ips", "IP=10.0.0.2;MAC=zz", "{\"ips\":[\"10.0.0.2\"]}", NULL },
		{ "ips", "ips=fd00::2/64;IP=10.0.0.2", "{\"ips\":[\"10.0.0.2\",\"fd00::2/64\"]}", NULL },
		{ "ips", "IP=10.0.0.2;IP6=fd00::2", "{\"ips\":[\"10.0.0.2\",\"fd00::2\"]}", NULL },
		{ "ips", "", "{}", NULL },
		{ "ips", "IP=10.0.0.300", NULL, "IP=10.0.0.300: address" },
		{ "ips", "IP=10.0.0.2/33", NULL, "address expected" },
		{ "mac", "mac=0a:00:00:00:00:Ff;IP=junk", "{\"mac\":\"0a:00:00:00:00:Ff\"}", NULL },
		{ "mac", "MAC=0a:00:00:00:00:0", NULL, "hardware address" },
		{ "mac", "MAC=0a-00-00-00-00-00", NULL, "hardware address" },
		{ "mac", "MAC=0a:00:00:00:00:00:00", NULL, "hardware address" },
		{ "bandwidth", "ingressRate=1000;ingressBurst=2000",
		  "{\"bandwidth\":{\"ingressRate\":1000,\"ingressBurst\":2000}}", NULL },
		{ "bandwidth", "egressRate=1;egressBurst=2;ingressRate=3;ingressBurst=4",
		  "{\"bandwidth\":{\"ingressRate\":3,\"ingressBurst\":4,\"egressRate\":1,\"egressBurst\":2}}",
		  NULL },
		{ "bandwidth", "egressRate=1", NULL, "egressRate and egressBurst go together" },
		{ "bandwidth", "ingressBurst=1", NULL, "ingressRate and ingressBurst go together" },
		{ "bandwidth", "egressRate=fast;egressBurst=1", NULL, "egressRate=fast: positive number" },
		{ "bandwidth", "egressRate=-1;egressBurst=1", NULL, "positive number" },
		{ "portMappings", "IP=junk;MAC=junk;egressRate=junk", "{}", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = NULL, *got = NULL;
		auto_json runtime = json_object();
		struct err e = ERR_INIT;
		struct net_conf *c;
		int r;

		ck_assert_int_ge(asprintf(&text,
					  "{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"},{\"type\":\"b\","
					  "\"capabilities\":{\"%s\":true}}]}",
					  rows[i].declared),
				 0);
		c = conf(text);
		r = cni_runtime_of_args(c, rows[i].args, runtime, &e);
		if (rows[i].want) {
			ck_assert_msg(r == 0, "%s: %s", rows[i].args, e.text);
			got = json_text(runtime, JSON_LINE);
			ck_assert_str_eq(got, rows[i].want);
		} else {
			ck_assert_int_eq(r, -EINVAL);
			ck_assert_int_eq(e.cls, ERR_USAGE);
			ck_assert_msg(strstr(e.text, rows[i].why) != NULL, "%s: %s", rows[i].args, e.text);
		}
		net_conf_free(c);
	}
}
END_TEST

START_TEST(answers)
{
	static const struct {
		const char *version, *out, *want, *why;
	} rows[] = {
		{ "1.0.0", "{\"cniVersion\":\"1.0.0\",\"ips\":[],\"x\":1.0}",
		  "{\"cniVersion\":\"1.0.0\",\"ips\":[],\"x\":1.0}", NULL },
		{ "0.2.0", "{\"ip4\":{}}\n", "{\"ip4\":{},\"cniVersion\":\"0.2.0\"}", NULL },
		{ "0.2.0", "{\"cniVersion\":\"0.1.0\"}", "{\"cniVersion\":\"0.2.0\"}", NULL },
		{ "0.4.0",
		  "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.1/8\"},{\"address\":\"fd00::1/"
		  "8\"}]}",
		  "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"address\":\"10.0.0.1/"
		  "8\",\"version\":\"4\"},{\"address\":\"fd00::1/8\",\"version\":\"6\"}]}",
		  NULL },
		{ "1.0.0",
		  "{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.1/8\"}]}",
		  "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.1/8\"}]}", NULL },
		{ "1.0.0", "{\"cniVersion\":\"0.2.0\"}", NULL, "answered in version \"0.2.0\"" },
		{ "0.1.0", "{\"cniVersion\":\"0.3.0\"}", NULL, "answered in version \"0.3.0\"" },
		{ "1.0.0", "{\"cniVersion\":\"1.1.0\"}", NULL, "answered in version \"1.1.0\"" },
		{ "1.0.0", "{\"cniVersion\":1}", NULL, "string expected" },
		{ "1.0.0", "", NULL, "exited 0 with no result" },
		{ "1.0.0", " \n", NULL, "exited 0 with no result" },
		{ "1.0.0", "{}", NULL, "exited 0 with no result" },
		{ "1.0.0", "null", NULL, "no object" },
		{ "1.0.0", "[{}]", NULL, "no object" },
		{ "1.0.0", "ok", NULL, "no JSON: line 1" },
		{ "1.0.0", "{\"ips\":[]} {}", NULL, "no JSON: line 1" },
		{ "1.0.0", "{\"cniVersion\":\"1.0.0\",\"code\":7,\"msg\":\"bad\"}", NULL,
		  "exited 0 with an error: bad" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = BUF_INIT;
		struct err e = ERR_INIT;

		buf_adds(&out, rows[i].out);
		auto_json j = cni_answer(&out, rows[i].version, &e);
		if (rows[i].want) {
			auto_free char *got = j ? exact_text(j) : NULL;

			ck_assert_msg(j != NULL, "%s: %s", rows[i].out, e.text);
			ck_assert_str_eq(got, rows[i].want);
		} else {
			ck_assert_msg(j == NULL, "%s", rows[i].out);
			ck_assert_msg(strstr(e.text, rows[i].why) != NULL, "%s: %s", rows[i].out, e.text);
		}
		buf_done(&out);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("cni", configuration, arguments, capabilities, answers);
}
