/*
 * cmd_list — `rkt list`: one row an app of every pod that is not being created or deleted.
 */
#include "rkt/commands.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/table.h"
#include "base/when.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "stage0/status.h"

#define UUID_SHORT 8

struct list_args {
	bool full, no_legend;
	char *format;
};

struct listing {
	const struct list_args *args;
	struct timespec now;
	struct table *table;
	json_t *json; /* array, or NULL for a table */
	struct buf errors;
	size_t nerrors;
};

static char *time_text(const struct listing *l, bool has, struct timespec t)
{
	if (!has)
		return xstrdup("");
	return l->args->full ? when_long(t) : when_short(t, l->now);
}

static void add_legend(struct listing *l)
{
	static const char *const titles[] = { "UUID",  "APP",     "IMAGE NAME", "IMAGE ID",
					      "STATE", "CREATED", "STARTED",    "NETWORKS" };
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (l->args->full || i != 3)
			table_cell(l->table, titles[i]);
}

/* @a NULL: a pod whose apps are not known (yet). */
static void add_app_cells(struct listing *l, const struct app_snapshot *a)
{
	char id[IMAGE_ID_LEN + 1] = "-";
	if (a)
		output_image_id(a->image_id ? a->image_id : "--", false, OUTPUT_ID_LIST, id);
	table_cell(l->table, a ? a->name : "-");
	table_cell(l->table, !a ? "-" : a->image_title ? a->image_title : "--");
	if (l->args->full)
		table_cell(l->table, id);
}

static void add_rows(struct listing *l, const struct pod_snapshot *s)
{
	auto_free char *created = time_text(l, s->has_created, s->created);
	auto_free char *started = time_text(l, s->has_started, s->started);
	for (size_t i = 0; i == 0 || i < s->napps; i++) {
		table_cellf(l->table, "%.*s", i ? 0 : l->args->full ? UUID_LEN : UUID_SHORT, s->uuid);
		add_app_cells(l, s->napps ? &s->apps[i] : NULL);
		table_cell(l->table, i ? "" : pod_state_name(s->state));
		table_cell(l->table, i ? "" : created);
		table_cell(l->table, i ? "" : started);
		table_cell(l->table, i || !s->networks ? "" : s->networks);
	}
}

static bool is_listed(enum pod_state s)
{
	return s != POD_EMBRYO && s != POD_GARBAGE && s != POD_DELETING && s != POD_GONE;
}

static int add_pod(struct listing *l, const struct datadir *d, const struct pod_place *place, struct err *e)
{
	auto_pod p = POD_INIT;
	struct pod_snapshot s = { .state = POD_GONE };
	int r = pod_open_place(d, place, &p, e);
	if (r == -ENOENT) /* deleted since the directory was read */
		return 0;
	if (r == 0 && l->json)
		pod_snapshot_take(&p, &s);
	else if (r == 0)
		pod_snapshot_brief(&p, &s);
	if (r == 0 && is_listed(s.state)) {
		if (l->json)
			json_array_append_new(l->json, pod_snapshot_json(&s));
		else
			add_rows(l, &s);
	}
	if (r == 0)
		pod_snapshot_done(&s);
	return r;
}

/* The block on standard error; the listing of the others is good all the same. */
static void print_errors(const struct listing *l)
{
	if (!l->nerrors)
		return;
	fprintf(stderr, "%s: %zu %s when listing pods:\n", log_get_prefix(), l->nerrors,
		l->nerrors == 1 ? "error" : "errors");
	fprintf(stderr,
		"----------------------------------------\n%s----------------------------------------\n",
		buf_str(&l->errors));
	fprintf(stderr, "appc version of this rkt: %s\n", AC_VERSION);
}

static int list_pods(struct listing *l, const struct datadir *d, struct err *e)
{
	struct pod_places all = { NULL, 0, 0 };
	int r = pods_scan(d, PODS_MOST, &all, e);
	for (size_t i = 0; i < all.n; i++) {
		struct err pe = ERR_INIT;
		if (add_pod(l, d, &all.v[i], &pe) == 0)
			continue;
		l->nerrors++;
		buf_addf(&l->errors, "Pod \"%s\": ", all.v[i].uuid);
		buf_add_line(&l->errors, pe.text, strlen(pe.text));
		buf_addc(&l->errors, '\n');
	}
	free(all.v);
	return r;
}

static int list_run(struct cli *c, struct err *e)
{
	const struct list_args *a = c->args;
	enum output_format format = output_format_of(a->format);
	auto_host h = { 0 };
	int r = host_open(&c->g, HOST_OPTIONAL, &h, e);
	if (r < 0)
		return r;
	struct listing l = { .args = a, .now = when_now() };
	auto_buf text = BUF_INIT;
	l.table = table_new(a->full ? 8 : 7);
	l.json = format == OUTPUT_TEXT ? NULL : json_array();
	if (!a->no_legend)
		add_legend(&l);
	r = h.has_data ? list_pods(&l, &h.data, e) : 0;
	table_print(l.table, &text);
	table_free(l.table);
	if (r == 0)
		r = l.json ? output_json(json_incref(l.json), format, e) : output_write(&text, e);
	json_decref(l.json);
	if (r == 0)
		print_errors(&l);
	buf_done(&l.errors);
	return r;
}

#define L(member) offsetof(struct list_args, member)
static const struct opt list_opts[] = {
	{ .name = "format",
	  .kind = OPT_STR,
	  .arg = "FORMAT",
	  .offset = L(format),
	  .choices = output_formats,
	  .complete = COMP_CHOICES,
	  .help = "choose the output format: json or json-pretty" },
	{ .name = "full", .kind = OPT_BOOL, .offset = L(full), .help = "use long output format" },
	{ .name = "no-legend",
	  .kind = OPT_BOOL,
	  .offset = L(no_legend),
	  .help = "suppress a legend with the list" },
	{ .kind = OPT_END },
};
static const struct opt *const list_tables[] = { list_opts, NULL };

const struct command cmd_list = {
	.name = "list",
	.args = "",
	.summary = "List pods",
	.description =
		"Lists the pods that are being prepared, prepared, running or exited, one row an app.\n"
		"The columns are separated by TABs.",
	.tables = list_tables,
	.args_size = sizeof(struct list_args),
	.run = list_run,
};
