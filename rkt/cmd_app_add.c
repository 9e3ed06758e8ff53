/*
 * cmd_app_add — `rkt app add`: one more app in a running mutable pod.
 */
#include "rkt/commands.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "rkt/appverb.h"
#include "rkt/images.h"
#include "rkt/podflags.h"
#include "stage0/mutable.h"

struct app_add_args {
	struct app_args apps;
	char *uuid;
};

/* "name=N,kind=KIND,…,target=PATH": a volume and its mount, for this app alone. */
static int add_mnt_volume(void *args, const struct opt *o, const char *value, struct err *e)
{
	auto_strv parts = strv_split(value, ',');
	auto_strv rest = NULL;
	const char *name = NULL, *target = NULL;
	for (char **p = parts; *p; p++) {
		const char **to = strncmp(*p, "name=", 5) == 0     ? &name
				  : strncmp(*p, "target=", 7) == 0 ? &target
								   : NULL;
		if (to && *to)
			return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is the second of its kind",
				       o->name, *p);
		if (to)
			*to = strchr(*p, '=') + 1;
		else
			strv_push(&rest, *p);
	}
	if (!name || !target || target[0] != '/')
		return err_set(e, ERR_USAGE, EINVAL,
			       "option --%s: \"%s\" is not name=NAME,kind=KIND,target=PATH[,...]", o->name,
			       value);
	auto_free char *tail = rest ? strv_join(rest, ",") : xstrdup("");
	auto_free char *volume = xasprintf("%s,%s", name, tail);
	struct mount m = { .app_volume = xcalloc(1, sizeof(*m.app_volume)) };
	int r = volume_from_arg(volume, m.app_volume, e);
	if (r < 0) {
		free(m.app_volume);
		err_ctx(e, "option --%s", o->name);
		e->cls = ERR_USAGE;
		return r;
	}
	m.volume = xstrdup(name);
	m.path = xstrdup(target);
	mounts_push_take(&((struct app_arg *)args)->req.mounts, &m);
	return 0;
}

/* UUID IMAGE [app options] [-- ARG...]: the pod first, then what run knows as one image. */
static int app_add_parse(struct cli *c, struct err *e)
{
	struct app_add_args *a = c->args;
	struct opt_set sets[CLI_TABLES_MAX];
	auto_strv none = NULL;
	size_t n = cli_opt_sets(c, sets);
	int i = 0;
	int r = opt_parse(sets, n, c->argc, c->argv, &i, OPT_STOP_POSITIONAL, &none, e);
	if (r < 0)
		return r;
	if (i < c->argc)
		a->uuid = xstrdup(c->argv[i++]);
	return appargs_parse(sets, n, c->argc - i, c->argv + i, 0, &a->apps, e);
}

static int check_args(struct cli *c, const struct app_add_args *a, struct err *e)
{
	if (!a->uuid || a->apps.n == 0)
		return cli_usage(c, e, "must provide a UUID and an image");
	if (a->apps.n > 1)
		return cli_usage(c, e, "must provide exactly one image");
	if (a->apps.pod.req.mounts.n)
		return err_set(e, ERR_USAGE, EINVAL, "option --mount: must follow the image it is for");
	return 0;
}

static int app_add_run(struct cli *c, struct err *e)
{
	struct app_add_args *a = c->args;
	struct pod_request q = { .accept_unsigned = c->g.insecure & INSECURE_IMAGE };
	char id[IMAGE_ID_LEN + 1];
	auto_free char *name = NULL;
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	int r = check_args(c, a, e);
	if (r == 0)
		r = host_open(&c->g, HOST_STORE, &h, e);
	if (r == 0)
		r = pod_open_prefix(&h.data, a->uuid, &p, e);
	if (r == 0)
		r = image_lookup(&h, a->apps.v[0].image, id, e);
	if (r < 0)
		return r;
	a->apps.v[0].req.image_id = xstrdup(id);
	q.apps = &a->apps.v[0].req;
	q.napps = 1;
	r = mutable_add(&p, &q, &h.store, c->g.debug, &name, e);
	return r < 0 ? r : output_line(e, "app \"%s\" added", name);
}

static void app_add_done(void *args)
{
	struct app_add_args *a = args;
	app_args_done(&a->apps);
	free(a->uuid);
}

/* clang-format off */
static const struct opt app_add_opts[] = {
	{ .name = "mnt-volume", .kind = OPT_CALL, .arg = "name=NAME,kind=KIND,target=PATH[,...]", .call = add_mnt_volume,
	  .flags = OPT_APP, .help = "a volume of this app alone, mounted at a path within it" },
	{ .kind = OPT_END },
};
/* clang-format on */
static const struct opt *const app_add_tables[] = { app_add_opts, podflags_app, podflags_isolators,
						    podflags_limits, NULL };

const struct command cmd_app_add = {
	.group = "app",
	.name = "add",
	.args = "UUID IMAGE [image flags] [-- ARG...]",
	.summary = "Add an app to a mutable pod",
	.description = "Adds IMAGE, an id or a name of an image in the store, as an app to the running pod. "
		       "It is not\n"
		       "started: see 'rkt app start'. The options are those that run takes behind an image; "
		       "volumes come\n"
		       "from the sandbox (--mount) or are the app's own (--mnt-volume).",
	.tables = app_add_tables,
	.args_size = sizeof(struct app_add_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_UUID_RUNNING,
	.parse = app_add_parse,
	.run = app_add_run,
	.done = app_add_done,
};
