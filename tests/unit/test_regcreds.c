/* regcreds, regauth, regconf: who we are for a registry, and who is told. */
#include "tests/unit/suite.h"

#include <errno.h>

#include "base/auto.h"
#include "base/json.h"
#include "stage0/regauth.h"
#include "stage0/regconf.h"
#include "stage0/regcreds.h"

static json_t *doc(const char *text)
{
	struct err e = ERR_INIT;
	json_t *j = json_parse(text, strlen(text), &e);

	ck_assert_msg(j != NULL, "%s", e.text);
	return j;
}

static const char docker_config[] = "{\"auths\":{"
				    "\"https://index.docker.io/v1/\":{\"auth\":\"aHViOnBhOnNz\"},"
				    "\"r.example.com:5000\":{\"username\":\"u\",\"password\":\"p\"},"
				    "\"r.example.com:5000/team/one\":{\"auth\":\"b25lOjE=\"},"
				    "\"https://url.example.com/v2/\":{\"identitytoken\":\"idt\"},"
				    "\"out.example.com\":{},"
				    "\"bad.example.com\":{\"auth\":\"!!\"},"
				    "\"evil.example.com\":{\"registrytoken\":\"a\\r\\nb\"}},"
				    "\"credHelpers\":{\"h.example.com\":\"pass\"}}";

static int ask(const char *host, const char *repository, struct regcreds *c)
{
	struct err e = ERR_INIT;
	auto_json j = doc(docker_config);

	*c = (struct regcreds){ NULL, NULL, NULL, NULL };
	return regcreds_from_json(j, false, host, repository, c, &e);
}

START_TEST(docker_hub_has_several_names)
{
	struct regcreds c;

	ck_assert_int_eq(ask("registry-1.docker.io", "library/redis", &c), 1);
	ck_assert_str_eq(c.user, "hub");
	ck_assert_str_eq(c.password, "pa:ss");
	regcreds_done(&c);
}
END_TEST

START_TEST(the_longest_key_wins)
{
	struct regcreds c;

	ck_assert_int_eq(ask("r.example.com:5000", "team/one/x", &c), 1);
	ck_assert_str_eq(c.user, "one");
	regcreds_done(&c);
	ck_assert_int_eq(ask("r.example.com:5000", "team/onemore", &c), 1);
	ck_assert_str_eq(c.user, "u");
	regcreds_done(&c);
}
END_TEST

START_TEST(other_hosts_get_nothing)
{
	struct regcreds c;

	ck_assert_int_eq(ask("r.example.com", "team/one", &c), 0);
	ck_assert_int_eq(ask("example.com:5000", "x", &c), 0);
	ck_assert_int_eq(ask("out.example.com", "x", &c), 0);
	ck_assert_int_eq(ask("url.example.com", "x", &c), 1);
	ck_assert_str_eq(c.identity_token, "idt");
	regcreds_done(&c);
}
END_TEST

START_TEST(what_is_damaged_is_refused)
{
	struct regcreds c;

	ck_assert_int_eq(ask("bad.example.com", "x", &c), -EINVAL);
	ck_assert_int_eq(ask("evil.example.com", "x", &c), -EINVAL);
	ck_assert_ptr_null(c.bearer);
}
END_TEST

START_TEST(helpers_are_found_by_host)
{
	auto_json j = doc(docker_config);
	auto_json store = doc("{\"credsStore\":\"osx\"}");
	struct err e = ERR_INIT;
	struct regcreds c;

	ck_assert_str_eq(regcreds_helper(j, "h.example.com"), "pass");
	ck_assert_ptr_null(regcreds_helper(j, "other.example.com"));
	ck_assert_str_eq(regcreds_helper(store, "any"), "osx");
	ck_assert_int_eq(regcreds_from_helper("../x", NULL, "h", &c, &e), -EINVAL);
	ck_assert_int_eq(regcreds_from_helper("none-of-this-name", NULL, "h", &c, &e), -ENOENT);
}
END_TEST

START_TEST(a_realm_must_be_on_the_same_site)
{
	ck_assert(regauth_same_site("registry-1.docker.io", "auth.docker.io"));
	ck_assert(regauth_same_site("r.example.com:5000", "r.example.com"));
	ck_assert(regauth_same_site("127.0.0.1:5000", "127.0.0.1"));
	ck_assert(!regauth_same_site("registry-1.docker.io", "docker.io.evil.com"));
	ck_assert(!regauth_same_site("a.co.uk", "b.co.uk"));
	ck_assert(regauth_same_site("r.a.co.uk", "auth.a.co.uk"));
	ck_assert(!regauth_same_site("127.0.0.1", "127.0.0.2"));
	ck_assert(!regauth_same_site("10.1.2.3", "11.1.2.3"));
	ck_assert(!regauth_same_site("localhost", "remotehost"));
	ck_assert(!regauth_same_site("com", "example.com"));
	ck_assert(regauth_loopback("localhost:5000"));
	ck_assert(regauth_loopback("[::1]:5000"));
	ck_assert(regauth_loopback("127.8.9.1"));
	ck_assert(!regauth_loopback("127.evil.com"));
	ck_assert(!regauth_loopback("localhost.evil.com"));
}
END_TEST

START_TEST(configuration_of_registries)
{
	static const char *const bad[] = { "{}",
					   "{\"registries\":[]}",
					   "{\"registries\":[\"a\",\"a\"]}",
					   "{\"registries\":[\"a\"],\"mirrors\":[\"m\"]}",
					   "{\"registries\":[\"a\"],\"mirrors\":[\"https://u@m\"]}",
					   "{\"registries\":[\"a\"],\"caFile\":\"x\"}",
					   "{\"registries\":[\"a\"],\"certFile\":\"/x\"}" };
	struct registry_entry *v = NULL;
	size_t n = 0;
	struct err e = ERR_INIT;
	auto_json good = doc(
		"{\"registries\":[\"docker.io\",\"b\"],\"mirrors\":[\"https://m:5000\"],\"allowHTTP\":true}");

	ck_assert_int_eq(registry_entries_read(good, &v, &n, &e), 0);
	ck_assert_uint_eq(n, 2);
	const struct registry_entry *b = registry_entry_find(v, n, "b");
	ck_assert_str_eq(b->mirrors[0], "https://m:5000");
	ck_assert(b->allow_http);
	ck_assert_ptr_null(registry_entry_find(v, n, "c"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_json j = doc(bad[i]);
		struct registry_entry *w = NULL;
		size_t m = 0;

		ck_assert_msg(registry_entries_read(j, &w, &m, &e) < 0, "taken: %s", bad[i]);
		while (m)
			registry_entry_done(&w[--m]);
		free(w);
	}
	while (n)
		registry_entry_done(&v[--n]);
	free(v);
}
END_TEST

int main(void)
{
	return SUITE_RUN("regcreds", docker_hub_has_several_names, the_longest_key_wins,
			 other_hosts_get_nothing, what_is_damaged_is_refused, helpers_are_found_by_host,
			 a_realm_must_be_on_the_same_site, configuration_of_registries);
}
