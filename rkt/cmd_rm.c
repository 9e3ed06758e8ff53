/*
 * cmd_rm — `rkt rm`: delete pods that do not run, now.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "rkt/uuidarg.h"
#include "stage0/gc.h"

struct rm_args {
	char *uuid_file;
};

static int remove_pod(const struct cli *c, const struct host *h, const char *uuid, struct err *e)
{
	auto_pod p = POD_INIT;
	int r = pod_open_prefix(&h->data, uuid, &p, e);
	if (r < 0)
		return r;
	r = gc_remove_pod(&p, c->g.debug, c->g.local_config, e);
	return r < 0 ? r : output_line(e, "\"%s\"", p.uuid);
}

static int rm_run(struct cli *c, struct err *e)
{
	const struct rm_args *a = c->args;

	return uuid_args_each(c, a->uuid_file, remove_pod, e);
}

static const struct opt rm_opts[] = {
	{ .name = "uuid-file",
	  .kind = OPT_STR,
	  .arg = "FILE",
	  .offset = offsetof(struct rm_args, uuid_file),
	  .complete = COMP_FILE,
	  .help = "read the pod's UUID from a file instead of the arguments" },
	{ .kind = OPT_END },
};
static const struct opt *const rm_tables[] = { rm_opts, NULL };

const struct command cmd_rm = {
	.name = "rm",
	.args = "UUID ...",
	.summary = "Remove all files and resources associated with an exited pod",
	.description =
		"Deletes pods that are prepared, exited or whose preparation was aborted, without any\n"
		"grace period. Running pods are left alone: stop them first.",
	.tables = rm_tables,
	.args_size = sizeof(struct rm_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_UUID_STOPPED,
	.run = rm_run,
};
