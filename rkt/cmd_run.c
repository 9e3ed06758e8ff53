/*
 * cmd_run — `rkt run`: images in, a running pod out; this process becomes its supervisor.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "rkt/podstart.h"

static int run_run(struct cli *c, struct err *e)
{
	return podstart_run(c, c->args, e);
}

static const struct opt run_opts[] = {
	{ .name = "uuid-file-save",
	  .kind = OPT_STR,
	  .arg = "FILE",
	  .offset = offsetof(struct pod_args, uuid_file_save),
	  .complete = COMP_FILE,
	  .help = "write out the pod's UUID to this file as soon as the pod exists" },
	{ .kind = OPT_END },
};
static const struct opt *const run_tables[] = { run_opts,
						podflags_pull,
						podflags_prepare,
						podflags_pod,
						podflags_stage1,
						podflags_runtime,
						podflags_dns,
						podflags_terminal,
						podflags_app,
						podflags_isolators,
						podflags_limits,
						podflags_signature,
						NULL };
_Static_assert(ARRAY_LEN(run_tables) <= CLI_TABLES_MAX, "the globals need a place too");

const struct command cmd_run = {
	.name = "run",
	.args = "IMAGE [image flags] [-- ARG...[---]] ...",
	.summary = "Run image(s) in a pod in rkt",
	.description =
		"IMAGE is an image id or the beginning of one, the name of a stored image, a path or an\n"
		"http, https or file URL. Options behind an image that are about an image apply to the last\n"
		"one before them. What follows \"--\", up to \"---\" or the end, are arguments that are "
		"appended\n"
		"to the image's own command line, or to the program given with --exec.\n"
		"\n"
		"The process becomes the pod's supervisor: a signal stops the pod, and the exit status is\n"
		"that of the first app that failed, 128 and the number of the signal that ended it, or 254\n"
		"when rkt itself failed.",
	.tables = run_tables,
	.args_size = sizeof(struct pod_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_IMAGE,
	.parse = pod_args_parse,
	.run = run_run,
	.done = pod_args_done,
};
