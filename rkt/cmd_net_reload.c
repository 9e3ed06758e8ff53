/*
 * cmd_net_reload — `rkt net reload`: pods get back what a reloaded firewall has taken from them.
 */
#include "rkt/commands.h"

#include <stdlib.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "rkt/host.h"
#include "rkt/netverb.h"

static int reload_one(const struct cli *c, struct pod *p, struct err *e)
{
	struct net_where w = netverb_where(c);

	return networks_reload(p, &w, e);
}

static int reload_named(const struct cli *c, const struct host *h, const char *uuid, struct err *e)
{
	auto_pod p = POD_INIT;
	int r = pod_open_prefix(&h->data, uuid, &p, e);

	if (r == 0 && p.state != POD_RUNNING)
		r = err_set(e, ERR_STATE, EINVAL, "pod \"%s\" is not running: it is %s", p.uuid,
			    pod_state_name(p.state));
	return r == 0 ? reload_one(c, &p, e) : r;
}

/* Every running pod; a pod that ends meanwhile needs nothing. */
static int reload_seen(const struct cli *c, const struct host *h, const struct pod_place *place,
		       struct err *e)
{
	auto_pod p = POD_INIT;
	int r = pod_open_place(&h->data, place, &p, e);

	if (r == 0 && p.state == POD_RUNNING)
		r = reload_one(c, &p, e);
	if (r < 0 && p.fd >= 0) {
		struct err ignored = ERR_INIT;

		if (pod_refresh(&p, &ignored) < 0 || p.state != POD_RUNNING)
			r = -ENOENT;
	}
	if (r == -ENOENT)
		err_clear(e);
	return r == -ENOENT ? 0 : r;
}

/* The first error is returned, others are told as they come: one broken pod does not keep the rest from their rules. */
static int keep(struct err *first, const struct err *e)
{
	if (first->code)
		log_error("%s", e->text);
	else
		err_copy(first, e);
	return -first->code;
}

static int reload_all(const struct cli *c, const struct host *h, struct err *e)
{
	struct pod_places all = { NULL, 0, 0 };
	int r = pods_scan(&h->data, PODS_RUN, &all, e);

	for (size_t i = 0; i < all.n; i++) {
		struct err own = ERR_INIT;

		if (reload_seen(c, h, &all.v[i], &own) < 0)
			r = keep(e, &own);
	}
	free(all.v);
	return r;
}

static int net_reload_run(struct cli *c, struct err *e)
{
	auto_host h = { 0 };
	int r = host_open(&c->g, HOST_OPTIONAL, &h, e);

	if (r < 0 || !h.has_data)
		return r;
	if (!c->rest || !*c->rest)
		return reload_all(c, &h, e);
	for (char **u = c->rest; *u; u++) {
		struct err own = ERR_INIT;

		if (reload_named(c, &h, *u, &own) < 0)
			r = keep(e, &own);
	}
	return r;
}

const struct command cmd_net_reload = {
	.group = "net",
	.name = "reload",
	.args = "[UUID ...]",
	.summary = "Put the networks' firewall rules back",
	.description = "Run this after the host's firewall was reloaded or flushed: masquerading and "
		       "published ports\n"
		       "of all running pods, or of those that are named, are put back, and every network is "
		       "checked.\n"
		       "Only rules of rkt's own table, and those that plugins write, are touched.",
	.flags = COMMAND_ROOT,
	.complete = COMP_UUID_RUNNING,
	.run = net_reload_run,
};
