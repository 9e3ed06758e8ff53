/*
 * help — the help screens of cli.h: sections indented by a TAB, in the order of cli.md section 2.1.
 */
#include "rkt/cli.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "base/table.h"
#include "version.h"

static const char rkt_summary[] = "rkt, the application container runner";
static const char rkt_description[] =
	"A command line for running verified container images as pods: no daemon, no database.\n"
	"\n"
	"The process that 'rkt run' becomes is the pod's supervisor: signals stop the pod, and its\n"
	"exit status is the application's. Commands may be abbreviated while they stay unambiguous.";

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct opt *)a)->name, ((const struct opt *)b)->name);
}

struct opt *cli_merge_tables(const struct opt *const *tables)
{
	size_t n = 0;
	for (size_t t = 0; tables && tables[t]; t++)
		for (const struct opt *o = tables[t]; o->kind != OPT_END; o++)
			n += !(o->flags & (OPT_HIDDEN | OPT_DEPRECATED));
	struct opt *all = xcalloc(n + 1, sizeof(*all));
	size_t at = 0;
	for (size_t t = 0; tables && tables[t]; t++)
		for (const struct opt *o = tables[t]; o->kind != OPT_END; o++)
			if (!(o->flags & (OPT_HIDDEN | OPT_DEPRECATED)))
				all[at++] = *o;
	qsort(all, n, sizeof(*all), by_name);
	all[n].kind = OPT_END;
	return all;
}

/* Append @text with a TAB before every line that is not empty. */
static void add_indented(struct buf *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		if (n)
			buf_addc(out, '\t');
		buf_add(out, text, n);
		buf_addc(out, '\n');
		text += n + (text[n] == '\n');
	}
}

static void add_section(struct buf *out, const char *title, const char *body)
{
	if (!*body)
		return;
	buf_addf(out, "%s%s:\n", out->len ? "\n" : "", title);
	add_indented(out, body);
}

static void add_options(struct buf *out, const char *title, const struct opt *const *tables)
{
	auto_free struct opt *all = cli_merge_tables(tables);
	auto_buf rows = BUF_INIT;
	if (all[0].kind == OPT_END)
		return;
	opt_help(all, &rows); /* begins each row with a TAB itself */
	buf_addf(out, "\n%s:\n%s", title, buf_str(&rows));
}

/* @group NULL: every command, those of groups as "image list". */
static void add_commands(struct buf *out, const char *group)
{
	struct table *t = table_new(2);
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		if ((c->flags & (COMMAND_HIDDEN | COMMAND_GROUP)) ||
		    (group && (!c->group || strcmp(group, c->group) != 0)))
			continue;
		table_cellf(t, "%s%s%s", c->group ? c->group : "", c->group ? " " : "", c->name);
		table_cell(t, c->summary);
	}
	auto_buf rows = BUF_INIT;
	table_print(t, &rows);
	table_free(t);
	add_section(out, "COMMANDS", buf_str(&rows));
}

void cli_help(const struct command *cmd, struct buf *out)
{
	static const struct opt *const global_tables[] = { global_opts, NULL };
	auto_free char *title = !cmd ? xstrdup("rkt")
				     : xasprintf("%s%s%s", cmd->group ? cmd->group : "",
						 cmd->group ? " " : "", cmd->name);
	bool group = !cmd || (cmd->flags & COMMAND_GROUP);
	auto_free char *name = xasprintf("%s - %s", title, cmd ? cmd->summary : rkt_summary);
	auto_free char *usage = xasprintf("%s%s%s", cmd ? "rkt " : "", title, group ? " [command]" : "");
	auto_free char *full = group ? xstrdup(usage)
				     : xasprintf("%s [flags]%s%s", usage, *cmd->args ? " " : "", cmd->args);
	add_section(out, "NAME", name);
	add_section(out, "USAGE", full);
	if (!cmd)
		add_section(out, "VERSION", RKT_VERSION);
	if (group)
		add_commands(out, cmd ? cmd->name : NULL);
	add_section(out, "DESCRIPTION", cmd ? cmd->description : rkt_description);
	if (cmd)
		add_options(out, "OPTIONS", cmd->tables);
	add_options(out, cmd ? "GLOBAL OPTIONS" : "OPTIONS", global_tables);
}
