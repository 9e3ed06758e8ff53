/*
 * cmd_app — `rkt app`: the group of the verbs about mutable pods, whose apps come and go.
 */
#include "rkt/commands.h"

const struct command cmd_app = {
	.name = "app",
	.args = "",
	.summary = "Operate on the apps of a mutable pod",
	.description = "A mutable pod is started without apps by 'rkt app sandbox' and lasts until it is "
		       "stopped. Apps are\n"
		       "added to it, started, stopped, started again and removed; the end of an app, "
		       "whatever its exit\n"
		       "status, does not end the pod. What an app writes goes where the sandbox writes.",
	.flags = COMMAND_GROUP,
};
