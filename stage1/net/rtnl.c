/* rtnl — see rtnl.h. */
#include "stage1/net/rtnl.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage1/net/subnet.h"

int rtnl_open(struct rtnl *r, struct err *e)
{
	r->n = r->len = 0;
	return nl_open(&r->sock, NETLINK_ROUTE, e);
}

void rtnl_done(struct rtnl *r)
{
	nl_done(&r->sock);
}

/* ---- questions ---------------------------------------------------------------------------------- */

struct link_wanted {
	const char *name, *alias;
	struct rtnl_link *found;
	bool is;
};

static bool is_bridge(const struct nlattr *info)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, info)
	{
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			return strcmp(mnl_attr_get_str(a), "bridge") == 0;
	}
	return false;
}

static int each_link(const struct nlmsghdr *m, void *data)
{
	struct link_wanted *w = data;
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(m);
	struct rtnl_link l = { .index = i->ifi_index, .up = i->ifi_flags & IFF_UP };
	const struct nlattr *a;

	if (m->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	mnl_attr_for_each(a, m, sizeof(*i))
	{
		size_t len = mnl_attr_get_payload_len(a);

		if (mnl_attr_get_type(a) == IFLA_IFNAME)
			(void)snprintf(l.name, sizeof(l.name), "%s", mnl_attr_get_str(a));
		if (mnl_attr_get_type(a) == IFLA_IFALIAS)
			(void)snprintf(l.alias, sizeof(l.alias), "%.*s", (int)len, mnl_attr_get_str(a));
		if (mnl_attr_get_type(a) == IFLA_ADDRESS && len == sizeof(l.mac))
			memcpy(l.mac, mnl_attr_get_payload(a), len);
		if (mnl_attr_get_type(a) == IFLA_LINKINFO)
			l.bridge = is_bridge(a);
	}
	if (w->alias ? strcmp(l.alias, w->alias) == 0 : strcmp(l.name, w->name) == 0) {
		*w->found = l;
		w->is = true;
	}
	return MNL_CB_OK;
}

int rtnl_link_find(struct rtnl *r, const char *name, const char *alias, struct rtnl_link *ret, struct err *e)
{
	struct nl_request room;
	struct nlmsghdr *m = nl_request(&room, RTM_GETLINK, alias ? NLM_F_DUMP : NLM_F_ACK, AF_UNSPEC,
					sizeof(struct ifinfomsg));
	struct link_wanted w = { name, alias, ret, false };

	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (!alias)
		mnl_attr_put_strz(m, IFLA_IFNAME, name);
	int q = nl_ask(&r->sock, m, each_link, &w, "look for an interface", e);
	if (q < 0 && q != -ENODEV)
		return q;
	if (!w.is)
		return err_set(e, ERR_STATE, ENODEV, "there is no interface %s", alias ? alias : name);
	return 0;
}

struct port_count {
	uint32_t master;
	int n;
};

static int each_port(const struct nlmsghdr *m, void *data)
{
	struct port_count *c = data;
	const struct nlattr *a;

	if (m->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	mnl_attr_for_each(a, m, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(a) == IFLA_MASTER && mnl_attr_get_u32(a) == c->master)
			c->n++;
	}
	return MNL_CB_OK;
}

/* The kernel is asked for these alone; before Linux 4.4 it gives all the same. */
int rtnl_link_ports(struct rtnl *r, int index, struct err *e)
{
	struct nl_request room;
	struct nlmsghdr *m = nl_request(&room, RTM_GETLINK, NLM_F_DUMP, AF_UNSPEC, sizeof(struct ifinfomsg));
	struct port_count c = { .master = (uint32_t)index };

	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	mnl_attr_put_u32(m, IFLA_MASTER, c.master);
	int q = nl_ask(&r->sock, m, each_port, &c, "look at the ports of a bridge", e);
	return q < 0 ? q : c.n;
}

struct entry_wanted {
	const struct rtnl_route *route; /* or */
	const struct net_addr *addr;
	int index;
	int found;
};

static bool is_addr(const struct nlattr *a, const struct net_addr *want)
{
	return mnl_attr_get_payload_len(a) == subnet_len(want->family) &&
	       memcmp(mnl_attr_get_payload(a), &want->addr, subnet_len(want->family)) == 0;
}

static int each_addr(const struct nlmsghdr *m, void *data)
{
	struct entry_wanted *w = data;
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(m);
	const struct nlattr *a;

	if (m->nlmsg_type != RTM_NEWADDR || (int)i->ifa_index != w->index || i->ifa_family != w->addr->family)
		return MNL_CB_OK;
	mnl_attr_for_each(a, m, sizeof(*i))
	{
		if (mnl_attr_get_type(a) == IFA_ADDRESS && is_addr(a, w->addr))
			w->found = 1;
	}
	return MNL_CB_OK;
}

int rtnl_addr_has(struct rtnl *r, int index, const struct net_addr *a, struct err *e)
{
	struct nl_request room;
	struct ifaddrmsg *i;
	struct nlmsghdr *m = nl_request(&room, RTM_GETADDR, NLM_F_DUMP, a->family, sizeof(*i));
	struct entry_wanted w = { .addr = a, .index = index };

	i = mnl_nlmsg_get_payload(m);
	i->ifa_index = (uint32_t)index;
	int q = nl_ask(&r->sock, m, each_addr, &w, "look for an address", e);
	return q < 0 ? q : w.found;
}

static int each_route(const struct nlmsghdr *m, void *data)
{
	struct entry_wanted *w = data;
	const struct rtnl_route *t = w->route;
	const struct rtmsg *i = mnl_nlmsg_get_payload(m);
	bool dst = t->dst.prefix == 0, oif = false, via = !t->via;
	struct net_addr gateway = { .family = t->dst.family, .addr = t->dst.gateway };
	const struct nlattr *a;

	if (m->nlmsg_type != RTM_NEWROUTE || i->rtm_dst_len != t->dst.prefix ||
	    i->rtm_table != RT_TABLE_MAIN || i->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	mnl_attr_for_each(a, m, sizeof(*i))
	{
		if (mnl_attr_get_type(a) == RTA_DST)
			dst = is_addr(a, &t->dst);
		if (mnl_attr_get_type(a) == RTA_OIF)
			oif = (int)mnl_attr_get_u32(a) == t->index;
		if (mnl_attr_get_type(a) == RTA_GATEWAY)
			via = t->via && is_addr(a, &gateway);
	}
	if (dst && oif && via)
		w->found = 1;
	return MNL_CB_OK;
}

int rtnl_route_has(struct rtnl *r, const struct rtnl_route *t, struct err *e)
{
	struct nl_request room;
	struct rtmsg *i;
	struct nlmsghdr *m = nl_request(&room, RTM_GETROUTE, NLM_F_DUMP, t->dst.family, sizeof(*i));
	struct entry_wanted w = { .route = t };

	i = mnl_nlmsg_get_payload(m);
	i->rtm_table = RT_TABLE_MAIN;
	mnl_attr_put_u32(m, RTA_OIF, (uint32_t)t->index);
	int q = nl_ask(&r->sock, m, each_route, &w, "look for a route", e);
	return q < 0 ? q : w.found;
}

static int match_length(const struct nlmsghdr *m, void *data)
{
	const struct rtmsg *i = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_type == RTM_NEWROUTE)
		*(int *)data = i->rtm_dst_len;
	return MNL_CB_OK;
}

int rtnl_route_match(struct rtnl *r, const struct net_addr *a, struct err *e)
{
	struct nl_request room;
	struct rtmsg *i;
	struct nlmsghdr *m = nl_request(&room, RTM_GETROUTE, NLM_F_ACK, a->family, sizeof(*i));
	size_t len = subnet_len(a->family);
	int found = 0;

	i = mnl_nlmsg_get_payload(m);
	i->rtm_dst_len = (uint8_t)(len * 8);
	i->rtm_flags = RTM_F_LOOKUP_TABLE | RTM_F_FIB_MATCH;
	mnl_attr_put(m, RTA_DST, len, &a->addr);
	int q = nl_ask(&r->sock, m, match_length, &found, "ask for a route", e);
	/* What the kernel says when there is none, or one that says so. */
	if (q == -ENETUNREACH || q == -EHOSTUNREACH || q == -EACCES || q == -EINVAL)
		return 0;
	return q < 0 ? q : found;
}

/* ---- changes ------------------------------------------------------------------------------------ */

static struct nlmsghdr *change(struct rtnl *r, uint16_t type, uint16_t flags, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static struct nlmsghdr *change(struct rtnl *r, uint16_t type, uint16_t flags, const char *fmt, ...)
{
	char *room = (char *)r->batch + r->len;
	va_list ap;

	assert(r->n < RTNL_BATCH_MAX && r->len + NL_REQUEST_MAX <= sizeof(r->batch));
	memset(room, 0, NL_REQUEST_MAX);
	va_start(ap, fmt);
	(void)vsnprintf(r->step[r->n].what, sizeof(r->step[r->n].what), fmt, ap);
	va_end(ap);
	r->step[r->n].tolerated = 0;
	struct nlmsghdr *m = mnl_nlmsg_put_header(room);
	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	m->nlmsg_seq = r->sock.seq + 1 + (uint32_t)r->n;
	return m;
}

/* @m is complete. */
static void changed(struct rtnl *r, const struct nlmsghdr *m)
{
	assert(m->nlmsg_len <= NL_REQUEST_MAX);
	r->len += NLMSG_ALIGN(m->nlmsg_len);
	r->n++;
}

void rtnl_tolerate(struct rtnl *r, int errnum)
{
	assert(r->n);
	r->step[r->n - 1].tolerated = errnum;
}

static void put_ends(struct nlmsghdr *m, const char *name, const uint8_t *mac, uint32_t mtu)
{
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	/* One queue an end: the default of one for each processor of the machine costs an object in sysfs each. */
	mnl_attr_put_u32(m, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
	if (mac)
		mnl_attr_put(m, IFLA_ADDRESS, 6, mac);
	if (mtu)
		mnl_attr_put_u32(m, IFLA_MTU, mtu);
}

void rtnl_veth_new(struct rtnl *r, const struct rtnl_veth *v)
{
	struct nlmsghdr *m = change(r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
				    "make the interfaces %s and %s", v->name, v->peer);

	(void)mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	put_ends(m, v->name, v->mac, v->mtu);
	struct nlattr *info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(m, VETH_INFO_PEER);
	(void)mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	put_ends(m, v->peer, v->peer_mac, v->mtu);
	mnl_attr_put_u32(m, IFLA_NET_NS_FD, (uint32_t)v->peer_netns_fd);
	mnl_attr_nest_end(m, peer);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	changed(r, m);
}

static struct nlmsghdr *link_change(struct rtnl *r, uint16_t type, int index, unsigned int flags,
				    const char *what)
{
	struct nlmsghdr *m = change(r, type, 0, "%s", what);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(m, sizeof(*i));

	i->ifi_index = index;
	i->ifi_flags = flags;
	i->ifi_change = type == RTM_DELLINK ? 0 : IFF_UP;
	return m;
}

void rtnl_link_del(struct rtnl *r, int index)
{
	changed(r, link_change(r, RTM_DELLINK, index, 0, "delete the interface"));
}

void rtnl_link_up(struct rtnl *r, int index, const char *alias, bool strict_source)
{
	struct nlmsghdr *m = link_change(r, RTM_NEWLINK, index, IFF_UP, "turn the interface on");

	if (alias)
		mnl_attr_put_strz(m, IFLA_IFALIAS, alias);
	if (strict_source) {
		struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
		struct nlattr *inet = mnl_attr_nest_start(m, AF_INET);
		struct nlattr *conf = mnl_attr_nest_start(m, IFLA_INET_CONF);
		mnl_attr_put_u32(m, IPV4_DEVCONF_RP_FILTER, 1);
		mnl_attr_nest_end(m, conf);
		mnl_attr_nest_end(m, inet);
		mnl_attr_nest_end(m, spec);
	}
	changed(r, m);
}

void rtnl_link_rename(struct rtnl *r, int index, const char *name)
{
	changed(r, link_change(r, RTM_NEWLINK, index, 0, "turn the interface off"));
	struct nlmsghdr *m = link_change(r, RTM_NEWLINK, index, 0, "rename the interface");
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	changed(r, m);
}

void rtnl_addr_add(struct rtnl *r, int index, const struct net_addr *a, uint8_t prefix)
{
	char text[INET6_ADDRSTRLEN];
	uint32_t flags = IFA_F_NOPREFIXROUTE | (a->family == AF_INET6 ? IFA_F_NODAD : 0);
	struct nlmsghdr *m = change(r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "add the address %s",
				    net_addr_text(a, text));
	struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(m, sizeof(*i));

	i->ifa_family = (uint8_t)a->family;
	i->ifa_prefixlen = prefix;
	i->ifa_index = (uint32_t)index;
	mnl_attr_put(m, IFA_LOCAL, subnet_len(a->family), &a->addr);
	mnl_attr_put(m, IFA_ADDRESS, subnet_len(a->family), &a->addr);
	mnl_attr_put_u32(m, IFA_FLAGS, flags);
	changed(r, m);
}

void rtnl_route_add(struct rtnl *r, const struct rtnl_route *t)
{
	char text[INET6_ADDRSTRLEN];
	struct nlmsghdr *m = change(r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "add the route to %s/%u",
				    net_addr_text(&t->dst, text), t->dst.prefix);
	struct rtmsg *i = mnl_nlmsg_put_extra_header(m, sizeof(*i));
	size_t len = subnet_len(t->dst.family);

	i->rtm_family = (uint8_t)t->dst.family;
	i->rtm_dst_len = t->dst.prefix;
	i->rtm_table = RT_TABLE_MAIN;
	i->rtm_protocol = RTPROT_STATIC;
	i->rtm_scope = t->via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	i->rtm_type = RTN_UNICAST;
	if (t->dst.prefix)
		mnl_attr_put(m, RTA_DST, len, &t->dst.addr);
	mnl_attr_put_u32(m, RTA_OIF, (uint32_t)t->index);
	if (t->via)
		mnl_attr_put(m, RTA_GATEWAY, len, &t->dst.gateway);
	changed(r, m);
}

/* What the kernel adds to an errno (NLMSGERR_ATTR_MSG), or "". */
static void extended(const struct nlmsghdr *m, char *out, size_t room)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(m);
	unsigned int skip = sizeof(*err);
	const struct nlattr *a;

	out[0] = '\0';
	if (!(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(m->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(m) > skip ? err->msg.nlmsg_len - NLMSG_HDRLEN : 0;
	mnl_attr_for_each(a, m, skip)
	{
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
			(void)snprintf(out, room, " (%s)", mnl_attr_get_str(a));
	}
}

/* One acknowledgement; the first that is bad goes to @e. */
static void take_ack(const struct rtnl *r, const struct nlmsghdr *m, uint32_t first, struct err *e)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(m);
	uint32_t i = m->nlmsg_seq - first;
	char more[128];

	if (i >= r->n || !err->error || e->code || -err->error == r->step[i].tolerated)
		return;
	extended(m, more, sizeof(more));
	err_sys(e, -err->error, "%s%s", r->step[i].what, more);
}

int rtnl_commit(struct rtnl *r, struct err *e)
{
	auto_free char *answer = xmalloc(NL_ANSWER_MAX);
	uint32_t first = r->sock.seq + 1;
	struct err bad = ERR_INIT;
	ssize_t got;

	if (!r->n)
		return 0;
	if (mnl_socket_sendto(r->sock.nl, r->batch, r->len) < 0)
		err_sys(&bad, errno, "%s", r->step[0].what);
	for (size_t acks = bad.code ? r->n : 0; acks < r->n;) {
		got = mnl_socket_recvfrom(r->sock.nl, answer, NL_ANSWER_MAX);
		if (got < 0) {
			err_sys(&bad, errno, "%s", r->step[acks].what);
			break;
		}
		int left = (int)got;
		for (struct nlmsghdr *m = (void *)answer; mnl_nlmsg_ok(m, left);
		     m = mnl_nlmsg_next(m, &left)) {
			if (m->nlmsg_type != NLMSG_ERROR)
				continue;
			take_ack(r, m, first, &bad);
			acks++;
		}
	}
	r->sock.seq += (uint32_t)r->n;
	r->n = r->len = 0;
	return bad.code ? err_copy(e, &bad) : 0;
}
