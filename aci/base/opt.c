/*
 * opt — parse argv by tables.
 *
 * One token goes through three stages: split ("--name", value or not), find the row, store by kind.
 * The kinds are a table of functions; nothing here knows a command.
 */
#include "base/opt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/num.h"
#include "base/strv.h"
#include "base/table.h"

#define SUGGEST_DISTANCE 2
#define NAME_MAX_SHOWN   64 /* bytes of an unknown name that go into a message */

/* ---- storing a value ---- */

static int check_text(const struct opt *o, const char *value, struct err *e)
{
	auto_free char *all = NULL;

	if ((o->flags & OPT_REQUIRE_ABS) && value[0] != '/')
		return err_set(e, ERR_USAGE, EINVAL, "option --%s needs an absolute path, not \"%s\"",
			       o->name, value);
	if (!o->choices || strv_has((char *const *)(uintptr_t)o->choices, value))
		return 0;
	all = strv_join((char *const *)(uintptr_t)o->choices, ", ");
	return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is none of: %s", o->name, value, all);
}

static int store_bool(const struct opt *o, void *at, const char *value, struct err *e)
{
	if (parse_bool(value, at) < 0)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is neither true nor false", o->name,
			       value);
	return 0;
}

static int store_str(const struct opt *o, void *at, const char *value, struct err *e)
{
	char **text = at;
	int r = check_text(o, value, e);

	if (r < 0)
		return r;
	free(*text);
	*text = xstrdup(value);
	return 0;
}

static int store_list(const struct opt *o, void *at, const char *value, struct err *e)
{
	int r = check_text(o, value, e);

	if (r == 0)
		strv_push(at, value);
	return r;
}

static int store_csv(const struct opt *o, void *at, const char *value, struct err *e)
{
	auto_strv parts = *value ? strv_split(value, ',') : NULL;

	for (size_t i = 0; parts && parts[i]; i++) {
		int r = check_text(o, parts[i], e);

		if (r < 0)
			return r;
	}
	strv_push_all(at, parts);
	return 0;
}

static int store_i64(const struct opt *o, void *at, const char *value, struct err *e)
{
	int r = parse_i64(value, at);

	if (r < 0)
		return err_set(e, ERR_USAGE, -r, "option --%s: \"%s\" is %s", o->name, value,
			       r == -ERANGE ? "out of range" : "not a number");
	return 0;
}

static int store_duration(const struct opt *o, void *at, const char *value, struct err *e)
{
	int r = parse_duration(value, at);

	if (r < 0)
		return err_set(e, ERR_USAGE, -r, "option --%s: \"%s\" is %s", o->name, value,
			       r == -ERANGE ? "too long a time" : "not a time such as 30s or 1h30m");
	return 0;
}

static const struct kind {
	int (*store)(const struct opt *o, void *at, const char *value, struct err *e);
	bool optional; /* the value comes only after "=" */
	bool list;
	bool heap;   /* char * */
	bool quoted; /* in help */
} kinds[] = {
	[OPT_BOOL] = { .store = store_bool, .optional = true },
	[OPT_STR] = { .store = store_str, .heap = true, .quoted = true },
	[OPT_LIST] = { .store = store_list, .list = true },
	[OPT_CSV] = { .store = store_csv, .list = true },
	[OPT_I64] = { .store = store_i64 },
	[OPT_DURATION] = { .store = store_duration },
	[OPT_OPTVAL] = { .store = store_str, .optional = true, .heap = true, .quoted = true },
	[OPT_CALL] = { .store = NULL },
};

static int store(const struct opt *o, void *args, const char *value, struct err *e)
{
	if (o->call)
		return o->call(args, o, value, e);
	return kinds[o->kind].store(o, (char *)args + o->offset, value, e);
}

int opt_defaults(const struct opt_set *sets, size_t nsets, struct err *e)
{
	for (size_t s = 0; s < nsets; s++) {
		for (const struct opt *o = sets[s].table; sets[s].args && o->kind != OPT_END; o++) {
			int r = o->dflt && !kinds[o->kind].list ? store(o, sets[s].args, o->dflt, e) : 0;

			if (r < 0)
				return err_ctx(e, "default of --%s", o->name);
		}
	}
	return 0;
}

void opt_done(const struct opt *table, void *args)
{
	for (const struct opt *o = table; o->kind != OPT_END; o++) {
		void *at = (char *)args + o->offset;

		if (o->call)
			continue;
		if (kinds[o->kind].list) {
			strv_freep(at);
		} else if (kinds[o->kind].heap) {
			free(*(char **)at);
			*(char **)at = NULL;
		}
	}
}

/* ---- finding the row ---- */

size_t opt_distance(const char *a, const char *b)
{
	size_t n = strlen(b);
	auto_free size_t *row = xcalloc(n + 1, sizeof(*row));

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

/* The visible option nearest to @name: by few edits, else one that @name begins. */
static const struct opt *nearest(const struct opt_set *sets, size_t nsets, const char *name)
{
	const struct opt *found = NULL;
	size_t best = SUGGEST_DISTANCE + 1;

	for (size_t s = 0; s < nsets; s++) {
		for (const struct opt *o = sets[s].table; o->kind != OPT_END; o++) {
			size_t d;

			if (o->flags & (OPT_HIDDEN | OPT_DEPRECATED))
				continue;
			d = opt_distance(name, o->name);
			if (d > SUGGEST_DISTANCE && strncmp(o->name, name, strlen(name)) == 0)
				d = SUGGEST_DISTANCE;
			if (d < best) {
				best = d;
				found = o;
			}
		}
	}
	return found;
}

static const struct opt *find(const struct opt_set *sets, size_t nsets, const char *name, void **ret_args)
{
	for (size_t s = 0; s < nsets; s++) {
		for (const struct opt *o = sets[s].table; o->kind != OPT_END; o++) {
			if (strcmp(o->name, name) == 0) {
				*ret_args = sets[s].args;
				return o;
			}
		}
	}
	return NULL;
}

static int unknown(const struct opt_set *sets, size_t nsets, const char *token, const char *name,
		   struct err *e)
{
	size_t len = strlen(name);
	bool tame = len > 0 && len <= NAME_MAX_SHOWN;
	const struct opt *near = tame ? nearest(sets, nsets, name) : NULL;

	(void)err_set(e, ERR_USAGE, EINVAL, "unknown option \"%.*s\"%s", (int)strcspn(token, "="), token,
		      token[1] != '-' ? " (options begin with two dashes)" : "");
	if (near)
		(void)err_hint(e, "did you mean --%s?", near->name);
	return -EINVAL;
}

/* ---- parsing ---- */

static bool wants_help(const char *token)
{
	bool yes;

	if (strcmp(token, "-h") == 0 || strcmp(token, "--help") == 0)
		return true;
	return strncmp(token, "--help=", 7) == 0 && parse_bool(token + 7, &yes) == 0 && yes;
}

/* The value of @o for the token at *@index; steps over what it uses. */
static int take_value(const struct opt *o, const char *inline_value, int argc, char *const *argv, int *index,
		      const char **ret, struct err *e)
{
	(*index)++;
	*ret = inline_value;
	if (inline_value)
		return 0;
	if (o->kind == OPT_BOOL)
		*ret = "true";
	else if (o->kind == OPT_OPTVAL)
		*ret = o->implied ? o->implied : "";
	else if (*index < argc)
		*ret = argv[(*index)++];
	else
		return err_set(e, ERR_USAGE, EINVAL, "option --%s needs a value%s%s", o->name,
			       o->arg ? ": " : "", o->arg ? o->arg : "");
	return 0;
}

int opt_parse_one(const struct opt_set *sets, size_t nsets, void *app_args, int argc, char *const *argv,
		  int *index, const struct opt **ret_opt, struct err *e)
{
	const char *token = argv[*index], *equals = strchr(token, '='), *value;
	auto_free char *name = NULL;
	const struct opt *o = NULL;
	void *args = NULL;
	int r;

	if (wants_help(token)) {
		(*index)++;
		return err_set(e, ERR_USAGE, ECANCELED, "help is asked for");
	}
	name = xstrndup(token + strspn(token, "-"), equals ? (size_t)(equals - token) : strlen(token));
	name[strcspn(name, "=")] = '\0';
	if (strncmp(token, "--", 2) == 0 && token[2] != '-')
		o = find(sets, nsets, name, &args);
	if (!o)
		return unknown(sets, nsets, token, name, e);
	if (o->flags & OPT_APP) {
		args = app_args;
		if (!args)
			return err_set(e, ERR_USAGE, EINVAL, "option --%s must follow an image", o->name);
	}
	r = take_value(o, equals ? equals + 1 : NULL, argc, argv, index, &value, e);
	if (r == 0)
		r = store(o, args, value, e);
	if (r < 0)
		return r;
	if (o->flags & OPT_DEPRECATED) {
		if (o->instead)
			log_warn("option --%s is deprecated, use --%s", o->name, o->instead);
		else
			log_warn("option --%s is deprecated", o->name);
	}
	*ret_opt = o;
	return 0;
}

int opt_parse(const struct opt_set *sets, size_t nsets, int argc, char *const *argv, int *index,
	      enum opt_stop stop, char ***rest, struct err *e)
{
	const struct opt *o;
	int r;

	while (*index < argc) {
		const char *token = argv[*index];

		if (strcmp(token, "--") == 0) {
			(*index)++;
			while (stop == OPT_STOP_NEVER && *index < argc)
				strv_push(rest, argv[(*index)++]);
			return 0;
		}
		if (token[0] == '-' && token[1]) {
			r = opt_parse_one(sets, nsets, NULL, argc, argv, index, &o, e);
			if (r < 0)
				return r;
			continue;
		}
		if (stop == OPT_STOP_POSITIONAL)
			return 0;
		strv_push(rest, token);
		(*index)++;
	}
	return 0;
}

/* ---- help ---- */

/* "=DEFAULT" of a row; heap. */
static char *help_value(const struct opt *o)
{
	const struct kind *k = &kinds[o->kind];
	auto_free char *normal = NULL;
	const char *text = o->dflt ? o->dflt : o->kind == OPT_BOOL ? "false" : NULL;
	int64_t ns;

	if (o->kind == OPT_DURATION && text && parse_duration(text, &ns) == 0)
		text = normal = format_duration(ns);
	if (!text && o->kind == OPT_OPTVAL)
		text = o->implied;
	if (text)
		return xasprintf(k->quoted ? "%s=\"%s\"%s" : "%s=%s%s", k->optional ? "[" : "", text,
				 k->optional ? "]" : "");
	if (!o->arg)
		return xstrdup("");
	return xasprintf("%s=%s%s", k->optional ? "[" : "", o->arg, k->optional ? "]" : "");
}

void opt_help(const struct opt *table, struct buf *out)
{
	struct table *t = table_new(3);
	bool any = false;

	for (const struct opt *o = table; o->kind != OPT_END; o++) {
		auto_free char *value = NULL;
		bool help = strcmp(o->name, "help") == 0;

		if (o->flags & (OPT_HIDDEN | OPT_DEPRECATED))
			continue;
		value = help ? xstrdup("") : help_value(o);
		table_cell(t, "");
		table_cellf(t, "%s--%s%s", help ? "-h, " : "", o->name, value);
		table_cell(t, o->help ? o->help : "");
		any = true;
	}
	if (any)
		table_print(t, out);
	table_free(t);
}
