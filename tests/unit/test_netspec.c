/* netspec: the values of --net. */
#include "schema/netspec.h"

#include "base/strv.h"
#include "suite.h"

/* "KIND name(args) …" of blank-separated values. */
static char *parse(const char *values, struct err *e)
{
	static const char *const kinds[] = {
		[NETS_NAMED] = "named", [NETS_ALL] = "all", [NETS_NONE] = "none", [NETS_HOST] = "host"
	};
	auto_strv v = values ? strv_split(values, ' ') : NULL;
	auto_strv out = NULL;
	struct net_specs s;

	if (net_specs_parse(v, &s, e) < 0) {
		ck_assert_ptr_null(s.v);
		return NULL;
	}
	strv_push(&out, kinds[s.kind]);
	for (size_t i = 0; i < s.n; i++)
		strv_pushf(&out, "%s(%s)", s.v[i].name, s.v[i].args);
	net_specs_done(&s);
	return strv_join(out, " ");
}

START_TEST(taken)
{
	static const struct {
		const char *values, *want;
	} rows[] = {
		{ NULL, "named default()" },
		{ "default", "named default()" },
		{ "a:K=V b", "named a(K=V) b()" },
		{ "a:IP=fd00::1;MAC=0a:00:00:00:00:01", "named a(IP=fd00::1;MAC=0a:00:00:00:00:01)" },
		{ "a:K=", "named a(K=)" },
		{ "a:K=V=W", "named a(K=V=W)" },
		{ "A-1_2.3", "named A-1_2.3()" },
		{ "none", "none none()" },
		{ "all a:K=V", "all all() a(K=V)" },
		{ "none all a", "none none() all() a()" },
		{ "a host none all", "host a() host() none() all()" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		auto_free char *got = parse(rows[i].values, &e);

		ck_assert_msg(got != NULL, "%s: %s", rows[i].values, e.text);
		ck_assert_str_eq(got, rows[i].want);
	}
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *values, *why;
	} rows[] = {
		{ "", "network name \"\"" },
		{ "a ", "network name \"\"" },
		{ ":K=V", "network name \"\"" },
		{ "../x", "network name \"../x\"" },
		{ "-a", "network name \"-a\"" },
		{ "a/b", "network name" },
		{ "a b a:K=V", "\"a\" is given twice" },
		{ "a:", "KEY=VALUE" },
		{ "a:K", "KEY=VALUE" },
		{ "a:=V", "KEY=VALUE" },
		{ "a:K=V;", "KEY=VALUE" },
		{ "a:K=V;;L=W", "KEY=VALUE" },
		{ "a:K=\n", "KEY=VALUE" },
		{ "host:K=V", "\"host\" takes no arguments" },
		{ "none:K=V", "\"none\" takes no arguments" },
		{ "all:K=V", "\"all\" takes no arguments" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;

		ck_assert_msg(parse(rows[i].values, &e) == NULL, "%s", rows[i].values);
		ck_assert_int_eq(e.code, EINVAL);
		ck_assert_int_eq(e.cls, ERR_USAGE);
		ck_assert_msg(strstr(e.text, rows[i].why) != NULL, "%s: %s", rows[i].values, e.text);
	}
}
END_TEST

START_TEST(arguments)
{
	static const char args[] = "IP=10.0.0.1;MAC=x;EMPTY=;IPX=no";
	auto_free char *ip = net_args_get(args, "IP"), *empty = net_args_get(args, "EMPTY");

	ck_assert_str_eq(ip, "10.0.0.1");
	ck_assert_str_eq(empty, "");
	ck_assert_ptr_null(net_args_get(args, "ip"));
	ck_assert_ptr_null(net_args_get("", "IP"));
}
END_TEST

int main(void)
{
	return SUITE_RUN("netspec", taken, refused, arguments);
}
