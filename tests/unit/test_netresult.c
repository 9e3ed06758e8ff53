/* result: answers of every version, which addresses are ours, what is malformed. */
#include "stage1/net/result.h"

#include "base/strv.h"
#include "suite.h"

/* "ADDRESS/PREFIX via GATEWAY, …" of what @text says. */
static char *read_addresses(const char *text, const char *version, struct err *e)
{
	auto_json j = json_parse(text, strlen(text), e);
	struct net_result r;
	auto_strv out = NULL;
	char *all;

	ck_assert_msg(j != NULL, "%s: %s", text, e->text);
	if (net_result_parse(j, version, "eth0", &r, e) < 0)
		return NULL;
	for (size_t i = 0; i < r.n; i++) {
		char a[INET6_ADDRSTRLEN], g[INET6_ADDRSTRLEN] = "-";
		struct net_addr gateway = r.v[i];

		memcpy(&gateway.addr, &gateway.gateway, sizeof(gateway.addr));
		if (r.v[i].has_gateway)
			(void)net_addr_text(&gateway, g);
		strv_pushf(&out, "%s/%u via %s", net_addr_text(&r.v[i], a), r.v[i].prefix, g);
	}
	net_result_done(&r);
	all = strv_join(out, ", ");
	return all;
}

#define OURS "{\"name\":\"eth0\",\"mac\":\"00:00:00:00:00:01\",\"sandbox\":\"/x\"}"

START_TEST(answers)
{
	static const struct {
		const char *version, *text, *want;
	} rows[] = {
		{ "0.1.0", "{\"ip4\":{\"ip\":\"10.1.0.2/24\",\"gateway\":\"10.1.0.1\",\"routes\":[]}}",
		  "10.1.0.2/24 via 10.1.0.1" },
		{ "0.2.0",
		  "{\"ip6\":{\"ip\":\"fd00::2/64\"},\"ip4\":{\"ip\":\"10.1.0.2/32\",\"gateway\":\"\"}}",
		  "10.1.0.2/32 via -, fd00::2/64 via -" },
		{ "0.1.0", "{\"ip4\":null}", "" },
		{ "0.3.1",
		  "{\"interfaces\":[{\"name\":\"veth1\"}," OURS
		  "],\"ips\":[{\"version\":\"4\",\"interface\":1,\"address\":\"10.1.0.2/"
		  "24\",\"gateway\":\"10.1.0.1\"},"
		  "{\"version\":\"4\",\"interface\":0,\"address\":\"10.9.9.9/24\"}]}",
		  "10.1.0.2/24 via 10.1.0.1" },
		{ "0.4.0",
		  "{\"ips\":[{\"version\":\"6\",\"address\":\"fd00::2/64\",\"gateway\":\"fd00::1\"}]}",
		  "fd00::2/64 via fd00::1" },
		{ "1.0.0",
		  "{\"interfaces\":[{\"name\":\"eth1\",\"sandbox\":\"/x\"}," OURS
		  "],\"ips\":[{\"interface\":0,\"address\":\"10.0.0.9/"
		  "8\"},{\"interface\":1,\"address\":\"10.0.0.8/8\"},"
		  "{\"address\":\"fd00::8/48\"}]}",
		  "10.0.0.8/8 via -, fd00::8/48 via -" },
		{ "1.0.0", "{}", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		auto_free char *got = read_addresses(rows[i].text, rows[i].version, &e);

		ck_assert_msg(got != NULL, "%s: %s", rows[i].text, e.text);
		ck_assert_str_eq(got, rows[i].want);
	}
}
END_TEST

START_TEST(malformed)
{
	static const struct {
		const char *version, *text, *why;
	} rows[] = {
		{ "9.0.0", "{}", "newer" },
		{ "1.0.0", "[]", "object expected" },
		{ "1.0.0", "{\"ips\":{}}", ".ips: array expected" },
		{ "1.0.0", "{\"ips\":[1]}", ".ips[0]: object expected" },
		{ "1.0.0", "{\"ips\":[{}]}", ".ips[0].address: missing" },
		{ "1.0.0", "{\"ips\":[{\"address\":\"10.0.0.1\"}]}", "address/length" },
		{ "1.0.0", "{\"ips\":[{\"address\":\"10.0.0.1/33\"}]}", "address/length" },
		{ "1.0.0", "{\"ips\":[{\"address\":\"10.0.0.1/ 8\"}]}", "address/length" },
		{ "1.0.0", "{\"ips\":[{\"address\":\"fd00::1/129\"}]}", "address/length" },
		{ "1.0.0", "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"fd00::1\"}]}",
		  ".ips[0].gateway: \"fd00::1\"" },
		{ "1.0.0", "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":0}]}",
		  "there is no interface 0" },
		{ "1.0.0", "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":-1}]}", ".ips[0].interface" },
		{ "1.0.0", "{\"interfaces\":[{}],\"ips\":[]}", ".interfaces[0].name: missing" },
		{ "0.4.0", "{\"interfaces\":[{\"name\":1}]}", ".interfaces[0].name: string" },
		{ "0.1.0", "{\"ip4\":{\"ip\":\"fd00::1/64\"}}", "other family" },
		{ "0.2.0", "{\"ip6\":{}}", ".ip6.ip: missing" },
		{ "1.0.0", "{\"dns\":{\"nameservers\":[\"1.2.3\"]}}",
		  ".dns.nameservers[0]: \"1.2.3\": address" },
		{ "1.0.0", "{\"dns\":{\"nameservers\":[\"fe80::1%eth0\\nsearch x\"]}}",
		  ".dns.nameservers[0]" },
		{ "1.0.0", "{\"dns\":{\"search\":[\"a b\"]}}", ".dns.search[0]: \"a b\": word" },
		{ "1.0.0", "{\"dns\":{\"options\":[\"\"]}}", ".dns.options[0]" },
		{ "1.0.0", "{\"dns\":{\"domain\":\"x\\nnameserver 6.6.6.6\"}}", ".dns.domain" },
		{ "0.1.0", "{\"dns\":[]}", ".dns: object" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;

		ck_assert_msg(read_addresses(rows[i].text, rows[i].version, &e) == NULL, "%s", rows[i].text);
		ck_assert_int_eq(e.code, EINVAL);
		ck_assert_msg(strstr(e.text, rows[i].why) != NULL, "%s: %s", rows[i].text, e.text);
	}
}
END_TEST

START_TEST(name_service)
{
	static const char text[] = "{\"ip4\":{\"ip\":\"10.0.0.2/8\"},\"ip6\":{\"ip\":\"fd00::2/8\"},\"dns\":{"
				   "\"nameservers\":[\"10.0.0.1\",\"fe80::1%eth0\"],\"domain\":\"d.example\","
				   "\"search\":[\"s.example\"],\"options\":[\"ndots:2\"]}}";
	struct err e = ERR_INIT;
	auto_json j = json_parse(text, strlen(text), &e);
	struct net_result r;

	OK(net_result_parse(j, "0.2.0", "eth0", &r, &e));
	auto_free char *servers = strv_join(r.nameservers, " ");
	ck_assert_str_eq(servers, "10.0.0.1 fe80::1%eth0");
	ck_assert_str_eq(r.search[0], "s.example");
	ck_assert_str_eq(r.options[0], "ndots:2");
	ck_assert_str_eq(r.domain, "d.example");
	ck_assert_ptr_eq(net_result_first(&r, AF_INET6), &r.v[1]);
	ck_assert_ptr_eq(net_result_first(&r, AF_INET), &r.v[0]);
	r.n = 1;
	ck_assert_ptr_null(net_result_first(&r, AF_INET6));
	net_result_done(&r);
}
END_TEST

START_TEST(way_out)
{
	static const struct {
		const char *version, *text;
		bool want;
	} rows[] = {
		{ "0.1.0", "{\"ip4\":{\"ip\":\"10.1.0.2/24\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}}", true },
		{ "0.2.0", "{\"ip6\":{\"ip\":\"fd00::2/64\",\"routes\":[{\"dst\":\"::/0\"}]}}", true },
		{ "0.2.0", "{\"ip4\":{\"ip\":\"10.1.0.2/24\",\"gateway\":\"10.1.0.1\"}}", false },
		{ "1.0.0",
		  "{\"routes\":[{\"dst\":\"10.0.0.0/8\"},{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"}]}",
		  true },
		{ "1.0.0", "{\"routes\":[{\"dst\":\"10.0.0.0/8\"},{\"dst\":0},7]}", false },
		{ "1.0.0", "{\"routes\":\"0.0.0.0/0\"}", false },
		{ "1.0.0", "{}", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		auto_json j = json_parse(rows[i].text, strlen(rows[i].text), &e);
		struct net_result r;

		OK(net_result_parse(j, rows[i].version, "eth0", &r, &e));
		ck_assert_msg(r.way_out == rows[i].want, "%s", rows[i].text);
		net_result_done(&r);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("netresult", answers, malformed, name_service, way_out);
}
