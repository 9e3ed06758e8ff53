/*
 * cmd_app_rm — `rkt app rm`: remove an app from a mutable pod.
 */
#include "rkt/commands.h"

#include "rkt/appverb.h"
#include "stage0/mutable.h"

static int app_rm_run(struct cli *c, struct err *e)
{
	return appverb_run(c, mutable_rm, "removed", "removed", e);
}

const struct command cmd_app_rm = {
	.group = "app",
	.name = "rm",
	.args = "UUID",
	.summary = "Remove an app from a mutable pod",
	.description = "Removes an app that does not run: its files, mounts and control group, and its name "
		       "from the pod. Works\n"
		       "on pods that have ended too.",
	.tables = appverb_app_tables,
	.args_size = sizeof(struct appverb_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_UUID_ANY,
	.run = app_rm_run,
};
