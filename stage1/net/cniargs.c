/* cniargs — what plugins are told: arguments, capabilities, configuration (cni.h). */
#include "stage1/net/cni.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/strv.h"
#include "stage1/net/exact.h"

#define IGNORE_UNKNOWN "IgnoreUnknown=1" /* else plugins fail on each other's arguments */

char *cni_args(const char *args)
{
	auto_free char *said = net_args_get(args, "IgnoreUnknown");

	if (said)
		return xstrdup(args);
	return *args ? xasprintf(IGNORE_UNKNOWN ";%s", args) : xstrdup(IGNORE_UNKNOWN);
}

/* ---- capabilities from arguments ---- */

static bool is_address(const char *s)
{
	const char *slash = strchr(s, '/');
	auto_free char *ip = slash ? xstrndup(s, (size_t)(slash - s)) : xstrdup(s);
	bool six = strchr(ip, ':') != NULL;
	struct in6_addr room;
	uint32_t prefix = 0;

	return inet_pton(six ? AF_INET6 : AF_INET, ip, &room) == 1 &&
	       (!slash || (parse_u32(slash + 1, &prefix) == 0 && prefix <= (six ? 128 : 32)));
}

static bool is_mac(const char *s)
{
	for (int i = 0; i < 17; i++) {
		if (i % 3 == 2 ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return s[17] == '\0';
}

static int set_ips(const char *args, json_t *runtime, struct err *e)
{
	static const char *const keys[] = { "IP", "IP6", "ips" };
	auto_json ips = json_array();

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_free char *value = net_args_get(args, keys[i]);

		if (!value)
			continue;
		if (!is_address(value))
			return err_set(e, ERR_USAGE, EINVAL, "%s=%.80s: address expected", keys[i], value);
		(void)json_array_append_new(ips, json_string(value));
	}
	return json_array_size(ips) ? json_object_set(runtime, "ips", ips) : 0;
}

static int set_mac(const char *args, json_t *runtime, struct err *e)
{
	static const char *const keys[] = { "MAC", "mac" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_free char *value = net_args_get(args, keys[i]);

		if (!value)
			continue;
		if (!is_mac(value))
			return err_set(e, ERR_USAGE, EINVAL, "%s=%.80s: hardware address expected", keys[i],
				       value);
		return json_object_set_new(runtime, "mac", json_string(value));
	}
	return 0;
}

/* 1 if @key is among @args, 0 if not. */
static int set_number(const char *args, const char *key, json_t *o, struct err *e)
{
	auto_free char *value = net_args_get(args, key);
	int64_t n = 0;

	if (!value)
		return 0;
	if (parse_i64(value, &n) < 0 || n <= 0)
		return err_set(e, ERR_USAGE, EINVAL, "%s=%.80s: positive number expected", key, value);
	(void)json_object_set_new(o, key, json_integer(n));
	return 1;
}

static int set_bandwidth(const char *args, json_t *runtime, struct err *e)
{
	static const struct {
		const char *rate, *burst;
	} ways[] = { { "ingressRate", "ingressBurst" }, { "egressRate", "egressBurst" } };
	auto_json o = json_object();

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		int rate = set_number(args, ways[i].rate, o, e);
		int burst = rate < 0 ? rate : set_number(args, ways[i].burst, o, e);

		if (burst < 0)
			return burst;
		if (rate != burst)
			return err_set(e, ERR_USAGE, EINVAL, "%s and %s go together", ways[i].rate,
				       ways[i].burst);
	}
	return json_object_size(o) ? json_object_set(runtime, "bandwidth", o) : 0;
}

int cni_runtime_of_args(const struct net_conf *c, const char *args, json_t *runtime, struct err *e)
{
	static const struct {
		const char *capability;
		int (*set)(const char *args, json_t *runtime, struct err *e);
	} all[] = { { "ips", set_ips }, { "mac", set_mac }, { "bandwidth", set_bandwidth } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (net_conf_can(c, all[i].capability) && all[i].set(args, runtime, e) < 0)
			return err_ctx(e, "network \"%s\"", c->name);
	}
	return 0;
}

/* ---- configuration of one plugin ---- */

/* Take @key out in every spelling: plugins in Go read any, and of several the last. */
static void drop(json_t *o, const char *key)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(o, next, name, value)
	{
		if (strcasecmp(name, key) == 0)
			(void)json_object_del(o, name);
	}
}

static json_t *declared(const json_t *plugin, const json_t *runtime)
{
	json_t *all = json_member(plugin, "capabilities"), *wanted, *out = json_object();
	const char *name;

	json_object_foreach(all, name, wanted)
	{
		json_t *value = json_object_get(runtime, name);

		if (json_is_true(wanted) && value)
			(void)json_object_set(out, name, value);
	}
	return out;
}

/* The path that was told at ADD may be somebody else's by now, and without any an interface would be the host's. */
#define NETNS_GONE "/proc/0/ns/net" /* no process has this number */

static json_t *in_sandbox(const json_t *prev, const char *netns)
{
	json_t *o = json_deep_copy(prev), *interface;
	size_t i;

	json_array_foreach(json_member(o, "interfaces"), i, interface)
	{
		const char *sandbox = json_string_value(json_member(interface, "sandbox"));

		if (!sandbox || !*sandbox)
			continue;
		drop(interface, "sandbox");
		(void)json_object_set_new(interface, "sandbox", json_string(*netns ? netns : NETNS_GONE));
	}
	return o;
}

char *cni_config(const struct net_conf *c, size_t i, const json_t *prev, const char *netns,
		 const json_t *runtime)
{
	static const char *const ours[] = { "name",       "cniVersion",    "cniVersions",
					    "prevResult", "runtimeConfig", "capabilities" };
	const json_t *plugin = json_array_get(c->plugins, i);
	auto_json given = declared(plugin, runtime);
	auto_json o = json_copy((json_t *)(uintptr_t)plugin); /* shallow; the source is not changed */

	for (size_t k = 0; k < ARRAY_LEN(ours); k++)
		drop(o, ours[k]);
	(void)json_object_set_new(o, "name", json_string(c->name));
	(void)json_object_set_new(o, "cniVersion", json_string(c->version));
	if (json_object_size(given))
		(void)json_object_set(o, "runtimeConfig", given);
	if (prev)
		(void)json_object_set_new(o, "prevResult", in_sandbox(prev, netns));
	return exact_text(o);
}
