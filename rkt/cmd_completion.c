/*
 * cmd_completion — `rkt completion bash`.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/strv.h"
#include "rkt/completion.h"
#include "rkt/output.h"

static const char *const shells[] = { "bash", NULL };

static int completion_run(struct cli *c, struct err *e)
{
	if (strv_len(c->rest) != 1)
		return cli_usage(c, e, "must provide exactly one shell name");
	if (strcmp(c->rest[0], "bash") != 0)
		return err_set(e, ERR_INPUT, EINVAL, "shell \"%s\" is not supported: only bash is",
			       c->rest[0]);
	auto_buf script = BUF_INIT;
	completion_bash(&script);
	return output_write(&script, e);
}

const struct command cmd_completion = {
	.name = "completion",
	.args = "SHELL",
	.summary = "Output shell completion code for the specified shell",
	.description = "Put the output where bash looks for completions, or: source <(rkt completion bash)",
	.complete = COMP_CHOICES,
	.choices = shells,
	.run = completion_run,
};
