/* appverb — see appverb.h. */
#include "rkt/appverb.h"

#include "base/auto.h"
#include "base/strv.h"

int appverb_pod(struct cli *c, unsigned int need, struct host *h, struct pod *p, struct err *e)
{
	if (strv_len(c->rest) != 1)
		return cli_usage(c, e, "must provide exactly one UUID");
	int r = host_open(&c->g, need, h, e);
	return r < 0 ? r : pod_open_prefix(&h->data, c->rest[0], p, e);
}

int appverb_snapshot(struct cli *c, struct pod_snapshot *ret, struct err *e)
{
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	int r = appverb_pod(c, 0, &h, &p, e);
	*ret = (struct pod_snapshot){ .state = POD_GONE };
	if (r == 0)
		pod_snapshot_take(&p, ret);
	return r;
}

int appverb_run(struct cli *c, int (*act)(struct pod *p, const char *app, bool debug, struct err *e),
		const char *done, const char *idle, struct err *e)
{
	const struct appverb_args *a = c->args;
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	if (!a->app || !*a->app)
		return cli_usage(c, e, "must provide the app with --app");
	int r = appverb_pod(c, 0, &h, &p, e);
	if (r == 0)
		r = act(&p, a->app, c->g.debug, e);
	return r < 0 ? r : output_line(e, "app \"%s\" %s", a->app, r ? idle : done);
}

const struct opt appverb_app[] = {
	{ .name = "app",
	  .kind = OPT_STR,
	  .arg = "NAME",
	  .offset = offsetof(struct appverb_args, app),
	  .help = "name of the app within the specified pod" },
	{ .kind = OPT_END },
};
const struct opt *const appverb_app_tables[] = { appverb_app, NULL };

static int choose(const struct pod_manifest *m, const char *want, const char **ret, struct err *e)
{
	if (want && !pod_manifest_app(m, want))
		return err_set(e, ERR_INPUT, ENOENT, "the pod has no app \"%s\"", want);
	if (want || m->napps == 1) {
		*ret = want ? want : m->apps[0].name;
		return 0;
	}
	auto_strv names = NULL;
	for (size_t i = 0; i < m->napps; i++)
		strv_push(&names, m->apps[i].name);
	auto_free char *list = strv_join(names, ", ");
	return err_set(e, ERR_INPUT, EINVAL, "the pod has several apps: choose one with --app: %s", list);
}

struct pod_manifest *appverb_running(const struct pod *p, const char *want, const char **ret_app,
				     struct err *e)
{
	if (p->state != POD_RUNNING) {
		err_set(e, ERR_STATE, EINVAL, "pod \"%s\" is not running: it is %s", p->uuid,
			pod_state_name(p->state));
		return NULL;
	}
	auto_pod_manifest m = pod_manifest_load(p, e);
	return m && choose(m, want, ret_app, e) == 0 ? steal_ptr(&m) : NULL;
}
