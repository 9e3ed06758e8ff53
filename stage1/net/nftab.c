/* nftab — see nftab.h. */
#include "stage1/net/nftab.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/uuid.h"

#define NFT(type) ((NFNL_SUBSYS_NFTABLES << 8) | (type))

/* In a rule's user data: type, length, bytes; the comment is type 0, with its NUL. */
#define UDATA_COMMENT 0

static const char *text_of(const struct nlattr *a)
{
	return a ? mnl_attr_get_str(a) : "";
}

/* Attributes of @m, or of what is nested in @nest, by type. */
static void attributes(const struct nlmsghdr *m, const struct nlattr *nest, const struct nlattr **out,
		       size_t n)
{
	const struct nlattr *a;

	memset(out, 0, n * sizeof(*out));
	if (nest) {
		mnl_attr_for_each_nested(a, nest)
		{
			if (mnl_attr_get_type(a) < n)
				out[mnl_attr_get_type(a)] = a;
		}
		return;
	}
	mnl_attr_for_each(a, m, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) < n)
			out[mnl_attr_get_type(a)] = a;
	}
}

static uint8_t family_of(const struct nlmsghdr *m)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(m))->nfgen_family;
}

static bool is_ours(const struct nlmsghdr *m, const struct nlattr *table)
{
	return family_of(m) == NFPROTO_INET && strcmp(text_of(table), NFTAB_TABLE) == 0;
}

static int each_chain(const struct nlmsghdr *m, void *data)
{
	struct nftab *t = data;
	const struct nlattr *a[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];
	uint8_t family = family_of(m);

	if (m->nlmsg_type != NFT(NFT_MSG_NEWCHAIN))
		return MNL_CB_OK;
	attributes(m, NULL, a, ARRAY_LEN(a));
	if (is_ours(m, a[NFTA_CHAIN_TABLE])) {
		t->table = true;
		t->chain = xreallocarray(t->chain, t->nchains + 1, sizeof(*t->chain));
		(void)snprintf(t->chain[t->nchains++], NFTAB_NAME, "%s", text_of(a[NFTA_CHAIN_NAME]));
		return MNL_CB_OK;
	}
	if (!a[NFTA_CHAIN_HOOK] ||
	    (family != NFPROTO_INET && family != NFPROTO_IPV4 && family != NFPROTO_IPV6))
		return MNL_CB_OK;
	attributes(NULL, a[NFTA_CHAIN_HOOK], hook, ARRAY_LEN(hook));
	if (!hook[NFTA_HOOK_HOOKNUM] || ntohl(mnl_attr_get_u32(hook[NFTA_HOOK_HOOKNUM])) != NF_INET_FORWARD)
		return MNL_CB_OK;
	bool drops = a[NFTA_CHAIN_POLICY] && ntohl(mnl_attr_get_u32(a[NFTA_CHAIN_POLICY])) == NF_DROP;
	bool rules = !a[NFTA_CHAIN_USE] || mnl_attr_get_u32(a[NFTA_CHAIN_USE]) != 0;
	t->filtered |= drops || rules;
	return MNL_CB_OK;
}

static void read_comment(const struct nlattr *udata, char *out, size_t room)
{
	const uint8_t *p = mnl_attr_get_payload(udata);
	size_t left = mnl_attr_get_payload_len(udata);

	while (left >= 2 && left - 2 >= p[1]) {
		if (p[0] == UDATA_COMMENT) {
			(void)snprintf(out, room, "%.*s", p[1], (const char *)p + 2);
			return;
		}
		left -= 2u + p[1];
		p += 2 + p[1];
	}
}

static int each_rule(const struct nlmsghdr *m, void *data)
{
	struct nftab *t = data;
	const struct nlattr *a[NFTA_RULE_MAX + 1];
	struct nftab_rule r = { .handle = 0 };

	if (m->nlmsg_type != NFT(NFT_MSG_NEWRULE))
		return MNL_CB_OK;
	attributes(m, NULL, a, ARRAY_LEN(a));
	if (!is_ours(m, a[NFTA_RULE_TABLE]) || !a[NFTA_RULE_HANDLE])
		return MNL_CB_OK;
	(void)snprintf(r.chain, sizeof(r.chain), "%s", text_of(a[NFTA_RULE_CHAIN]));
	r.handle = be64toh(mnl_attr_get_u64(a[NFTA_RULE_HANDLE]));
	if (a[NFTA_RULE_USERDATA])
		read_comment(a[NFTA_RULE_USERDATA], r.comment, sizeof(r.comment));
	t->rule = xreallocarray(t->rule, t->nrules + 1, sizeof(*t->rule));
	t->rule[t->nrules++] = r;
	return MNL_CB_OK;
}

/* The table may be there without a chain. */
static int each_table(const struct nlmsghdr *m, void *data)
{
	((struct nftab *)data)->table |= m->nlmsg_type == NFT(NFT_MSG_NEWTABLE);
	return MNL_CB_OK;
}

static int read_all(struct nftab *t, struct err *e)
{
	struct nl_request q;
	struct nlmsghdr *m;
	const size_t size = sizeof(struct nfgenmsg);

	m = nl_request(&q, NFT(NFT_MSG_GETCHAIN), NLM_F_DUMP, NFPROTO_UNSPEC, size);
	int r = nl_ask(&t->sock, m, each_chain, t, "list the chains of the firewall", e);
	if (r == 0 && !t->table) {
		m = nl_request(&q, NFT(NFT_MSG_GETTABLE), NLM_F_ACK, NFPROTO_INET, size);
		mnl_attr_put_strz(m, NFTA_TABLE_NAME, NFTAB_TABLE);
		r = nl_ask(&t->sock, m, each_table, t, "look for our table in the firewall", e);
	}
	if (r == 0 && t->nchains) {
		m = nl_request(&q, NFT(NFT_MSG_GETRULE), NLM_F_DUMP, NFPROTO_INET, size);
		mnl_attr_put_strz(m, NFTA_RULE_TABLE, NFTAB_TABLE);
		r = nl_ask(&t->sock, m, each_rule, t, "list our rules of the firewall", e);
	}
	if (r != -ENOENT)
		return r;
	err_clear(e);
	return 0;
}

/* iptables of before nftables: a table that was ever used can have rules. */
static bool legacy_filters(const char *path)
{
	auto_buf names = BUF_INIT;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fd_read_all(fd, 4096, &names) < 0)
		return false;
	for (const char *s = buf_str(&names); (s = strstr(s, "filter")); s += 6) {
		if ((s == names.data || s[-1] == '\n') && (s[6] == '\n' || !s[6]))
			return true;
	}
	return false;
}

int nftab_read(struct nftab *ret, struct err *e)
{
	*ret = (struct nftab){ .table = false };
	int r = nl_open(&ret->sock, NETLINK_NETFILTER, e);

	if (r == 0)
		r = read_all(ret, e);
	ret->filtered |= legacy_filters("/proc/self/net/ip_tables_names") ||
			 legacy_filters("/proc/self/net/ip6_tables_names");
	return r;
}

void nftab_done(struct nftab *t)
{
	nl_done(&t->sock);
	free(t->chain);
	free(t->rule);
}

bool nftab_has_chain(const struct nftab *t, const char *chain)
{
	for (size_t i = 0; i < t->nchains; i++) {
		if (strcmp(t->chain[i], chain) == 0)
			return true;
	}
	return false;
}

/* ---- removal ------------------------------------------------------------------------------------ */

struct batch {
	struct buf data;
	uint32_t seq;
};

static struct nlmsghdr *begin(struct nl_request *q, struct batch *b, uint16_t type, uint16_t flags,
			      int family)
{
	struct nlmsghdr *m = nl_request(q, type, flags, family, sizeof(struct nfgenmsg));
	struct nfgenmsg *g = mnl_nlmsg_get_payload(m);

	if (family == NFPROTO_UNSPEC)
		g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	m->nlmsg_seq = b->seq++;
	return m;
}

static void end(struct batch *b, const struct nlmsghdr *m)
{
	buf_add(&b->data, m, m->nlmsg_len);
}

/* Returns the number of the last: its acknowledgement comes when all of the batch is done. */
static uint32_t put_removals(struct batch *b, const struct nftab *t, const char *comment)
{
	struct nl_request q;
	uint32_t last = 0;

	for (size_t i = 0; i < t->nrules; i++) {
		if (strcmp(t->rule[i].comment, comment) != 0)
			continue;
		struct nlmsghdr *m = begin(&q, b, NFT(NFT_MSG_DELRULE), NLM_F_ACK, NFPROTO_INET);
		mnl_attr_put_strz(m, NFTA_RULE_TABLE, NFTAB_TABLE);
		mnl_attr_put_strz(m, NFTA_RULE_CHAIN, t->rule[i].chain);
		mnl_attr_put_u64(m, NFTA_RULE_HANDLE, htobe64(t->rule[i].handle));
		end(b, m);
		last = m->nlmsg_seq;
	}
	return last;
}

static uint32_t put_table_removal(struct batch *b)
{
	struct nl_request q;
	struct nlmsghdr *m = begin(&q, b, NFT(NFT_MSG_DELTABLE), NLM_F_ACK, NFPROTO_INET);

	mnl_attr_put_strz(m, NFTA_TABLE_NAME, NFTAB_TABLE);
	end(b, m);
	return m->nlmsg_seq;
}

/* Until the acknowledgement of @last; errors come before it. */
static int take_answers(struct nftab *t, uint32_t last, struct err *e)
{
	auto_free char *answer = xmalloc(NL_ANSWER_MAX);

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(t->sock.nl, answer, NL_ANSWER_MAX);
		int left = (int)got;

		if (got < 0)
			return err_sys(e, errno, "take rules out of the firewall");
		for (struct nlmsghdr *m = (void *)answer; mnl_nlmsg_ok(m, left);
		     m = mnl_nlmsg_next(m, &left)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(m);

			if (m->nlmsg_type != NLMSG_ERROR)
				continue;
			if (err->error)
				return err_sys(e, -err->error, "take rules out of the firewall");
			if (m->nlmsg_seq == last)
				return 0;
		}
	}
}

int nftab_remove(struct nftab *t, const char *comment, struct err *e)
{
	struct batch b = { BUF_INIT, t->sock.seq + 1 };
	bool others = false, ours = false;
	struct nl_request q;
	uint32_t last;

	for (size_t i = 0; i < t->nrules; i++) {
		bool is = strcmp(t->rule[i].comment, comment) == 0;

		ours |= is;
		others |= !is && uuid_valid(t->rule[i].comment);
	}
	if (!t->table || (others && !ours))
		return 0;
	end(&b, begin(&q, &b, NFNL_MSG_BATCH_BEGIN, 0, NFPROTO_UNSPEC));
	last = others ? put_removals(&b, t, comment) : put_table_removal(&b);
	end(&b, begin(&q, &b, NFNL_MSG_BATCH_END, 0, NFPROTO_UNSPEC));
	t->sock.seq = b.seq;
	ssize_t sent = mnl_socket_sendto(t->sock.nl, b.data.data, b.data.len);
	buf_done(&b.data);
	if (sent < 0)
		return err_sys(e, errno, "take rules out of the firewall");
	return take_answers(t, last, e);
}
