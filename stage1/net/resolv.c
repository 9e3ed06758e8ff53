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

int resolv_write(const struct net_pod *p, const struct record *r, struct err *e)
{
	const char *used = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct attachment *a = r->v[i];
		struct net_result res;
		auto_buf text = BUF_INIT;
		int n = net_result_parse(a->result, a->conf->version, a->ifname, &res, e);

		if (n < 0)
			return err_ctx(e, "network \"%s\"", a->conf->name);
		bool any = res.nameservers || res.search || res.options || (res.domain && *res.domain);
		if (any && used)
			log_warn("network \"%s\": its name servers are passed over for those of \"%s\"",
				 a->conf->name, used);
		else if (any)
			compose(&text, &res, a->conf->name);
		net_result_done(&res);
		if (!text.len)
			continue;
		used = a->conf->name;
		n = mkdir_p_at(p->pod_fd, CONTRACT_DIR_ETC, 0755);
		if (n == 0)
			n = write_file_at(p->pod_fd, CONTRACT_FILE_RESOLV, buf_str(&text), text.len, 0644, 0);
		if (n < 0)
			return err_sys(e, -n, "write %s", CONTRACT_FILE_RESOLV);
	}
	return used != NULL;
}
