/* conntrack — see conntrack.h. */
#include "stage1/net/conntrack.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "stage1/net/subnet.h"

#define CT(type) ((NFNL_SUBSYS_CTNETLINK << 8) | (type))

struct search {
	const struct net_addr *addr;
	struct buf
		found; /* attributes CTA_TUPLE_ORIG and CTA_ID of each, as the kernel gave them, one after another */
};

/* Source address in a tuple of @family. */
static const void *source_of(const struct nlattr *tuple, int family)
{
	const struct nlattr *a, *b;
	uint16_t want = family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;

	mnl_attr_for_each_nested(a, tuple)
	{
		if (mnl_attr_get_type(a) != CTA_TUPLE_IP)
			continue;
		mnl_attr_for_each_nested(b, a)
		{
			if (mnl_attr_get_type(b) == want && mnl_attr_get_payload_len(b) == subnet_len(family))
				return mnl_attr_get_payload(b);
		}
	}
	return NULL;
}

/* The pod began it, or answers in it (whatever the address that the peer believes to talk to). */
static int each_flow(const struct nlmsghdr *m, void *data)
{
	struct search *s = data;
	const struct nlattr *a, *tuple = NULL, *id = NULL;
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
	bool is = false;

	if (g->nfgen_family != s->addr->family)
		return MNL_CB_OK;
	mnl_attr_for_each(a, m, sizeof(*g))
	{
		uint16_t type = mnl_attr_get_type(a);
		const void *source = type == CTA_TUPLE_ORIG || type == CTA_TUPLE_REPLY
					     ? source_of(a, s->addr->family)
					     : NULL;

		is |= source && memcmp(source, &s->addr->addr, subnet_len(s->addr->family)) == 0;
		if (type == CTA_TUPLE_ORIG)
			tuple = a;
		if (type == CTA_ID)
			id = a;
	}
	if (is && tuple && id) {
		buf_add(&s->found, tuple, MNL_ALIGN(tuple->nla_len));
		buf_add(&s->found, id, MNL_ALIGN(id->nla_len));
	}
	return MNL_CB_OK;
}

static int none(const struct nlmsghdr *m, void *data)
{
	(void)m;
	(void)data;
	return MNL_CB_OK;
}

static int forget_one(struct nlsock *s, int family, const struct nlattr *tuple, const struct nlattr *id,
		      struct err *e)
{
	struct nl_request q;
	struct nlmsghdr *m = nl_request(&q, CT(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, family,
					sizeof(struct nfgenmsg));

	/* The id: a new flow with the same tuple is not meant. */
	mnl_attr_put(m, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(tuple),
		     mnl_attr_get_payload(tuple));
	mnl_attr_put(m, CTA_ID, mnl_attr_get_payload_len(id), mnl_attr_get_payload(id));
	int r = nl_ask(s, m, none, NULL, "forget a connection of the pod", e);
	if (r != -ENOENT)
		return r;
	err_clear(e);
	return 0;
}

static int forget_addr(struct nlsock *s, const struct net_addr *addr, struct err *e)
{
	struct search w = { addr, BUF_INIT };
	struct nl_request q;
	struct nlmsghdr *m = nl_request(&q, CT(IPCTNL_MSG_CT_GET), NLM_F_DUMP, addr->family,
					sizeof(struct nfgenmsg));
	int r = nl_ask(s, m, each_flow, &w, "list the connections of the pod", e);

	for (size_t at = 0; r == 0 && at < w.found.len;) {
		const struct nlattr *tuple = (const void *)(w.found.data + at);
		const struct nlattr *id = mnl_attr_next(tuple);

		r = forget_one(s, addr->family, tuple, id, e);
		at = (size_t)((const char *)mnl_attr_next(id) - w.found.data);
	}
	buf_done(&w.found);
	return r;
}

int conntrack_forget(struct nlsock *s, const struct net_result *gone, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < gone->n && r == 0; i++) {
		r = forget_addr(s, &gone->v[i], e);
		/* Answers of a kernel without conntrack, or without a way to ask it. */
		if (r == -EINVAL || r == -EOPNOTSUPP || r == -EPROTONOSUPPORT) {
			err_clear(e);
			r = 0;
		}
	}
	return r;
}
