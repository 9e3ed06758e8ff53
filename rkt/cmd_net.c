/*
 * cmd_net — `rkt net`: the group of the verbs about networks.
 */
#include "rkt/commands.h"

const struct command cmd_net = {
	.name = "net",
	.args = "",
	.summary = "Operate on the networks of pods",
	.description =
		"Networks are configured by CNI files *.conf and *.conflist in net.d of the local and the\n"
		"vendor's configuration directory. Two need no file and no plugin: default, with the way "
		"out\n"
		"behind the host's addresses, and default-restricted, which reaches the host only.",
	.flags = COMMAND_GROUP,
};
