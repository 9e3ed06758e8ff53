/* resolv — see resolv.h. */
#include "stage1/net/resolv.h"

#include <ctype.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/net/hostresolv.h"
#include "stage1/net/result.h"

/* A word of a plugin's may not become a line of its own. */
static bool word_valid(const char *s)
{
	for (; *s; s++)
		if (iscntrl((unsigned char)*s))
			return false;
	return true;
}

static void add_line(struct buf *out, const char *key, char *const *words)
{
	bool any = false;

	for (char *const *w = words; w && *w; w++) {
		if (!word_valid(*w))
			continue;
		buf_addf(out, any ? " %s" : "%s %s", any ? *w : key, any ? "" : *w);
		any = true;
	}
	if (any)
		buf_addc(out, '\n');
}

static void compose(struct buf *out, const struct net_result *res, const char *network)
{
	buf_addf(out, "# from network %s\n\n", network);
	add_line(out, "search", res->search);
	for (char *const *ns = res->nameservers; ns && *ns; ns++)
		if (word_valid(*ns))
			buf_addf(out, "nameserver %s\n", *ns);
	add_line(out, "options", res->options);
	if (res->domain && *res->domain && word_valid(res->domain))
		buf_addf(out, "domain %s\n", res->domain);
}

static int write_text(const struct net_pod *p, const char *file, const struct buf *text, struct err *e)
{
	int r = mkdir_p_at(p->pod_fd, CONTRACT_DIR_ETC, 0755);

	if (r == 0)
		r = write_file_at(p->pod_fd, file, buf_str(text), text->len, 0644, 0);
	return r < 0 ? err_sys(e, -r, "write %s", file) : 0;
}

/* What the first network that knows name servers says of them; @ret_way_out: some network leads anywhere. */
static int ask_networks(const struct record *r, struct buf *text, bool *ret_way_out, struct err *e)
{
	const char *used = NULL;

	*ret_way_out = false;
	for (size_t i = 0; i < r->n; i++) {
		const struct attachment *a = r->v[i];
		struct net_result res;

		if (net_result_parse(a->result, a->conf->version, a->ifname, &res, e) < 0)
			return err_ctx(e, "network \"%s\"", a->conf->name);
		bool any = res.nameservers || res.search || res.options || (res.domain && *res.domain);
		if (any && used) {
			log_warn("network \"%s\": its name servers are passed over for those of \"%s\"",
				 a->conf->name, used);
		} else if (any) {
			used = a->conf->name;
			compose(text, &res, used);
		}
		*ret_way_out |= res.way_out;
		net_result_done(&res);
	}
	return 0;
}

int resolv_write(const struct net_pod *p, const struct record *r, enum net_resolv *ret, struct err *e)
{
	auto_buf text = BUF_INIT;
	bool way_out = false;
	int n = ask_networks(r, &text, &way_out, e);

	*ret = NET_RESOLV_NONE;
	if (n < 0)
		return n;
	if (text.len) {
		*ret = NET_RESOLV_NETWORK;
		return write_text(p, CONTRACT_FILE_RESOLV, &text, e);
	}
	if (way_out)
		hostresolv_read(&text);
	if (!text.len)
		return 0;
	*ret = NET_RESOLV_HOST;
	return write_text(p, CONTRACT_FILE_RESOLV_HOST, &text, e);
}
