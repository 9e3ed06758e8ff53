/* conntrack — see conntrack.h. */
#include "stage1/net/conntrack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "stage1/net/subnet.h"

#define CT(type) ((NFNL_SUBSYS_CTNETLINK << 8) | (type))

struct search {
	const struct net_result *gone;
	struct buf
		found; /* family, CTA_TUPLE_ORIG and CTA_ID of each, as the kernel gave them, one after another */
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

static bool is_gone(const struct net_result *gone, int family, const void *source)
{
	for (size_t i = 0; source && i < gone->n; i++) {
		if (gone->v[i].family == family && memcmp(source, &gone->v[i].addr, subnet_len(family)) == 0)
			return true;
	}
	return false;
}

/* The pod began it, or answers in it (whatever the address that the peer believes to talk to). */
static int each_flow(const struct nlmsghdr *m, void *data)
{
	struct search *s = data;
	const struct nlattr *a, *tuple = NULL, *id = NULL;
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
	uint32_t family = g->nfgen_family;
	bool is = false;

	if (!subnet_len((int)family))
		return MNL_CB_OK;
	mnl_attr_for_each(a, m, sizeof(*g))
	{
		uint16_t type = mnl_attr_get_type(a);

		if (type == CTA_TUPLE_ORIG || type == CTA_TUPLE_REPLY)
			is |= is_gone(s->gone, (int)family, source_of(a, (int)family));
		if (type == CTA_TUPLE_ORIG)
			tuple = a;
		if (type == CTA_ID)
			id = a;
	}
	if (is && tuple && id) {
		buf_add(&s->found, &family, sizeof(family));
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

static int forget_all(struct nlsock *s, const struct search *w, struct err *e)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < w->found.len;) {
		const uint32_t *family = (const void *)(w->found.data + at);
		const struct nlattr *tuple = (const void *)(family + 1);
		const struct nlattr *id = mnl_attr_next(tuple);

		r = forget_one(s, (int)*family, tuple, id, e);
		at = (size_t)((const char *)mnl_attr_next(id) - w->found.data);
	}
	return r;
}

/* In this namespace: the table is the whole machine's, and to walk it takes ten milliseconds. */
static bool any_flow(void)
{
	auto_buf count = BUF_INIT;
	auto_close int fd = open("/proc/sys/net/netfilter/nf_conntrack_count", O_RDONLY | O_CLOEXEC);

	return fd < 0 || fd_read_all(fd, 64, &count) < 0 || strcmp(buf_str(&count), "0\n") != 0;
}

int conntrack_forget(struct nlsock *s, const struct net_result *gone, struct err *e)
{
	struct search w = { gone, BUF_INIT };
	struct nl_request q;
	int r;

	if (!gone->n || !any_flow())
		return 0;
	r = nl_ask(s, nl_request(&q, CT(IPCTNL_MSG_CT_GET), NLM_F_DUMP, AF_UNSPEC, sizeof(struct nfgenmsg)),
		   each_flow, &w, "list the connections of the pod", e);
	if (r == 0)
		r = forget_all(s, &w, e);
	buf_done(&w.found);
	/* Answers of a kernel without conntrack, or without a way to ask it. */
	if (r != -EINVAL && r != -EOPNOTSUPP && r != -EPROTONOSUPPORT)
		return r;
	err_clear(e);
	return 0;
}
