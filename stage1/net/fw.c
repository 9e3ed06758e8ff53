/*
 * fw — see fw.h.
 *
 * What is there is read by nftab.h; what shall be there is written as a text for libnftables, together with the removal of what was
 * there of this pod before.  Chains come after those of others with the same purpose (+ 5): who decided before us has decided.
 *
 * Closing a socket of nftables waits until the kernel has really freed what was deleted through any of them, some ten
 * milliseconds.  So nothing is "added" that is there already (the kernel counts that as a replacement).
 */
#include "stage1/net/fw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/lock.h"
#include "base/strv.h"
#include "base/uuid.h"
#include "stage1/net/conntrack.h"
#include "stage1/net/nftab.h"
#include "stage1/net/subnet.h"

#define TABLE    "inet " NFTAB_TABLE
#define ATTEMPTS 5

/* Comment of the rule that is no pod's. */
#define OF_ALL "rkt"

enum { CH_ANTISPOOF, CH_PUBLISH, CH_CONFINE, CH_HIDE, CH_COUNT };
static const struct {
	const char *name, *hook;
} chains[CH_COUNT] = {
	[CH_ANTISPOOF] = { "antispoof", "type filter hook prerouting priority raw; policy accept;" },
	[CH_PUBLISH] = { "publish", "type nat hook prerouting priority dstnat + 5; policy accept;" },
	[CH_CONFINE] = { "confine", "type filter hook forward priority filter; policy accept;" },
	[CH_HIDE] = { "hide", "type nat hook postrouting priority srcnat + 5; policy accept;" },
};

struct rules {
	const struct fw_pod *pod;
	struct buf chain[CH_COUNT];
	size_t published;
};

static void rules_done(struct rules *r)
{
	for (size_t i = 0; i < CH_COUNT; i++)
		buf_done(&r->chain[i]);
}
#define auto_rules __attribute__((cleanup(rules_done))) struct rules

static const char *ip(const struct net_addr *a)
{
	return a->family == AF_INET ? "ip" : "ip6";
}

static void rule_begin(struct rules *r, int chain)
{
	buf_addf(&r->chain[chain], "add rule " TABLE " %s ", chains[chain].name);
}

static void rule_end(struct rules *r, int chain)
{
	buf_addf(&r->chain[chain], " comment \"%s\"\n", r->pod->uuid);
}

/* "ip saddr A ip daddr != the network of A" */
static void leaving(struct rules *r, int chain, const struct net_addr *a)
{
	char text[INET6_ADDRSTRLEN], net[INET6_ADDRSTRLEN];
	struct net_addr subnet;

	subnet_of(a, &subnet);
	rule_begin(r, chain);
	buf_addf(&r->chain[chain], "%s saddr %s %s daddr != %s/%u", ip(a), net_addr_text(a, text), ip(a),
		 net_addr_text(&subnet, net), subnet.prefix);
}

static void publish(struct rules *r, const struct port_map *m, const struct net_addr *a)
{
	struct buf *b = &r->chain[CH_PUBLISH];
	struct net_addr host = { .family = m->family }, subnet;
	char text[INET6_ADDRSTRLEN];

	subnet_of(a, &subnet);
	rule_begin(r, CH_PUBLISH);
	if (m->family != AF_UNSPEC) {
		memcpy(&host.addr, &m->host, subnet_len(m->family));
		buf_addf(b, "%s daddr %s ", ip(a), net_addr_text(&host, text));
	}
	/* Local is what the host has: not what passes through it to the same port of somebody else.  Its loopback
	 * addresses are local too, and neighbours can write them on their packets. */
	buf_addf(b, "%s daddr != %s fib daddr type local ", ip(a),
		 a->family == AF_INET ? "127.0.0.0/8" : "::1");
	buf_addf(b, "%s saddr != %s/%u ", ip(a), net_addr_text(&subnet, text), subnet.prefix);
	buf_addf(b, "%s dport %u ", m->protocol == IPPROTO_TCP ? "tcp" : "udp", m->host_port);
	buf_addf(b, a->family == AF_INET ? "dnat ip to %s:%u" : "dnat ip6 to [%s]:%u", net_addr_text(a, text),
		 m->pod_port);
	rule_end(r, CH_PUBLISH);
	r->published++;
}

static void publish_all(struct rules *r, const struct net_addr *a)
{
	for (size_t i = 0; r->pod->ports && i < r->pod->ports->n; i++) {
		const struct port_map *m = &r->pod->ports->v[i];

		if (m->family == AF_UNSPEC || m->family == a->family)
			publish(r, m, a);
	}
}

static void rules_of_net(struct rules *r, const struct fw_net *n, bool forwarded)
{
	bool has4 = false, has6 = false;

	for (size_t i = 0; i < n->result->n; i++) {
		const struct net_addr *a = &n->result->v[i];
		bool *has = a->family == AF_INET ? &has4 : &has6;

		if (n->isolated) {
			leaving(r, CH_CONFINE, a);
			buf_adds(&r->chain[CH_CONFINE], " drop");
			rule_end(r, CH_CONFINE);
			continue;
		}
		if (n->masquerade) {
			leaving(r, CH_HIDE, a);
			buf_adds(&r->chain[CH_HIDE], " masquerade");
			rule_end(r, CH_HIDE);
		}
		/* The first of each family has the ports. */
		if (n->ports && forwarded && !*has)
			publish_all(r, a);
		*has = true;
	}
}

/* The whole transaction: from what is there, @t, to what shall be. */
static void transaction(const struct rules *r, const struct nftab *t, struct buf *out)
{
	bool any = false, antispoof = false;

	for (size_t i = 0; i < CH_COUNT; i++)
		any |= r->chain[i].len > 0;
	for (size_t i = 0; i < t->nrules; i++)
		antispoof |= strcmp(t->rule[i].comment, OF_ALL) == 0;
	if (any && !t->table)
		buf_adds(out, "add table " TABLE "\n");
	for (size_t i = 0; i < CH_COUNT; i++) {
		if ((r->chain[i].len || (any && i == CH_ANTISPOOF)) && !nftab_has_chain(t, chains[i].name))
			buf_addf(out, "add chain " TABLE " %s { %s }\n", chains[i].name, chains[i].hook);
	}
	for (size_t i = 0; i < t->nrules; i++) {
		if (strcmp(t->rule[i].comment, r->pod->uuid) == 0)
			buf_addf(out, "delete rule " TABLE " %s handle %llu\n", t->rule[i].chain,
				 (unsigned long long)t->rule[i].handle);
	}
	if (any && !antispoof)
		buf_adds(out, "add rule " TABLE
			      " antispoof iifname \"rkt*\" fib saddr . iif oif missing drop comment "
			      "\"" OF_ALL "\"\n");
	for (size_t i = 0; i < CH_COUNT; i++)
		buf_add(out, buf_str(&r->chain[i]), r->chain[i].len);
}

static int nft_run(const char *text, struct err *e)
{
	struct nft_ctx *c = nft_ctx_new(NFT_CTX_DEFAULT);
	int r = 0;

	if (!c)
		return err_sys(e, errno ? errno : EIO, "open the firewall");
	if (nft_ctx_buffer_output(c) || nft_ctx_buffer_error(c)) {
		r = err_sys(e, ENOMEM, "open the firewall");
	} else {
		errno = 0;
		if (nft_run_cmd_from_buffer(c, text)) {
			const char *said = nft_ctx_get_error_buffer(c);
			int code = errno ? errno : EIO;

			r = err_set(e, ERR_SYS, code, "change the firewall: %.*s", (int)strcspn(said, "\n"),
				    said);
		}
	}
	nft_ctx_free(c);
	return r;
}

static int set_once(struct rules *r, const struct fw_pod *p, bool *ret_forwarded, struct err *e)
{
	auto_nftab t = { .table = false };
	auto_buf text = BUF_INIT;
	int q = nftab_read(&t, e);

	if (q < 0)
		return q;
	for (size_t i = 0; i < p->nnets; i++)
		rules_of_net(r, &p->nets[i], !t.filtered);
	*ret_forwarded = r->published > 0;
	transaction(r, &t, &text);
	return text.len ? nft_run(text.data, e) : 0;
}

int fw_set(const struct fw_pod *p, bool *ret_forwarded, struct err *e)
{
	int q = -ENOENT;

	if (!uuid_valid(p->uuid))
		return err_set(e, ERR_INPUT, EINVAL, "firewall: \"%.40s\" is no pod", p->uuid);
	/* Others do not know our lock: what was there may be gone by now. */
	for (int i = 0; i < ATTEMPTS && q < 0; i++) {
		auto_rules r = { .pod = p };

		err_clear(e);
		q = set_once(&r, p, ret_forwarded, e);
	}
	return q;
}

/* Can there be flows that a rule of this pod has translated?  Its rules may have been flushed. */
static bool published(const struct nftab *t, const char *uuid)
{
	bool any = false;

	for (size_t i = 0; i < t->nrules; i++) {
		if (strcmp(t->rule[i].comment, uuid) != 0)
			continue;
		any = true;
		if (strcmp(t->rule[i].chain, chains[CH_PUBLISH].name) == 0)
			return true;
	}
	return !any;
}

int fw_clear(const char *uuid, const struct net_result *gone, int *ret_last, struct err *e)
{
	int q = -ENOENT;

	if (ret_last)
		*ret_last = FD_NONE;
	for (int i = 0; i < ATTEMPTS && q < 0; i++) {
		auto_nftab t = { .table = false };

		err_clear(e);
		q = nftab_read(&t, e);
		if (q == 0)
			q = nftab_remove(&t, uuid, e);
		if (q == 0 && gone && published(&t, uuid))
			q = conntrack_forget(&t.sock, gone, e);
		if (q == 0 && ret_last) {
			*ret_last = fcntl(mnl_socket_get_fd(t.sock.nl), F_DUPFD_CLOEXEC, 3);
			if (*ret_last < 0)
				*ret_last = FD_NONE;
		}
	}
	return q;
}

int fw_pods(char ***ret, struct err *e)
{
	auto_nftab t = { .table = false };
	int r = nftab_read(&t, e);

	*ret = NULL;
	if (r < 0)
		return r;
	for (size_t i = 0; i < t.nrules; i++) {
		if (uuid_valid(t.rule[i].comment) && !strv_has(*ret, t.rule[i].comment))
			strv_push(ret, t.rule[i].comment);
	}
	return 0;
}

int fw_lock(struct err *e)
{
	auto_close int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : lock_fd(fd, LOCK_EXCL, true);

	if (r < 0)
		return err_sys(e, -r, "lock the network namespace");
	return steal_fd(&fd);
}
