/*
 * cmd_help — `rkt help [COMMAND...]`.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/log.h"
#include "rkt/output.h"

/* The command that the words name, as far as they do; NULL for none. */
static const struct command *find_topic(char *const *words, struct err *e)
{
	const struct command *cmd = NULL;
	for (char *const *w = words; w && *w; w++) {
		const struct command *next = cli_find(cmd ? cmd->name : NULL, *w, e);
		if (!next)
			return NULL;
		cmd = next;
		if (!(cmd->flags & COMMAND_GROUP))
			break;
	}
	return cmd;
}

static int help_run(struct cli *c, struct err *e)
{
	auto_buf text = BUF_INIT;
	struct err unknown = ERR_INIT;
	const struct command *cmd = find_topic(c->rest, &unknown);
	if (unknown.code)
		log_info("no such help topic: %s", unknown.text);
	cli_help(cmd, &text);
	return output_write(&text, e);
}

const struct command cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "Help about any command",
	.description = "Prints what a command does and its options; the same as 'rkt COMMAND --help'.",
	.complete = COMP_CHOICES,
	.run = help_run,
};
