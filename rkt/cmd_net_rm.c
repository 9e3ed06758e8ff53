/*
 * cmd_net_rm — `rkt net rm`: a network that nobody uses leaves nothing behind.
 */
#include "rkt/commands.h"

#include "base/strv.h"
#include "rkt/host.h"
#include "rkt/netverb.h"
#include "rkt/output.h"

static int net_rm_run(struct cli *c, struct err *e)
{
	struct net_where w = netverb_where(c);
	auto_host h = { 0 };
	struct stage1 s = { 0 };

	if (!c->rest || !*c->rest)
		return cli_usage(c, e, "must provide at least one network");
	int r = netverb_open(c, &h, &s, e);
	for (char **name = c->rest; r == 0 && *name; name++) {
		r = networks_remove(&s, &h.data, &w, *name, e);
		if (r == 0)
			r = output_line(e, "\"%s\"", *name);
	}
	stage1_done(&s);
	return r;
}

const struct command cmd_net_rm = {
	.group = "net",
	.name = "rm",
	.args = "NAME ...",
	.summary = "Remove networks that no pod uses",
	.description = "Removes the network's file from the local configuration directory, its leases of "
		       "addresses and\n"
		       "its bridge. Of a built-in network, or one of the vendor's, only what pods have left "
		       "goes. Refused\n"
		       "while a pod runs in it.",
	.flags = COMMAND_ROOT,
	.run = net_rm_run,
};
