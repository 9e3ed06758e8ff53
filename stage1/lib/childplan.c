/* childplan — identity and environment of every app, inside its finished tree, into the plan (sandbox.h). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/notify.h"
#include "stage1/lib/planout.h"
#include "stage1/lib/sandbox.h"
#include "stage1/lib/stopsignal.h"
#include "stage1/lib/users.h"

#define GRACE_MS     10000
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The kernel would say EINVAL of a system call; the user has given an option. */
static int check_range(const struct sandbox *s, const char *what, uint32_t id, struct err *e)
{
	if (!s->users.on || id < s->users.count)
		return 0;
	return err_set(e, ERR_INPUT, EINVAL, "%s %u: " USERNS_BEYOND, what, id, s->users.count);
}

static int check_ranges(const struct sandbox *s, const struct app_build *a, struct err *e)
{
	const struct app *app = a->in->app;
	int r = check_range(s, "user", a->uid, e);

	if (r == 0)
		r = check_range(s, "group", a->gid, e);
	for (size_t i = 0; i < app->ngids && r == 0; i++)
		r = check_range(s, "supplementary group", app->gids[i], e);
	return r;
}

static int resolve_ids(const struct sandbox *s, struct app_build *a, struct err *e)
{
	const struct app *app = a->in->app;
	int r = users_uid(a->root_fd, app->user, &a->uid, e);

	if (r < 0)
		return err_ctx(e, "app \"%s\"", a->in->rt->name);
	/* docker images name a user only; the group is the same word again (internals.md 5.7) */
	if (a->in->docker && strcmp(app->user, app->group) == 0) {
		r = login_find(a->root_fd, app->user, a->uid, &a->login, e);
		a->gid = a->login.gid;
	} else {
		r = users_gid(a->root_fd, app->group, &a->gid, e);
	}
	if (r == 0)
		r = check_ranges(s, a, e);
	return r < 0 ? err_ctx(e, "app \"%s\"", a->in->rt->name) : 0;
}

/* The environment is constructed: the image's and the caller's names are in the manifest already. */
static void build_env(const struct sandbox *s, struct app_build *a)
{
	const struct pairs *env = &a->in->app->env;

	for (size_t i = 0; i < env->n; i++)
		env_set(&a->env, env->v[i].name, env->v[i].value);
	env_default(&a->env, "PATH", DEFAULT_PATH);
	env_default(&a->env, "SHELL", "/bin/sh");
	env_default(&a->env, "USER", "root");
	env_default(&a->env, "LOGNAME", "root");
	env_default(&a->env, "HOME", a->login.home ? a->login.home : "/root");
	env_default(&a->env, "container", "rkt");
	env_set(&a->env, "AC_APP_NAME", a->in->rt->name);
	if (a->notify_fd >= 0)
		env_set(&a->env, "NOTIFY_SOCKET", NOTIFY_TARGET);
	if (streams_any(&a->streams, STREAM_TTY))
		env_default(&a->env, "TERM", "vt100");
	if (s->tty)
		env_default(&a->env, "TERM", getenv("TERM") ? getenv("TERM") : "vt100");
}

static const char *work_dir(const struct app_build *a)
{
	const char *wd = a->in->app->working_dir;

	return wd && *wd ? wd : "/";
}

/* Where a bare command is looked for: the app's PATH, or its working directory and the default PATH. */
static void build_search(struct app_build *a)
{
	bool own = pairs_get(&a->in->app->env, "PATH") != NULL;

	if (!own)
		strv_push(&a->search, work_dir(a));
	auto_strv dirs = strv_split(env_get(a->env, "PATH"), ':');
	for (char **d = dirs; *d; d++)
		strv_push(&a->search, **d ? *d : work_dir(a));
}

/* What an added app has of its own is made when it is started. */
static int stream_fd(const struct sandbox *s, const struct app_streams *t, int stream)
{
	if (s->ctx->mutable_pod)
		return t->mode[stream] == STREAM_PASS ? stream : PLAN_FD_SENT;
	return streams_inner(t, stream, stream);
}

/* What the image says, which is no more than a wish. */
static uint32_t stop_signal(const struct app_build *a)
{
	const char *text = pairs_get(&a->in->image->annotations, "appc.io/docker/stopsignal");
	int n = text ? stopsignal_number(text) : 0;

	if (n < 0)
		log_warn("app \"%s\": the image's stop signal \"%.40s\" is none, using SIGTERM",
			 a->in->rt->name, text);
	return n > 0 ? (uint32_t)n : 0;
}

static void fill_app(const struct sandbox *s, struct app_build *a, struct plan_app_in *out)
{
	const struct app *app = a->in->app;
	const struct isolator *oom = isolators_get(&app->isolators, ISO_OOM_SCORE_ADJ);
	const struct isolator *nnp = isolators_get(&app->isolators, ISO_NO_NEW_PRIVS);
	bool tty = s->tty && a->index == 0;

	*out = (struct plan_app_in){
		.name = a->in->rt->name,
		.root = a->root,
		.cwd = work_dir(a),
		.argv = app->exec,
		.env = a->env,
		.search = a->search,
		.pre_start = app->pre_start,
		.post_stop = app->post_stop,
		.uid = a->uid,
		.gid = a->gid,
		.groups = app->ngids ? app->gids : a->login.groups,
		.ngroups = (uint32_t)(app->ngids ? app->ngids : a->login.ngroups),
		.caps = a->caps,
		.bpf = &a->bpf,
		.umask = 022,
		.rlimits = a->rlimits,
		.nrlimits = a->nrlimits,
		.devices = a->devices,
		.ndevices = a->ndevices,
		.paths = a->paths,
		.npaths = a->npaths,
		.listen = a->listen.fd,
		.nlisten = a->listen.n,
		.listen_names = a->listen.names,
	};
	out->stop_signal = stop_signal(a);
	if (oom) {
		out->has_oom = 1;
		out->oom_score_adj = (int32_t)oom->limit;
	}
	/* a filtered app that is not root must not regain rights by a setuid program */
	if ((nnp && nnp->flag) || (a->bpf.n && a->uid != 0))
		out->flags |= PLAN_APP_NNP;
	if (a->keep_caps)
		out->flags |= PLAN_APP_KEEP_CAPS;
	if (tty || a->streams.mode[0] == STREAM_TTY)
		out->flags |= PLAN_APP_TTY;
	out->flags |= a->restart;
	for (int i = 0; i < 3; i++)
		out->stdio[i] = tty ? s->pty_slave : stream_fd(s, &a->streams, i);
}

static void fill_cgroups(const struct sandbox *s, const int fds[CGROUP_MAX], const char *dir,
			 struct plan_cgroup_in *c, struct plan_write_in *w)
{
	for (uint32_t i = 0; i < s->cgroups.n; i++)
		c[i] = (struct plan_cgroup_in){ fds[i], dir, s->cgroups.v[i].v2, s->cgroups.v[i].cpuset };
	for (uint32_t i = 0; i < s->cgroups.nwrites; i++) {
		const struct cgroup_write *in = &s->cgroups.writes[i];

		w[i] = (struct plan_write_in){ in->dir, in->app, in->file, in->value };
	}
}

int child_open_plan(const struct sandbox *s)
{
	int fd = openat(s->ctx->pod_fd, CONTRACT_FILE_PLAN, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW,
			0600); /* for init: it stays open */

	return fd < 0 ? -errno : fd;
}

/* init copies it, and enter builds from the same bytes later; only root may read them (they hold the environment).
 * Written in place: nobody looks for it before the pids are recorded, which is after our execve. */
static int save(const struct sandbox *s, const struct buf *b, struct err *e)
{
	auto_close int fd = s->plan_fd >= 0 ? s->plan_fd : child_open_plan(s);
	int r = fd < 0 ? fd : write_full(fd, b->data, b->len);

	return r < 0 ? err_sys(e, -r, "save the plan in the pod directory") : steal_fd(&fd);
}

int child_plan_app(const struct sandbox *s, struct app_build *a, struct plan_app_in *out, struct err *e)
{
	int r = resolve_ids(s, a, e);

	if (r < 0)
		return r;
	build_env(s, a);
	build_search(a);
	fill_app(s, a, out);
	return 0;
}

static uint32_t pod_flags(const struct sandbox *s)
{
	return (s->flavor->flags & FLAVOR_PIDNS ? PLAN_PIDNS : 0) | (s->users.on ? PLAN_USERS : 0) |
	       (s->ctx->mutable_pod ? PLAN_MUTABLE : 0);
}

int child_plan_build(const struct sandbox *s, const int parent_fds[CGROUP_MAX],
		     const struct plan_app_in *apps, struct buf *ret, struct err *e)
{
	auto_free char *dir = xasprintf("rkt-%s", s->ctx->uuid);
	auto_free struct plan_write_in *writes = xcalloc(s->cgroups.nwrites + 1, sizeof(*writes));
	struct plan_cgroup_in cgroups[CGROUP_MAX];

	fill_cgroups(s, parent_fds, dir, cgroups, writes);
	struct plan_in in = {
		.uuid = s->ctx->uuid,
		.flags = pod_flags(s),
		.grace_ms = GRACE_MS,
		.apps = apps,
		.napps = (uint32_t)s->ctx->napps,
		.cgroups = cgroups,
		.ncgroups = s->cgroups.n,
		.writes = writes,
		.nwrites = s->cgroups.nwrites,
	};
	return plan_build(&in, ret, e);
}

int child_plan(struct sandbox *s, const int parent_fds[CGROUP_MAX], struct err *e)
{
	uint32_t n = (uint32_t)s->ctx->napps;
	auto_free struct plan_app_in *apps = xcalloc(n + 1, sizeof(*apps));
	auto_buf bytes = BUF_INIT;

	for (uint32_t i = 0; i < n; i++) {
		int r = child_plan_app(s, &s->apps[i], &apps[i], e);

		if (r < 0)
			return r;
	}
	int r = child_plan_build(s, parent_fds, apps, &bytes, e);
	return r < 0 ? r : save(s, &bytes, e);
}
