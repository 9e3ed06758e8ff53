/*
 * cmd_image_list — `rkt image list`: what the store holds.
 */
#include "rkt/commands.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/strv.h"
#include "base/table.h"
#include "base/when.h"
#include "rkt/host.h"
#include "rkt/output.h"

#define KEY_SHORT 16 /* digits of a fingerprint */

struct image_list_args {
	char **fields, **sort;
	char *order, *format;
	bool full, no_legend;
};

struct row {
	char id[IMAGE_ID_LEN + 1];
	char *title;
	json_t *verified;               /* which key satisfied which rule: [{"fingerprint", "scope"}] */
	int64_t import_time, last_used; /* ns */
	uint64_t size;
};

/* ---- columns -------------------------------------------------------------------------------------- */

struct cell_args {
	bool full;
	struct timespec now;
};

static char *time_cell(int64_t ns, const struct cell_args *a)
{
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	return a->full ? when_long(t) : when_short(t, a->now);
}

static char *id_cell(const struct row *r, const struct cell_args *a)
{
	char id[IMAGE_ID_LEN + 1];
	output_image_id(r->id, a->full, OUTPUT_ID_LIST, id);
	return xstrdup(id);
}

static char *name_cell(const struct row *r, const struct cell_args *a)
{
	(void)a;
	return xstrdup(r->title);
}

static char *size_cell(const struct row *r, const struct cell_args *a)
{
	return a->full ? xasprintf("%llu", (unsigned long long)r->size) : format_size(r->size);
}

static char *import_cell(const struct row *r, const struct cell_args *a)
{
	return time_cell(r->import_time, a);
}

static char *used_cell(const struct row *r, const struct cell_args *a)
{
	return time_cell(r->last_used, a);
}

/* Digests of keys are long: without --full their first digits. */
static char *verified_cell(const struct row *r, const struct cell_args *a)
{
	auto_buf text = BUF_INIT;
	const json_t *v;
	size_t i;

	json_array_foreach(r->verified, i, v)
	{
		const char *fingerprint = json_string_value(json_object_get(v, "fingerprint"));
		const char *scope = json_string_value(json_object_get(v, "scope"));

		buf_addf(&text, "%s%.*s (%s)", i ? ", " : "", a->full ? INT_MAX : KEY_SHORT, fingerprint,
			 scope);
	}
	return text.len ? buf_steal(&text) : xstrdup("no");
}

static int order_of(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_name(const struct row *a, const struct row *b)
{
	return strcmp(a->title, b->title);
}

static int by_import(const struct row *a, const struct row *b)
{
	return order_of(a->import_time, b->import_time);
}

static int by_use(const struct row *a, const struct row *b)
{
	return order_of(a->last_used, b->last_used);
}

static int by_size(const struct row *a, const struct row *b)
{
	return (a->size > b->size) - (a->size < b->size);
}

static const struct column {
	const char *name, *title;
	char *(*cell)(const struct row *r, const struct cell_args *a);
	int (*compare)(const struct row *a, const struct row *b);
} columns[] = {
	{ "id", "ID", id_cell, NULL },
	{ "name", "NAME", name_cell, by_name },
	{ "size", "SIZE", size_cell, by_size },
	{ "importtime", "IMPORT TIME", import_cell, by_import },
	{ "lastused", "LAST USED", used_cell, by_use },
	{ "verified", "VERIFIED BY", verified_cell, NULL },
};
static const char *const field_choices[] = {
	"id", "name", "size", "importtime", "lastused", "verified", NULL
};
/* The last one only with --full: scripts count columns. */
static const char *const default_fields[] = { "id", "name", "size", "importtime", "lastused", NULL };
static const char *const sort_choices[] = { "name", "importtime", "lastused", "size", NULL };
static const char *const order_choices[] = { "asc", "desc", NULL };

static const struct column *find_column(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}

/* ---- rows ----------------------------------------------------------------------------------------- */

struct rows {
	struct row *v;
	size_t n;
};

static json_t *verified_list(const struct image_info *i)
{
	json_t *list = json_array();

	for (size_t k = 0; k < i->nverified; k++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "fingerprint", i->verified[k].fingerprint,
						      "scope", i->verified[k].scope));
	return list;
}

static int load_row(const struct store *s, const char *id, struct row *ret, struct err *e)
{
	struct image_info i = { 0 };
	int r = store_image_load(s, id, &i, e);
	if (r < 0)
		return r;
	const char *version = pairs_get(&i.labels, "version");
	snprintf(ret->id, sizeof(ret->id), "%s", id);
	ret->title = version ? xasprintf("%s:%s", i.name, version) : xstrdup(i.name);
	ret->verified = verified_list(&i);
	ret->import_time = i.import_time;
	ret->size = i.blob_size + i.tree_size;
	if (store_last_used(s, id, &ret->last_used) < 0)
		ret->last_used = i.import_time;
	image_info_done(&i);
	return 0;
}

static int load_rows(const struct store *s, struct rows *l, struct err *e)
{
	auto_strv ids = NULL;
	int r = store_list(s, &ids, e);
	if (r < 0)
		return r;
	l->v = xcalloc(strv_len(ids) + 1, sizeof(*l->v));
	for (char **id = ids; id && *id; id++) {
		r = load_row(s, *id, &l->v[l->n], e);
		if (r < 0 && r != -ENOENT) /* removed since the directory was read */
			return err_ctx(e, "image \"%s\"", *id);
		if (r == 0)
			l->n++;
	}
	err_clear(e);
	return 0;
}

/* glibc's qsort has no context in the portable form, and the lists are short: insertion sort, stable. */
static void sort_rows(struct rows *l, char *const *keys, bool descending)
{
	static const char *const by_default[] = { "importtime", NULL };
	const char *const *k0 = keys ? (const char *const *)keys : by_default;
	for (size_t i = 1; i < l->n; i++) {
		struct row r = l->v[i];
		size_t at = i;
		for (; at > 0; at--) {
			int c = 0;
			for (const char *const *k = k0; c == 0 && *k; k++)
				c = find_column(*k)->compare(&l->v[at - 1], &r);
			if ((descending ? -c : c) <= 0)
				break;
			l->v[at] = l->v[at - 1];
		}
		l->v[at] = r;
	}
}

static void rows_done(struct rows *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].title);
		json_decref(l->v[i].verified);
	}
	free(l->v);
}

/* ---- printing ------------------------------------------------------------------------------------- */

static int print_table(const struct rows *l, const struct image_list_args *a, struct err *e)
{
	const char *const *fields = a->fields ? (const char *const *)a->fields
				    : a->full ? field_choices
					      : default_fields;
	const struct cell_args ca = { .full = a->full, .now = when_now() };
	auto_buf text = BUF_INIT;
	size_t n = 0;
	while (fields[n])
		n++;
	struct table *t = table_new(n);
	for (size_t f = 0; f < n && !a->no_legend; f++)
		table_cell(t, find_column(fields[f])->title);
	for (size_t i = 0; i < l->n; i++)
		for (size_t f = 0; f < n; f++) {
			auto_free char *cell = find_column(fields[f])->cell(&l->v[i], &ca);
			table_cell(t, cell);
		}
	table_print(t, &text);
	table_free(t);
	return output_write(&text, e);
}

static int print_json(const struct rows *l, enum output_format format, struct err *e)
{
	json_t *list = json_array();
	for (size_t i = 0; i < l->n; i++) {
		const struct row *r = &l->v[i];
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:O}", "id", r->id, "name",
						      r->title, "import_time", (json_int_t)r->import_time,
						      "last_used_time", (json_int_t)r->last_used, "size",
						      (json_int_t)r->size, "verified", r->verified));
	}
	return output_json(list, format, e);
}

static int image_list_run(struct cli *c, struct err *e)
{
	const struct image_list_args *a = c->args;
	enum output_format format = output_format_of(a->format);
	auto_host h = { 0 };
	struct rows l = { 0 };
	int r = host_open(&c->g, HOST_STORE | HOST_OPTIONAL, &h, e);
	if (r == 0 && h.has_store)
		r = load_rows(&h.store, &l, e);
	if (r == 0) {
		sort_rows(&l, a->sort, strcmp(a->order, "desc") == 0);
		r = format == OUTPUT_TEXT ? print_table(&l, a, e) : print_json(&l, format, e);
	}
	rows_done(&l);
	return r;
}

#define I(member) offsetof(struct image_list_args, member)
/* clang-format off */
static const struct opt image_list_opts[] = {
	{ .name = "fields", .kind = OPT_CSV, .arg = "FIELD[,FIELD...]", .offset = I(fields), .choices = field_choices,
	  .complete = COMP_CHOICES,
	  .help = "comma-separated list of fields to display: id, name, size, importtime, lastused, verified" },
	{ .name = "format", .kind = OPT_STR, .arg = "FORMAT", .offset = I(format), .choices = output_formats,
	  .complete = COMP_CHOICES, .help = "choose the output format: json or json-pretty" },
	{ .name = "full", .kind = OPT_BOOL, .offset = I(full), .help = "use long output format" },
	{ .name = "no-legend", .kind = OPT_BOOL, .offset = I(no_legend), .help = "suppress a legend with the list" },
	{ .name = "order", .kind = OPT_STR, .arg = "ORDER", .offset = I(order), .dflt = "asc",
	  .choices = order_choices, .complete = COMP_CHOICES, .help = "choose the sorting order: asc or desc" },
	{ .name = "sort", .kind = OPT_CSV, .arg = "FIELD[,FIELD...]", .offset = I(sort), .choices = sort_choices,
	  .complete = COMP_CHOICES,
	  .help = "sort by the given fields, importtime by default: name, importtime, lastused, size" },
	{ .kind = OPT_END },
};
/* clang-format on */
static const struct opt *const image_list_tables[] = { image_list_opts, NULL };

const struct command cmd_image_list = {
	.group = "image",
	.name = "list",
	.args = "",
	.summary = "List images in the local store",
	.description =
		"Lists the images in the local store. The size is that of what was downloaded and of the\n"
		"extracted files together. The columns are separated by TABs.",
	.tables = image_list_tables,
	.args_size = sizeof(struct image_list_args),
	.run = image_list_run,
};
