/*
 * cmd_app_start — `rkt app start`: start an app of a mutable pod.
 */
#include "rkt/commands.h"

#include "rkt/appverb.h"
#include "stage0/mutable.h"

static int app_start_run(struct cli *c, struct err *e)
{
	return appverb_run(c, mutable_start, "started", "started", e);
}

const struct command cmd_app_start = {
	.group = "app",
	.name = "start",
	.args = "UUID",
	.summary = "Start an app of a mutable pod",
	.description = "Starts an app that was added, or one that has ended, again. Returns when its program "
		       "was executed; an\n"
		       "app that runs is an error.",
	.tables = appverb_app_tables,
	.args_size = sizeof(struct appverb_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_UUID_RUNNING,
	.run = app_start_run,
};
