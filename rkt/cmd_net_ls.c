/*
 * cmd_net_ls — `rkt net ls`: which networks are there, and who is in them?
 */
#include "rkt/commands.h"

#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "base/table.h"
#include "rkt/host.h"
#include "rkt/netverb.h"
#include "rkt/output.h"

#define UUID_SHORT 8

struct net_ls_args {
	bool full, no_legend;
	char *format;
};

/* Gives each network its "pods", and networks whose file is gone a place at the end. */
static void join(json_t *nets, json_t *used)
{
	json_t *n, *u;
	size_t i, k;

	json_array_foreach(nets, i, n) json_object_set_new(n, "pods", json_array());
	json_array_foreach(used, k, u)
	{
		json_t *name = json_object_get(u, "netName"), *home = NULL;

		json_array_foreach(nets, i, n) home = json_equal(json_object_get(n, "name"), name) ? n : home;
		if (!home) {
			home = json_pack("{s:O, s:n, s:s, s:[], s:[], s:b, s:[]}", "name", name, "file",
					 "driver", "-", "plugins", "subnets", "ipMasq", false, "pods");
			json_array_append_new(nets, home);
		}
		json_object_del(u, "netName");
		json_array_append(json_object_get(home, "pods"), u);
	}
}

static char *joined(const json_t *list, const char *key, size_t digits)
{
	auto_strv words = NULL;
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *s = json_string_value(key ? json_object_get(v, key) : v);

		strv_pushf(&words, "%.*s", digits ? (int)digits : 1000, s ? s : "");
	}
	return words ? strv_join(words, ",") : xstrdup("-");
}

static void add_row(struct table *t, const json_t *n, const struct net_ls_args *a)
{
	const char *file = json_string_value(json_object_get(n, "file"));
	const char *driver = json_string_value(json_object_get(n, "driver"));
	auto_free char *plugins = joined(json_object_get(n, "plugins"), NULL, 0);
	auto_free char *subnets = joined(json_object_get(n, "subnets"), NULL, 0);
	auto_free char *pods = joined(json_object_get(n, "pods"), "uuid", a->full ? 0 : UUID_SHORT);

	table_cell(t, json_string_value(json_object_get(n, "name")));
	table_cell(t, driver && strcmp(driver, "cni") == 0 ? plugins : driver ? driver : "-");
	table_cell(t, subnets);
	table_cell(t, json_is_true(json_object_get(n, "ipMasq")) ? "yes" : "no");
	table_cell(t, file ? file : "-");
	table_cell(t, pods);
}

static int print_table(const json_t *nets, const struct net_ls_args *a, struct err *e)
{
	static const char *const titles[] = { "NAME", "BY", "SUBNETS", "MASQUERADE", "FILE", "PODS" };
	struct table *t = table_new(ARRAY_LEN(titles));
	auto_buf text = BUF_INIT;
	const json_t *n;
	size_t i;

	for (i = 0; !a->no_legend && i < ARRAY_LEN(titles); i++)
		table_cell(t, titles[i]);
	json_array_foreach(nets, i, n) add_row(t, n, a);
	table_print(t, &text);
	table_free(t);
	return output_write(&text, e);
}

static int net_ls_run(struct cli *c, struct err *e)
{
	const struct net_ls_args *a = c->args;
	enum output_format format = output_format_of(a->format);
	struct net_where w = netverb_where(c);
	auto_json nets = NULL;
	auto_json used = NULL;
	auto_host h = { 0 };
	struct stage1 s = { 0 };
	int r = netverb_open(c, &h, &s, e);

	if (r == 0)
		r = networks_configured(&s, &h.data, &w, &nets, e);
	if (r == 0)
		r = networks_used(&h.data, &used, e);
	if (r == 0)
		join(nets, used);
	if (r == 0)
		r = format == OUTPUT_TEXT ? print_table(nets, a, e)
					  : output_json(json_incref(nets), format, e);
	stage1_done(&s);
	return r;
}

#define N(member) offsetof(struct net_ls_args, member)
static const struct opt net_ls_opts[] = {
	{ .name = "format",
	  .kind = OPT_STR,
	  .arg = "FORMAT",
	  .offset = N(format),
	  .choices = output_formats,
	  .complete = COMP_CHOICES,
	  .help = "choose the output format: json or json-pretty" },
	{ .name = "full", .kind = OPT_BOOL, .offset = N(full), .help = "use long output format" },
	{ .name = "no-legend",
	  .kind = OPT_BOOL,
	  .offset = N(no_legend),
	  .help = "suppress a legend with the list" },
	{ .kind = OPT_END },
};
static const struct opt *const net_ls_tables[] = { net_ls_opts, NULL };

const struct command cmd_net_ls = {
	.group = "net",
	.name = "ls",
	.args = "",
	.summary = "List networks and the pods in them",
	.description =
		"Lists the networks that are configured, in the order in which a pod's interfaces are\n"
		"made, and the running pods that are in them. The columns are separated by TABs.",
	.tables = net_ls_tables,
	.args_size = sizeof(struct net_ls_args),
	.run = net_ls_run,
};
