/*
 * cmd_config — `rkt config`: the merged configuration.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "rkt/output.h"
#include "stage0/config.h"

struct config_args {
	bool pretty;
};

static int config_run(struct cli *c, struct err *e)
{
	const struct config_args *a = c->args;
	struct config cfg = { 0 };
	int r = config_load(c->g.system_config, c->g.local_config, c->g.user_config, CONFIG_ALL, &cfg, e);
	if (r == 0)
		r = output_json(config_to_json(&cfg), a->pretty ? OUTPUT_JSON_PRETTY : OUTPUT_JSON, e);
	config_done(&cfg);
	return r;
}

static const struct opt config_opts[] = {
	{ .name = "pretty-print",
	  .kind = OPT_BOOL,
	  .offset = offsetof(struct config_args, pretty),
	  .dflt = "true",
	  .help = "apply indent to format the output" },
	{ .kind = OPT_END },
};
static const struct opt *const config_tables[] = { config_opts, NULL };

const struct command cmd_config = {
	.name = "config",
	.args = "",
	.summary = "Print configuration for each stage in JSON format",
	.description = "Prints what the configuration directories say together, passwords included.",
	.tables = config_tables,
	.args_size = sizeof(struct config_args),
	.run = config_run,
};
