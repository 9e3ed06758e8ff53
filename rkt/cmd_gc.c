/*
 * cmd_gc — `rkt gc`: mark pods that ended, delete those that were marked long enough ago.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/log.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "stage0/gc.h"

struct gc_args {
	int64_t grace, expire_prepared;
	bool mark_only;
};

/* The first failure to write is kept: deleting goes on, but the caller must hear of it. */
static void report(void *arg, enum gc_event ev, const char *uuid, const struct err *e)
{
	struct err *output = arg;
	switch (ev) {
	case GC_MARKED:
		log_info("moving pod \"%s\" to garbage", uuid);
		return;
	case GC_ABORTED:
		log_info("moving failed prepare \"%s\" to garbage", uuid);
		return;
	case GC_EXPIRED:
		log_info("moving expired prepared pod \"%s\" to garbage", uuid);
		return;
	case GC_IN_GRACE:
		log_info("pod \"%s\" not removed: still within grace period", uuid);
		return;
	case GC_DELETING:
		if (!output->code)
			(void)output_line(output, "Garbage collecting pod \"%s\"", uuid);
		return;
	case GC_FAILED:
		log_warn("pod \"%s\": %s", uuid, e->text);
		return;
	}
}

static int gc_cmd_run(struct cli *c, struct err *e)
{
	const struct gc_args *a = c->args;
	auto_host h = { 0 };
	struct err output = ERR_INIT;
	if (a->grace < 0 || a->expire_prepared < 0)
		return cli_usage(c, e, "--grace-period and --expire-prepared cannot be negative");
	int r = host_open(&c->g, HOST_OPTIONAL, &h, e);
	if (r < 0 || !h.has_data)
		return r;
	struct gc_options o = {
		.grace_ns = a->grace,
		.expire_prepared_ns = a->expire_prepared,
		.mark_only = a->mark_only,
		.debug = c->g.debug,
		.local_config = c->g.local_config,
		.report = report,
		.arg = &output,
	};
	r = gc_run(&h.data, &o, e);
	return r < 0 ? r : output.code ? err_copy(e, &output) : 0;
}

#define G(member) offsetof(struct gc_args, member)
static const struct opt gc_opts[] = {
	{ .name = "expire-prepared",
	  .kind = OPT_DURATION,
	  .arg = "TIME",
	  .offset = G(expire_prepared),
	  .dflt = "24h",
	  .help = "duration to wait before expiring prepared pods" },
	{ .name = "grace-period",
	  .kind = OPT_DURATION,
	  .arg = "TIME",
	  .offset = G(grace),
	  .dflt = "30m",
	  .help = "duration to wait before discarding inactive pods from garbage" },
	{ .name = "mark-only",
	  .kind = OPT_BOOL,
	  .offset = G(mark_only),
	  .help = "only move exited and aborted pods to garbage, delete nothing" },
	{ .kind = OPT_END },
};
static const struct opt *const gc_tables[] = { gc_opts, NULL };

const struct command cmd_gc = {
	.name = "gc",
	.args = "",
	.summary = "Garbage collect rkt pods no longer in use",
	.description =
		"Nothing is deleted by itself: run this now and then, for example from a systemd timer.\n"
		"The first pass that sees an exited pod marks it; a later one deletes it when it was\n"
		"marked longer ago than the grace period. A grace period of 0s does both at once.",
	.tables = gc_tables,
	.args_size = sizeof(struct gc_args),
	.flags = COMMAND_ROOT,
	.run = gc_cmd_run,
};
