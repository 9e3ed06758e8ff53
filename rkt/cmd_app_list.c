/*
 * cmd_app_list — `rkt app list`: the apps of a pod and how they are.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/table.h"
#include "rkt/appverb.h"
#include "stage0/status.h"

static int print_table(const struct pod_snapshot *s, bool no_legend, struct err *e)
{
	auto_buf text = BUF_INIT;
	struct table *t = table_new(2);
	if (!no_legend) {
		table_cell(t, "NAME");
		table_cell(t, "STATE");
	}
	for (size_t i = 0; i < s->napps; i++) {
		table_cell(t, s->apps[i].name);
		table_cell(t, s->apps[i].state);
	}
	table_print(t, &text);
	table_free(t);
	return output_write(&text, e);
}

static int print_json(const struct pod_snapshot *s, enum output_format format, struct err *e)
{
	json_t *all = json_array();
	for (size_t i = 0; i < s->napps; i++)
		json_array_append_new(all, app_snapshot_json(s, i));
	return output_json(all, format, e);
}

static int app_list_run(struct cli *c, struct err *e)
{
	const struct appverb_args *a = c->args;
	enum output_format format = output_format_of(a->format);
	struct pod_snapshot s;
	int r = appverb_snapshot(c, &s, e);
	if (r < 0)
		return r;
	r = format == OUTPUT_TEXT ? print_table(&s, a->no_legend, e) : print_json(&s, format, e);
	pod_snapshot_done(&s);
	return r;
}

static const struct opt app_list_opts[] = {
	{ .name = "format",
	  .kind = OPT_STR,
	  .arg = "FORMAT",
	  .offset = offsetof(struct appverb_args, format),
	  .choices = output_formats,
	  .complete = COMP_CHOICES,
	  .help = "choose the output format: json or json-pretty" },
	{ .name = "no-legend",
	  .kind = OPT_BOOL,
	  .offset = offsetof(struct appverb_args, no_legend),
	  .help = "suppress a legend with the list" },
	{ .kind = OPT_END },
};
static const struct opt *const app_list_tables[] = { app_list_opts, NULL };

const struct command cmd_app_list = {
	.group = "app",
	.name = "list",
	.args = "UUID",
	.summary = "List the apps of a pod",
	.description = "Lists the names and states of the pod's apps: created, running or exited; unknown is "
		       "one whose\n"
		       "addition was interrupted. The JSON form is an array of what 'rkt app status' prints.",
	.tables = app_list_tables,
	.args_size = sizeof(struct appverb_args),
	.complete = COMP_UUID_ANY,
	.run = app_list_run,
};
