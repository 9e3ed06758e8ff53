/*
 * result — see result.h.
 *
 * Versions up to 0.2.0 answer {"ip4":{…},"ip6":{…}}, later ones {"interfaces":[…],"ips":[…]}.  Everything in an answer may
 * be wrong: it decides what is written into the pod's resolv.conf and into rules of the firewall.
 */
#include "stage1/net/result.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/strv.h"
#include "stage1/net/cniversion.h"

#define WHERE_MAX 40 /* ".ips[12345]" */

static bool parse_ip(const char *s, int *family, void *ret)
{
	*family = strchr(s, ':') ? AF_INET6 : AF_INET;
	return inet_pton(*family, s, ret) == 1;
}

/* "10.1.2.3/24" into ->family, ->addr and ->prefix. */
static bool parse_cidr(const char *s, struct net_addr *a)
{
	const char *slash = strchr(s, '/');
	auto_free char *ip = slash ? xstrndup(s, (size_t)(slash - s)) : NULL;
	uint32_t prefix;

	if (!ip || !parse_ip(ip, &a->family, &a->addr) || parse_u32(slash + 1, &prefix) < 0 ||
	    prefix > (a->family == AF_INET ? 32 : 128))
		return false;
	a->prefix = (uint8_t)prefix;
	return true;
}

static void push(struct net_result *ret, const struct net_addr *a)
{
	ret->v = xreallocarray(ret->v, ret->n + 1, sizeof(ret->v[0]));
	ret->v[ret->n++] = *a;
}

/* @key: the member with the address; "gateway" is the other one. */
static int read_addr(const json_t *o, const char *where, const char *key, struct net_addr *a, struct err *e)
{
	const char *cidr = NULL, *gateway = "";
	int family, r = json_get_str(o, where, key, true, &cidr, e);

	*a = (struct net_addr){ 0 };
	if (r == 0)
		r = json_get_str(o, where, "gateway", false, &gateway, e);
	if (r < 0)
		return r;
	if (!parse_cidr(cidr, a))
		return err_set(e, ERR_INPUT, EINVAL, "%s.%s: \"%.60s\": address/length expected", where, key,
			       cidr);
	if (!*gateway)
		return 0;
	if (!parse_ip(gateway, &family, &a->gateway) || family != a->family)
		return err_set(e, ERR_INPUT, EINVAL,
			       "%s.gateway: \"%.60s\": address of the same family expected", where, gateway);
	a->has_gateway = true;
	return 0;
}

/* Routes are the plugin's to make; here only one question is asked of them. */
static bool has_way_out(const json_t *routes)
{
	const json_t *route;
	size_t i;

	json_array_foreach(routes, i, route)
	{
		const char *dst = json_string_value(json_member(route, "dst"));

		if (dst && (strcmp(dst, "0.0.0.0/0") == 0 || strcmp(dst, "::/0") == 0))
			return true;
	}
	return false;
}

/* ---- up to 0.2.0 ---- */

static int read_old(const json_t *j, struct net_result *ret, struct err *e)
{
	static const struct {
		const char *key, *where;
		int family;
	} both[] = { { "ip4", ".ip4", AF_INET }, { "ip6", ".ip6", AF_INET6 } };

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct net_addr a;
		json_t *o = NULL;
		int r = json_get_obj(j, "", both[i].key, false, &o, e);

		if (r == 0 && !o)
			continue;
		if (r == 0)
			r = read_addr(o, both[i].where, "ip", &a, e);
		if (r == 0 && a.family != both[i].family)
			r = err_set(e, ERR_INPUT, EINVAL, "%s.ip: address of the other family",
				    both[i].where);
		if (r < 0)
			return r;
		push(ret, &a);
		ret->way_out |= has_way_out(json_member(o, "routes"));
	}
	return 0;
}

/* ---- from 0.3.0 on ---- */

static int check_interfaces(const json_t *interfaces, struct err *e)
{
	const char *name = NULL, *sandbox;
	char where[WHERE_MAX];
	json_t *o;
	size_t i;

	json_array_foreach(interfaces, i, o)
	{
		(void)snprintf(where, sizeof(where), ".interfaces[%zu]", i);
		if (json_get_str(o, where, "name", true, &name, e) < 0 ||
		    json_get_str(o, where, "sandbox", false, &sandbox, e) < 0)
			return -e->code;
	}
	return 0;
}

/* Is this address that of @ifname inside of the pod?  1, 0 or an error.  Without an index it is. */
static int is_ours(const json_t *ip, const char *where, const json_t *interfaces, const char *ifname,
		   struct err *e)
{
	const char *sandbox;
	const json_t *interface;
	int64_t index = -1;
	int r = json_get_int(ip, where, "interface", false, 0, INT64_MAX, &index, e);

	if (r < 0 || index < 0)
		return r < 0 ? r : 1;
	interface = json_array_get(interfaces, (size_t)index);
	if (!interface)
		return err_set(e, ERR_INPUT, EINVAL, "%s.interface: there is no interface %lld", where,
			       (long long)index);
	sandbox = json_string_value(json_member(interface, "sandbox"));
	return sandbox && *sandbox && strcmp(json_string_value(json_member(interface, "name")), ifname) == 0;
}

static int read_new(const json_t *j, const char *ifname, struct net_result *ret, struct err *e)
{
	json_t *interfaces = NULL, *ips = NULL, *ip;
	char where[WHERE_MAX];
	size_t i;

	if (json_get_arr(j, "", "interfaces", false, &interfaces, e) < 0 ||
	    json_get_arr(j, "", "ips", false, &ips, e) < 0 || check_interfaces(interfaces, e) < 0)
		return -e->code;
	json_array_foreach(ips, i, ip)
	{
		struct net_addr a;
		int r;

		(void)snprintf(where, sizeof(where), ".ips[%zu]", i);
		if (read_addr(ip, where, "address", &a, e) < 0)
			return -e->code;
		r = is_ours(ip, where, interfaces, ifname, e);
		if (r < 0)
			return r;
		if (r)
			push(ret, &a);
	}
	ret->way_out = has_way_out(json_member(j, "routes"));
	return 0;
}

/* ---- name service ---- */

/* These become words of a file with lines. */
static bool is_word(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	}
	return true;
}

static bool is_server(const char *s)
{
	size_t zone = strcspn(s, "%"); /* "fe80::1%eth0" */
	auto_free char *ip = xstrndup(s, zone);
	struct in6_addr room;
	int family;

	return parse_ip(ip, &family, &room) && is_word(s);
}

static int check_words(char *const *v, bool (*valid)(const char *), const char *key, struct err *e)
{
	for (size_t i = 0; v && v[i]; i++) {
		if (!valid(v[i]))
			return err_set(e, ERR_INPUT, EINVAL, ".dns.%s[%zu]: \"%.60s\": %s expected", key, i,
				       v[i], valid == is_server ? "address" : "word");
	}
	return 0;
}

static int read_dns(const json_t *j, struct net_result *ret, struct err *e)
{
	const char *domain = "";
	json_t *dns = NULL;
	int r = json_get_obj(j, "", "dns", false, &dns, e);

	if (r < 0 || !dns)
		return r;
	if (json_get_strv(dns, ".dns", "nameservers", false, &ret->nameservers, e) < 0 ||
	    json_get_strv(dns, ".dns", "search", false, &ret->search, e) < 0 ||
	    json_get_strv(dns, ".dns", "options", false, &ret->options, e) < 0 ||
	    json_get_str(dns, ".dns", "domain", false, &domain, e) < 0 ||
	    check_words(ret->nameservers, is_server, "nameservers", e) < 0 ||
	    check_words(ret->search, is_word, "search", e) < 0 ||
	    check_words(ret->options, is_word, "options", e) < 0)
		return -e->code;
	if (!*domain)
		return 0;
	if (!is_word(domain))
		return err_set(e, ERR_INPUT, EINVAL, ".dns.domain: \"%.60s\": word expected", domain);
	ret->domain = xstrdup(domain);
	return 0;
}

int net_result_parse(const json_t *j, const char *version, const char *ifname, struct net_result *ret,
		     struct err *e)
{
	struct net_result all = { 0 };
	int r = cni_version_parse(version, e);

	if (r >= 0 && !json_is_object(j))
		r = err_set(e, ERR_INPUT, EINVAL, "document: object expected");
	if (r >= 0)
		r = r <= CNI_0_2_0 ? read_old(j, &all, e) : read_new(j, ifname, &all, e);
	if (r == 0)
		r = read_dns(j, &all, e);
	if (r < 0) {
		net_result_done(&all);
		/* One code for whatever is wrong with an answer. */
		e->code = EINVAL;
		return -EINVAL;
	}
	*ret = all;
	return 0;
}

void net_result_done(struct net_result *r)
{
	free(r->v);
	strv_free(r->nameservers);
	strv_free(r->search);
	strv_free(r->options);
	free(r->domain);
	*r = (struct net_result){ 0 };
}

const struct net_addr *net_result_first(const struct net_result *r, int family)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].family == family)
			return &r->v[i];
	}
	return NULL;
}

const char *net_addr_text(const struct net_addr *a, char *out)
{
	return inet_ntop(a->family, &a->addr, out, INET6_ADDRSTRLEN);
}
