/*
 * cmd_app_stop — `rkt app stop`: stop an app of a mutable pod.
 */
#include "rkt/commands.h"

#include "rkt/appverb.h"
#include "stage0/mutable.h"

static int app_stop_run(struct cli *c, struct err *e)
{
	return appverb_run(c, mutable_stop, "stopped", "is already stopped", e);
}

const struct command cmd_app_stop = {
	.group = "app",
	.name = "stop",
	.args = "UUID",
	.summary = "Stop an app of a mutable pod",
	.description = "Asks the app to end (SIGTERM), kills it after ten seconds, and returns when nothing "
		       "of it is left. An app\n"
		       "that does not run is no error.",
	.tables = appverb_app_tables,
	.args_size = sizeof(struct appverb_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_UUID_RUNNING,
	.run = app_stop_run,
};
