/*
 * cmd_prepare — `rkt prepare`: everything that `rkt run` does before it starts the pod.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/log.h"
#include "rkt/output.h"
#include "rkt/podstart.h"

static int prepare_run(struct cli *c, struct err *e)
{
	struct pod_args *a = c->args;
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	struct stage1 s1 = { 0 };
	if (a->quiet)
		log_setup(c->prefix, LOG_QUIET);
	int r = podstart_prepare(c, a, &h, &s1, &p, e);
	stage1_done(&s1);
	if (r < 0)
		return r;
	r = pod_to_prepared(&p, e);
	if (r < 0)
		podstart_abandon(&p);
	return r < 0 ? r : output_line(e, "%s", p.uuid);
}

static const struct opt prepare_opts[] = {
	{ .name = "quiet",
	  .kind = OPT_BOOL,
	  .offset = offsetof(struct pod_args, quiet),
	  .help = "print the pod's UUID and errors, but no progress and no notices" },
	{ .kind = OPT_END },
};
static const struct opt *const prepare_tables[] = {
	prepare_opts, podflags_pull,      podflags_prepare, podflags_pod,       podflags_stage1,
	podflags_app, podflags_isolators, podflags_limits,  podflags_signature, NULL
};
_Static_assert(ARRAY_LEN(prepare_tables) <= CLI_TABLES_MAX, "the globals need a place too");

const struct command cmd_prepare = {
	.name = "prepare",
	.args = "IMAGE [image flags] [-- ARG...[---]] ...",
	.summary = "Prepare to run image(s) in a pod in rkt",
	.description =
		"Fetches and verifies the images, makes the pod and prints its UUID; 'rkt run-prepared'\n"
		"starts it later. The pod is on disk when the UUID is printed.",
	.tables = prepare_tables,
	.args_size = sizeof(struct pod_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_IMAGE,
	.parse = pod_args_parse,
	.run = prepare_run,
	.done = pod_args_done,
};
