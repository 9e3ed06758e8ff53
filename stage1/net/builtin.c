/*
 * builtin — the driver of networks of type "rkt-ptp": a pair of interfaces between the host and the pod.
 *
 * No bridge: the host's end of each pair has the gateway's address and a route to the one address of its pod, and what goes
 * further is routed.  The pair is found again by what its host's end is called or, should somebody have renamed it, by its alias
 * "UUID IFNAME".  Between the creation of the pair and that of the alias, which are two requests, its name and its address, both
 * made of the pod's UUID, tell whose it is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/num.h"
#include "stage1/net/attachment.h"
#include "stage1/net/builtin.h"
#include "stage1/net/lease.h"
#include "stage1/net/rtnl.h"
#include "stage1/net/subnet.h"
#include "stage1/net/sysctls.h"

#define PREFIX "rkt"

/* The host's end of one attachment: its alias and the names that it may have. */
struct host_end {
	char alias[RTNL_ALIAS_MAX];
	char name[4][IFNAMSIZ];
	uint8_t mac[6];
};

static void host_end_of(const struct net_pod *p, const struct attachment *a, struct host_end *ret)
{
	const char *index = a->ifname + strcspn(a->ifname, "0123456789");
	char hex[UUID_LEN + 1];
	size_t n = 0;

	for (const char *c = p->uuid; *c; c++) {
		if (*c != '-')
			hex[n++] = *c;
	}
	hex[n] = '\0';
	(void)snprintf(ret->alias, sizeof(ret->alias), "%s %s", p->uuid, a->ifname);
	for (size_t i = 0; i < ARRAY_LEN(ret->name); i++)
		(void)snprintf(ret->name[i], IFNAMSIZ, PREFIX "%.8s%.3s", hex + i * 8, index);
	/* The last ten digits, which are random; an address that nobody is the owner of. */
	ret->mac[0] = 0x02;
	for (size_t i = 1; i < sizeof(ret->mac); i++) {
		char byte[3] = { hex[20 + i * 2], hex[21 + i * 2], '\0' };

		ret->mac[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

static bool ours(const struct host_end *h, const struct rtnl_link *l)
{
	if (l->alias[0])
		return strcmp(l->alias, h->alias) == 0;
	return memcmp(l->mac, h->mac, sizeof(h->mac)) == 0;
}

/* -ENODEV: it is not there any more, or not yet. */
static int find_host_end(struct rtnl *r, const struct host_end *h, struct rtnl_link *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(h->name); i++) {
		int q = rtnl_link_find(r, h->name[i], NULL, ret, e);

		if (q == 0 && ours(h, ret))
			return 0;
		if (q < 0 && q != -ENODEV)
			return q;
		err_clear(e);
	}
	return rtnl_link_find(r, NULL, h->alias, ret, e);
}

/* Neither end believes what the other one advertises, and their link-local addresses are not looked for first, for a second or two:
 * without one the host cannot ask for the pod on behalf of others. */
static int quiet_end(const char *ifname, struct err *e)
{
	int r = sysctl_put_ipv6(ifname, "accept_ra", "0", e);

	return r < 0 ? r : sysctl_put_ipv6(ifname, "accept_dad", "0", e);
}

/* A socket in the pod's namespace.  @prepare: the sysctls of its interface there, too. */
static int pod_socket(const struct net_pod *p, const char *prepare, struct rtnl *ret, struct err *e)
{
	auto_close int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r = 0;

	if (home < 0)
		return err_sys(e, errno, "open our network namespace");
	if (setns(p->netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, errno, "enter the pod's network namespace");
	if (prepare)
		r = quiet_end(prepare, e);
	if (r == 0)
		r = rtnl_open(ret, e);
	/* Whatever followed would be done to the wrong network. */
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	return r;
}

/* ---- add ---------------------------------------------------------------------------------------- */

static int make_pair(const struct net_pod *p, const struct attachment *a, const struct builtin_plan *t,
		     struct rtnl *r, struct rtnl_link *ret, struct err *e)
{
	struct host_end h;
	int q = -EEXIST;

	host_end_of(p, a, &h);
	for (size_t i = 0; q == -EEXIST && i < ARRAY_LEN(h.name); i++) {
		err_clear(e);
		rtnl_veth_new(r, &(struct rtnl_veth){ .name = h.name[i],
						      .peer = a->ifname,
						      .peer_netns_fd = p->netns_fd,
						      .mac = h.mac,
						      .peer_mac = t->has_mac ? t->mac : NULL,
						      .mtu = t->mtu });
		q = rtnl_commit(r, e);
		if (q == 0)
			q = rtnl_link_find(r, h.name[i], NULL, ret, e);
	}
	return q;
}

/* The gateway's address, and the way to the pod: also what reload puts back. */
static void batch_host(const struct builtin_plan *t, const struct net_addr *pod, size_t n, int index,
		       struct rtnl *r, const char *alias)
{
	rtnl_link_up(r, index, alias, true);
	for (size_t i = 0; i < n; i++) {
		uint8_t single = (uint8_t)(subnet_len(pod[i].family) * 8);
		struct rtnl_route to = { .index = index, .dst = pod[i] };
		struct net_addr gateway;

		subnet_gateway(&t->subnet[i], &gateway);
		rtnl_addr_add(r, index, &gateway, single);
		rtnl_tolerate(r, EEXIST);
		to.dst.prefix = single;
		rtnl_route_add(r, &to);
		rtnl_tolerate(r, EEXIST);
	}
}

/* Routes of the pod by one address of its; returns their number. */
static size_t pod_routes(const struct builtin_plan *t, const struct net_addr *pod, int index,
			 struct rtnl_route out[3])
{
	struct rtnl_route gateway = { .index = index, .dst = *pod };
	struct rtnl_route subnet = { .index = index, .via = true }, all = { .index = index, .via = true };

	gateway.dst.addr = pod->gateway;
	gateway.dst.prefix = (uint8_t)(subnet_len(pod->family) * 8);
	subnet_of(pod, &subnet.dst);
	all.dst.family = pod->family;
	all.dst.gateway = pod->gateway;
	out[0] = gateway;
	out[1] = subnet;
	out[2] = all;
	return t->default_route ? 3 : 2;
}

static void batch_pod(const struct builtin_plan *t, const struct net_addr *pod, size_t n, int index,
		      struct rtnl *r)
{
	rtnl_link_up(r, index, NULL, false);
	for (size_t i = 0; i < n; i++) {
		struct rtnl_route route[3];
		size_t routes = pod_routes(t, &pod[i], index, route);

		rtnl_addr_add(r, index, &pod[i], pod[i].prefix);
		for (size_t k = 0; k < routes; k++) {
			rtnl_route_add(r, &route[k]);
			/* Of several networks with a default route the first has it. */
			if (k == 2)
				rtnl_tolerate(r, EEXIST);
		}
	}
}

static int forward(const struct builtin_plan *t, struct err *e)
{
	int r = 0;

	for (size_t i = 0; t->default_route && i < t->n && r == 0; i++)
		r = sysctl_forward(t->subnet[i].family, e);
	return r;
}

static int connect_pod(const struct net_pod *p, struct attachment *a, const struct builtin_plan *t,
		       struct err *e)
{
	auto_rtnl host = { 0 }, inside = { 0 };
	struct net_addr pod[2];
	struct rtnl_link outer, inner;
	struct host_end h;
	int r = 0;

	host_end_of(p, a, &h);
	for (size_t i = 0; i < t->n && r == 0; i++) {
		r = lease_take(p, a->conf->name, a->ifname, &t->subnet[i],
			       t->has_wanted[i] ? &t->wanted[i] : NULL, &pod[i], e);
		if (r == 0) {
			struct net_addr gateway;

			subnet_gateway(&t->subnet[i], &gateway);
			pod[i].gateway = gateway.addr;
			pod[i].has_gateway = true;
		}
	}
	if (r == 0)
		r = rtnl_open(&host, e);
	if (r == 0)
		r = make_pair(p, a, t, &host, &outer, e);
	if (r == 0)
		r = quiet_end(outer.name, e);
	if (r < 0)
		return r;
	batch_host(t, pod, t->n, outer.index, &host, h.alias);
	r = rtnl_commit(&host, e);
	if (r == 0)
		r = pod_socket(p, a->ifname, &inside, e);
	if (r == 0)
		r = rtnl_link_find(&inside, a->ifname, NULL, &inner, e);
	if (r < 0)
		return r;
	batch_pod(t, pod, t->n, inner.index, &inside);
	r = rtnl_commit(&inside, e);
	if (r == 0)
		r = forward(t, e);
	if (r == 0)
		a->result = builtin_answer(p, a, t, pod, &outer, &inner);
	return r;
}

static int undo(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	auto_rtnl r = { 0 };
	struct rtnl_link l;
	struct host_end h;
	int q = rtnl_open(&r, e);

	host_end_of(p, a, &h);
	if (q == 0)
		q = find_host_end(&r, &h, &l, e);
	if (q == 0) {
		rtnl_link_del(&r, l.index);
		rtnl_tolerate(&r, ENODEV); /* with its namespace, meanwhile */
		q = rtnl_commit(&r, e);
	}
	if (q == -ENODEV)
		err_clear(e);
	struct err lease = ERR_INIT;
	if (lease_drop(p, a->conf->name, &lease) < 0 && !e->code)
		err_copy(e, &lease);
	return -e->code;
}

static int builtin_add(const struct net_pod *p, struct attachment *a, struct err *e)
{
	struct builtin_plan t;
	struct err ignored = ERR_INIT;
	int r = builtin_plan_of(a, &t, e);

	if (r < 0)
		return r;
	if (!t.n)
		return err_set(e, ERR_STATE, EAFNOSUPPORT,
			       "this machine has no IPv6, and the network nothing else");
	r = connect_pod(p, a, &t, e);
	if (r < 0)
		(void)undo(p, a, &ignored);
	return r;
}

static int builtin_del(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	err_clear(e);
	return undo(p, a, e);
}

/* ---- check, reload ------------------------------------------------------------------------------ */

static int missing(struct err *e, const char *what, const char *name, const struct net_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	return err_set(e, ERR_STATE, ENOENT, "%s %s: %s/%u is missing", what, name, net_addr_text(a, text),
		       a->prefix);
}

static int check_end(struct rtnl *r, const struct rtnl_link *l, const char *whose,
		     const struct net_addr *addr, const struct rtnl_route *routes, size_t n, struct err *e)
{
	auto_free char *address = xasprintf("address of the %s", whose);
	auto_free char *route = xasprintf("route of the %s", whose);
	int has = rtnl_addr_has(r, l->index, addr, e);

	if (has <= 0)
		return has < 0 ? has : missing(e, address, l->name, addr);
	for (size_t i = 0; i < n; i++) {
		has = rtnl_route_has(r, &routes[i], e);
		if (has <= 0)
			return has < 0 ? has : missing(e, route, l->name, &routes[i].dst);
	}
	return 0;
}

static int check_link(const struct rtnl_link *l, const char *whose, const char *name, struct err *e)
{
	if (strcmp(l->name, name) != 0)
		return err_set(e, ERR_STATE, ENOENT, "the %s is called %s, not %s", whose, l->name, name);
	if (!l->up)
		return err_set(e, ERR_STATE, ENETDOWN, "the %s %s is down", whose, name);
	return 0;
}

static int check_host(struct rtnl *r, const struct rtnl_link *l, const struct net_addr *pod, struct err *e)
{
	struct rtnl_route to = { .index = l->index, .dst = *pod };
	struct net_addr gateway = { .family = pod->family, .addr = pod->gateway };

	to.dst.prefix = gateway.prefix = (uint8_t)(subnet_len(pod->family) * 8);
	return check_end(r, l, "host's end", &gateway, &to, 1, e);
}

static int builtin_check(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	auto_rtnl host = { 0 }, inside = { 0 };
	struct rtnl_link outer, inner;
	struct builtin_plan t;
	struct builtin_made made;
	struct host_end h;

	host_end_of(p, a, &h);
	int r = builtin_plan_of(a, &t, e);
	if (r == 0)
		r = builtin_made_of(a, &made, e);
	if (r == 0)
		r = rtnl_open(&host, e);
	if (r == 0)
		r = find_host_end(&host, &h, &outer, e);
	if (r == 0)
		r = check_link(&outer, "host's end", made.name, e);
	for (size_t i = 0; r == 0 && i < made.n; i++)
		r = check_host(&host, &outer, &made.v[i], e);
	if (r == 0)
		r = pod_socket(p, NULL, &inside, e);
	if (r == 0)
		r = rtnl_link_find(&inside, a->ifname, NULL, &inner, e);
	if (r == 0)
		r = check_link(&inner, "pod's end", a->ifname, e);
	for (size_t i = 0; r == 0 && i < made.n; i++) {
		struct rtnl_route route[3];
		size_t n = pod_routes(&t, &made.v[i], inner.index, route);

		/* The default route can be another network's. */
		r = check_end(&inside, &inner, "pod's end", &made.v[i], route, n < 2 ? n : 2, e);
	}
	return r;
}

static int builtin_reload(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	auto_rtnl r = { 0 };
	struct rtnl_link l;
	struct builtin_plan t;
	struct builtin_made made;
	struct host_end h;

	host_end_of(p, a, &h);
	int q = builtin_plan_of(a, &t, e);
	if (q == 0)
		q = builtin_made_of(a, &made, e);
	if (q == 0)
		q = rtnl_open(&r, e);
	if (q == 0)
		q = find_host_end(&r, &h, &l, e);
	if (q == -ENODEV)
		return err_hint(e, "somebody deleted the pod's network: it needs a new start");
	if (q < 0)
		return q;
	/* The firewall knows our interfaces by what their names begin with. */
	if (strcmp(l.name, made.name) != 0)
		rtnl_link_rename(&r, l.index, made.name);
	batch_host(&t, made.v, made.n, l.index, &r, h.alias);
	q = rtnl_commit(&r, e);
	if (q == 0)
		q = quiet_end(made.name, e);
	return q < 0 ? q : forward(&t, e);
}

const struct net_driver net_driver_builtin = { "builtin", builtin_add, builtin_del, builtin_check,
					       builtin_reload };
