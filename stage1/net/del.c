/* del — the verbs del and reload: see job.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/alloc.h"
#include "stage1/net/fw.h"
#include "stage1/net/job.h"

const struct attachment *net_port_network(const struct record *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (net_conf_masquerades(r->v[i]->conf))
			return r->v[i];
	return r->n ? r->v[r->n - 1] : NULL;
}

/* ---- the firewall ---- */

static bool is_ours(const struct attachment *a)
{
	return net_driver_of(a->conf) == &net_driver_builtin;
}

/* Nothing leaves it: a built-in network that has no way out. */
static bool is_isolated(const struct attachment *a)
{
	return is_ours(a) && !json_is_true(json_member(json_array_get(a->conf->plugins, 0), "defaultRoute"));
}

static int apply(const struct net_job *j, bool all, struct net_result *results, struct fw_net *nets,
		 bool *ret_forwarded, struct err *e)
{
	struct fw_pod p = { .uuid = j->pod.uuid, .nets = nets, .ports = &j->rec.ports };
	const struct attachment *target = net_port_network(&j->rec);

	for (size_t i = 0; i < j->rec.n; i++) {
		const struct attachment *a = j->rec.v[i];
		int r = a->result ? net_result_parse(a->result, a->conf->version, a->ifname, &results[i], e)
				  : 0;

		if (r < 0)
			return err_ctx(e, "network \"%s\"", a->conf->name);
		nets[p.nnets++] = (struct fw_net){
			.result = &results[i],
			.masquerade = (all || is_ours(a)) && net_conf_masquerades(a->conf),
			.ports = a == target && j->rec.ports.n,
			.isolated = is_isolated(a),
		};
	}
	auto_close int lock = fw_lock(e);
	return lock < 0 ? lock : fw_set(&p, ret_forwarded, e);
}

static bool needs_firewall(const struct net_job *j, bool all)
{
	bool needed = j->rec.ports.n > 0;

	for (size_t i = 0; i < j->rec.n; i++)
		needed |= is_ours(j->rec.v[i]) || (all && net_conf_masquerades(j->rec.v[i]->conf));
	return needed;
}

int net_apply_firewall(const struct net_job *j, bool all, bool *ret_forwarded, struct err *e)
{
	*ret_forwarded = false;
	if (!needs_firewall(j, all))
		return 0;
	auto_free struct net_result *results = xcalloc(j->rec.n + 1, sizeof(*results));
	auto_free struct fw_net *nets = xcalloc(j->rec.n + 1, sizeof(*nets));
	int r = apply(j, all, results, nets, ret_forwarded, e);
	for (size_t i = 0; i < j->rec.n; i++)
		net_result_done(&results[i]);
	return r;
}

/* ---- del ---- */

/* The first error is told, the others are logged. */
static void keep_first(struct err *first, const struct err *e)
{
	if (!first->code)
		err_copy(first, e);
	else
		log_warn("%s", e->text);
}

static void del_one(const struct net_job *j, const struct attachment *a, struct err *first)
{
	struct err e = ERR_INIT;
	int r = net_driver_of(a->conf)->del(&j->pod, a, &e);

	if (r < 0)
		err_ctx(&e, "network \"%s\"", a->conf->name);
	else
		r = record_drop(&j->pod, a, &e);
	if (r < 0)
		keep_first(first, &e);
}

/* Rules first: nothing of the pod's may lead to an address that is somebody else's in a moment.  What is returned is closed last: the kernel
 * frees the rules while the interfaces go. */
static int clear_firewall(const struct net_job *j, struct err *first)
{
	const struct attachment *a = j->rec.ports.n ? net_port_network(&j->rec) : NULL;
	struct net_result res = { 0 };
	struct err e = ERR_INIT, ignored = ERR_INIT;
	int last = FD_NONE;

	if (!needs_firewall(j, true))
		return last;
	if (a && a->result)
		(void)net_result_parse(a->result, a->conf->version, a->ifname, &res, &ignored);
	auto_close int lock = fw_lock(&e);
	if (lock < 0 || fw_clear(j->pod.uuid, a ? &res : NULL, &last, &e) < 0)
		keep_first(first, &e);
	net_result_done(&res);
	return last;
}

int net_del(struct net_job *j, struct err *e)
{
	struct err first = ERR_INIT, load = ERR_INIT;
	auto_close int lock = record_lock(&j->pod, e);

	if (lock == -ENOENT) {
		err_clear(e);
		return 0;
	}
	if (lock < 0)
		return lock;
	if (record_load(&j->pod, &j->rec, &load) < 0)
		keep_first(&first, &load);
	int last = clear_firewall(j, &first);
	for (size_t i = j->rec.n; i-- > 0;)
		del_one(j, j->rec.v[i], &first);
	fd_close(&last);
	if (!first.code && record_finish(&j->pod, e) < 0)
		return -e->code;
	return first.code ? err_copy(e, &first) : 0;
}

/* ---- reload ---- */

static int load_running(struct net_job *j, struct err *e)
{
	if (j->pod.netns_fd < 0)
		return err_set(e, ERR_USAGE, EBADF, "descriptor %d is no network namespace", NET_FD_NETNS);
	return record_load(&j->pod, &j->rec, e);
}

/* Plugins are asked by their driver, those that can tell. */
static int check_ours(const struct net_job *j, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < j->rec.n && r == 0; i++) {
		const struct attachment *a = j->rec.v[i];

		if (is_ours(a))
			r = net_driver_of(a->conf)->check(&j->pod, a, e);
		if (r < 0)
			err_ctx(e, "network \"%s\"", a->conf->name);
	}
	return r;
}

int net_reload(struct net_job *j, struct err *e)
{
	struct err first = ERR_INIT;
	bool forwarded = false;
	int r = load_running(j, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < j->rec.n; i++) {
		const struct attachment *a = j->rec.v[i];
		struct err own = ERR_INIT;

		if (net_driver_of(a->conf)->reload(&j->pod, a, &own) < 0) {
			err_ctx(&own, "network \"%s\"", a->conf->name);
			keep_first(&first, &own);
		}
	}
	r = net_apply_firewall(j, true, &forwarded, e);
	if (r == 0)
		r = check_ours(j, e);
	if (r < 0)
		keep_first(&first, e);
	return first.code ? err_copy(e, &first) : 0;
}
