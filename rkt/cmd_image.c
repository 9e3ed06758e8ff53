/*
 * cmd_image — `rkt image`: the group of the verbs about stored images.
 */
#include "rkt/commands.h"

const struct command cmd_image = {
	.name = "image",
	.args = "",
	.summary = "Operate on image(s) in the local store",
	.description = "IMAGE is an image id, the beginning of one, or NAME[:VERSION][,LABEL=VALUE...]. A "
		       "name that\n"
		       "fits several images means the one imported last.",
	.flags = COMMAND_GROUP,
};
