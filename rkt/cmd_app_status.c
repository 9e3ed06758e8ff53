/*
 * cmd_app_status — `rkt app status`: what one app of a pod is and was.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/when.h"
#include "rkt/appverb.h"
#include "stage0/status.h"

static void add_time(struct buf *out, const char *key, bool has, struct timespec t)
{
	auto_free char *text = has ? when_long(t) : NULL;
	if (has)
		buf_addf(out, "%s=%s\n", key, text);
}

/* As rkt 1.30: the name, and the pairs, if any, on the next line. */
static void add_pairs(struct buf *out, const char *key, const struct pairs *p)
{
	if (!p || !p->n)
		return;
	buf_addf(out, "%s=\n", key);
	for (size_t i = 0; i < p->n; i++)
		buf_addf(out, "%s%s=%s", i ? "," : "", p->v[i].name, p->v[i].value);
	buf_adds(out, "\n");
}

static void add_mounts(struct buf *out, const struct runtime_app *a)
{
	if (!a->mounts.n)
		return;
	buf_adds(out, "mounts=\n");
	for (size_t i = 0; i < a->mounts.n; i++)
		buf_addf(out, "%s%s:%s", i ? "," : "", a->mounts.v[i].volume, a->mounts.v[i].path);
	buf_adds(out, "\n");
}

static int print_text(const struct pod_snapshot *s, size_t i, struct err *e)
{
	const struct app_snapshot *a = &s->apps[i];
	const struct runtime_app *r = &s->manifest->apps[i];
	auto_buf text = BUF_INIT;
	buf_addf(&text, "name=%s\nstate=%s\nimage_id=%s\n", a->name, a->state, a->image_id);
	add_time(&text, "created_at", a->has_created, a->created);
	add_time(&text, "started_at", a->has_started, a->started);
	add_time(&text, "finished_at", a->has_finished, a->finished);
	if (a->has_exit)
		buf_addf(&text, "exit_code=%d\n", a->exit_code);
	add_mounts(&text, r);
	add_pairs(&text, "user_annotations", r->app ? &r->app->user_annotations : NULL);
	add_pairs(&text, "user_labels", r->app ? &r->app->user_labels : NULL);
	return output_write(&text, e);
}

static int print_app(const struct pod_snapshot *s, const char *app, enum output_format format, struct err *e)
{
	for (size_t i = 0; i < s->napps; i++) {
		if (strcmp(s->apps[i].name, app) != 0)
			continue;
		return format == OUTPUT_TEXT ? print_text(s, i, e)
					     : output_json(app_snapshot_json(s, i), format, e);
	}
	return err_set(e, ERR_INPUT, ENOENT, "pod \"%s\" has no app \"%s\"", s->uuid, app);
}

static int app_status_run(struct cli *c, struct err *e)
{
	const struct appverb_args *a = c->args;
	struct pod_snapshot s;
	if (!a->app || !*a->app)
		return cli_usage(c, e, "must provide the app with --app");
	int r = appverb_snapshot(c, &s, e);
	if (r < 0)
		return r;
	r = print_app(&s, a->app, output_format_of(a->format), e);
	pod_snapshot_done(&s);
	return r;
}

static const struct opt app_status_opts[] = {
	{ .name = "format",
	  .kind = OPT_STR,
	  .arg = "FORMAT",
	  .offset = offsetof(struct appverb_args, format),
	  .choices = output_formats,
	  .complete = COMP_CHOICES,
	  .help = "choose the output format: json or json-pretty" },
	{ .kind = OPT_END },
};
static const struct opt *const app_status_tables[] = { appverb_app, app_status_opts, NULL };

const struct command cmd_app_status = {
	.group = "app",
	.name = "status",
	.args = "UUID",
	.summary = "Check the status of an app of a pod",
	.description = "Prints the app's state, image, times and exit status as key=value lines or JSON.",
	.tables = app_status_tables,
	.args_size = sizeof(struct appverb_args),
	.complete = COMP_UUID_ANY,
	.run = app_status_run,
};
