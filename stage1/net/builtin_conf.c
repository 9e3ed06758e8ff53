/* builtin_conf — see builtin.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/strv.h"
#include "stage1/net/builtin.h"
#include "stage1/net/subnet.h"
#include "stage1/net/sysctls.h"

#define MTU_MIN 1280 /* IPv6 wants as much */
#define MTU_MAX 65535

/* ---- configuration ------------------------------------------------------------------------------ */

static int add_subnet(const char *text, struct builtin_plan *t, bool have_ipv6, struct err *e)
{
	struct net_addr subnet;
	int r = subnet_parse(text, &subnet, e);

	if (r < 0)
		return r;
	if (subnet.family == AF_INET6 && !have_ipv6)
		return 0;
	if (t->n == ARRAY_LEN(t->subnet) || (t->n && t->subnet[0].family == subnet.family))
		return err_set(e, ERR_INPUT, EINVAL, ".subnets: two of one family");
	t->subnet[t->n++] = subnet;
	return 0;
}

static int parse_mac(const char *s, struct builtin_plan *t, struct err *e)
{
	char end;
	int n = sscanf(s, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &t->mac[0], &t->mac[1], &t->mac[2],
		       &t->mac[3], &t->mac[4], &t->mac[5], &end);

	if (n != 6 || strlen(s) != 17 || (t->mac[0] & 1))
		return err_set(e, ERR_INPUT, EINVAL, "MAC=%.40s: not the address of one interface", s);
	t->has_mac = true;
	return 0;
}

static int want_addr(const char *s, int family, struct builtin_plan *t, struct err *e)
{
	struct net_addr a;
	int r = subnet_parse_addr(s, &a, e);

	if (r < 0)
		return r;
	if (a.family != family)
		return err_set(e, ERR_INPUT, EINVAL, "%s: the address of another family", s);
	for (size_t i = 0; i < t->n; i++) {
		if (t->subnet[i].family != family)
			continue;
		t->wanted[i] = a;
		t->has_wanted[i] = true;
		return 0;
	}
	return err_set(e, ERR_INPUT, EAFNOSUPPORT, "%s: the network has no addresses of this family", s);
}

static int take_argument(char *kv, struct builtin_plan *t, struct err *e)
{
	char *value = strchr(kv, '=');

	if (value) {
		*value++ = '\0';
		if (strcmp(kv, "IP") == 0)
			return want_addr(value, AF_INET, t, e);
		if (strcmp(kv, "IP6") == 0)
			return want_addr(value, AF_INET6, t, e);
		if (strcmp(kv, "MAC") == 0)
			return parse_mac(value, t, e);
	}
	return err_set(e, ERR_INPUT, EINVAL, "argument \"%.60s\": IP, IP6 and MAC are known", kv);
}

static int take_arguments(const char *args, struct builtin_plan *t, struct err *e)
{
	auto_strv v = args && *args ? strv_split(args, ';') : NULL;
	int r = 0;

	for (size_t i = 0; v && v[i] && r == 0; i++)
		r = take_argument(v[i], t, e);
	return r;
}

int builtin_plan_of(const struct attachment *a, struct builtin_plan *ret, struct err *e)
{
	const json_t *conf = json_array_get(a->conf->plugins, 0);
	auto_strv subnets = NULL;
	bool have_ipv6 = sysctl_have_ipv6();
	int64_t mtu = 0;

	*ret = (struct builtin_plan){ 0 };
	int r = json_get_strv(conf, "", "subnets", true, &subnets, e);
	if (r == 0)
		r = json_get_bool(conf, "", "defaultRoute", false, &ret->default_route, e);
	if (r == 0)
		r = json_get_int(conf, "", "mtu", false, MTU_MIN, MTU_MAX, &mtu, e);
	if (r == 0 && !subnets)
		r = err_set(e, ERR_INPUT, EINVAL, ".subnets: there is none");
	if (r == 0 && json_array_size(a->conf->plugins) > 1)
		r = err_set(e, ERR_INPUT, EINVAL, "a plugin after one of type " NET_TYPE_BUILTIN);
	for (size_t i = 0; r == 0 && subnets[i]; i++)
		r = add_subnet(subnets[i], ret, have_ipv6, e);
	if (r == 0)
		r = take_arguments(a->args, ret, e);
	ret->mtu = (uint32_t)mtu;
	return r;
}

/* ---- answer ------------------------------------------------------------------------------------- */

static json_t *interface(const struct rtnl_link *l, const char *sandbox)
{
	char mac[18];
	json_t *j = json_object();

	(void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", l->mac[0], l->mac[1], l->mac[2],
		       l->mac[3], l->mac[4], l->mac[5]);
	json_object_set_new(j, "name", json_string(l->name));
	json_object_set_new(j, "mac", json_string(mac));
	if (sandbox)
		json_object_set_new(j, "sandbox", json_string(sandbox));
	return j;
}

static const char *gateway_text(const struct net_addr *a, char *out)
{
	struct net_addr gateway = { .family = a->family, .addr = a->gateway };

	return net_addr_text(&gateway, out);
}

json_t *builtin_answer(const struct net_pod *p, const struct attachment *a, const struct builtin_plan *t,
		       const struct net_addr *pod, const struct rtnl_link *outer,
		       const struct rtnl_link *inner)
{
	json_t *j = json_object(), *interfaces = json_array(), *ips = json_array(), *routes = json_array();
	json_t *dns = json_member(json_array_get(a->conf->plugins, 0), "dns");
	char text[INET6_ADDRSTRLEN], gateway[INET6_ADDRSTRLEN];

	json_array_append_new(interfaces, interface(outer, NULL));
	json_array_append_new(interfaces, interface(inner, p->netns));
	for (size_t i = 0; i < t->n; i++) {
		auto_free char *address = xasprintf("%s/%u", net_addr_text(&pod[i], text), pod[i].prefix);
		json_t *ip = json_object();

		(void)gateway_text(&pod[i], gateway);
		json_object_set_new(ip, "interface", json_integer(1));
		json_object_set_new(ip, "address", json_string(address));
		json_object_set_new(ip, "gateway", json_string(gateway));
		json_array_append_new(ips, ip);
		if (!t->default_route)
			continue;
		json_t *route = json_object();
		json_object_set_new(route, "dst",
				    json_string(pod[i].family == AF_INET ? "0.0.0.0/0" : "::/0"));
		json_object_set_new(route, "gw", json_string(gateway));
		json_array_append_new(routes, route);
	}
	json_object_set_new(j, "cniVersion", json_string("1.0.0"));
	json_object_set_new(j, "interfaces", interfaces);
	json_object_set_new(j, "ips", ips);
	json_object_set_new(j, "routes", routes);
	json_object_set_new(j, "dns", dns ? json_deep_copy(dns) : json_object());
	return j;
}

static int made_address(const json_t *ip, struct net_addr *ret, struct err *e)
{
	const char *address = NULL, *gateway = NULL;
	struct net_addr gw;
	int prefix = 0;
	int r = json_get_str(ip, ".ips", "address", true, &address, e);

	if (r == 0)
		r = json_get_str(ip, ".ips", "gateway", true, &gateway, e);
	if (r < 0)
		return r;
	auto_free char *host = xstrndup(address, strcspn(address, "/"));
	r = subnet_parse_addr(host, ret, e);
	if (r == 0)
		r = subnet_parse_addr(gateway, &gw, e);
	if (r < 0)
		return r;
	if (sscanf(address + strlen(host), "/%3d", &prefix) != 1 || prefix < 0 || prefix > ret->prefix ||
	    gw.family != ret->family)
		return err_set(e, ERR_INPUT, EINVAL, ".ips: \"%.60s\" with gateway \"%.60s\"", address,
			       gateway);
	ret->prefix = (uint8_t)prefix;
	ret->gateway = gw.addr;
	ret->has_gateway = true;
	return 0;
}

int builtin_made_of(const struct attachment *a, struct builtin_made *ret, struct err *e)
{
	const json_t *ips = json_member(a->result, "ips");
	const char *name = NULL;

	*ret = (struct builtin_made){ 0 };
	int r = json_get_str(json_array_get(json_member(a->result, "interfaces"), 0), ".interfaces[0]",
			     "name", true, &name, e);
	if (r < 0)
		return r;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	for (size_t i = 0; i < json_array_size(ips) && ret->n < ARRAY_LEN(ret->v) && r == 0; i++) {
		r = made_address(json_array_get(ips, i), &ret->v[ret->n], e);
		if (r == 0)
			ret->n++;
	}
	return r;
}
