/* sandbox — see sandbox.h: the supervisor's side up to the clone, and main() of the flavors. */
#include "stage1/lib/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/strv.h"
#include "schema/pathrule.h"
#include "stage1/contract.h"
#include "stage1/lib/capset.h"
#include "stage1/lib/devices.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/netfiles.h"
#include "stage1/lib/notify.h"
#include "stage1/lib/restart.h"
#include "stage1/lib/planout.h"
#include "stage1/lib/rlimits.h"
#include "stage1/lib/steps.h"
#include "stage1/lib/supervise.h"
#include "stage1/lib/sysctl.h"
#include "stage1/lib/verb.h"

/* ---- what an isolator does here; an isolator that cannot be applied is an error, never a warning ---- */

static const bool applied[ISO_KINDS] = {
	[ISO_CPU] = true,
	[ISO_MEMORY] = true,
	[ISO_CPU_SHARES] = true,
	[ISO_CAPS_RETAIN] = true,
	[ISO_CAPS_REMOVE] = true,
	[ISO_SECCOMP_RETAIN] = true,
	[ISO_SECCOMP_REMOVE] = true,
	[ISO_NO_NEW_PRIVS] = true,
	[ISO_OOM_SCORE_ADJ] = true,
	[ISO_SYSCTL] = true,
	[ISO_PIDS_LIMIT] = true,
	[ISO_CPU_WEIGHT] = true,
	[ISO_IO_WEIGHT] = true,
	[ISO_IO_MAX] = true,
	[ISO_RLIMITS] = true,
	[ISO_DEVICES] = true,
	[ISO_LANDLOCK] = true,
};

/* The specification lets us skip names of others; under our own a name that we do not know is a misspelling, or means
 * a limit that a later rkt has. */
static int check_unknown(const char *name, const char *where, struct err *e)
{
	if (strncmp(name, "rkt.io/", 7) == 0)
		return err_set(e, ERR_INPUT, ENOTSUP, "%s: isolator \"%s\" is unknown to this stage1", where,
			       name);
	log_warn("%s: unknown isolator \"%s\" ignored", where, name);
	return 0;
}

static int check_isolators(const struct isolators *l, const char *where, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++) {
		if (l->v[i].kind == ISO_UNKNOWN)
			r = check_unknown(l->v[i].name, where, e);
		else if (!applied[l->v[i].kind])
			r = err_set(e, ERR_INPUT, ENOTSUP,
				    "%s: isolator \"%s\" is not supported by this stage1", where,
				    l->v[i].name);
	}
	return r;
}

/* One name for all who write it down: the caller's, or the pod's own; where there is no place for one, the host's. */
static void choose_hostname(struct sandbox *s)
{
	bool own = s->flavor->namespaces(s->ctx) & CLONE_NEWUTS;
	char **name = &s->ctx->hostname;
	struct utsname host;

	if (own && *name && **name)
		return;
	free(*name);
	*name = own || uname(&host) < 0 ? xasprintf("rkt-%s", s->ctx->uuid) : xstrdup(host.nodename);
}

static int step_check(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	int r = s->flavor->check ? s->flavor->check(s->ctx, e) : 0;

	choose_hostname(s);
	if (r == 0)
		r = userns_parse(s->ctx->private_users, &s->users, e);
	if (r == 0)
		r = userns_check(s, e);
	if (r == 0 && s->ctx->mutable_pod && !(s->flavor->flags & FLAVOR_MUTABLE))
		return err_set(e, ERR_INPUT, ENOTSUP, "flavor %s has no mutable pods", s->flavor->name);
	if (r == 0 && s->ctx->napps == 0 && !s->ctx->mutable_pod)
		return err_set(e, ERR_INPUT, EINVAL, "the pod manifest has no apps");
	for (size_t i = 0; i < s->ctx->manifest->isolators.n && r == 0; i++) {
		if (s->ctx->manifest->isolators.v[i].kind != ISO_SYSCTL)
			r = err_set(e, ERR_INPUT, ENOTSUP,
				    "isolator \"%s\" of the pod: only apps can have it here",
				    s->ctx->manifest->isolators.v[i].name);
	}
	if (r == 0)
		r = sysctl_check(s->ctx, s->flavor->namespaces(s->ctx), e);
	for (size_t i = 0; i < s->ctx->napps && r == 0; i++)
		r = check_isolators(&s->ctx->apps[i].app->isolators, s->ctx->apps[i].rt->name, e);
	for (size_t i = 0; i < s->ctx->napps && r == 0; i++)
		r = streams_choose(s->ctx, (unsigned int)i, s->flavor->flags & FLAVOR_TTYS,
				   &s->apps[i].streams, e);
	for (size_t i = 0; i < s->ctx->napps && r == 0; i++)
		r = restart_flags(&s->ctx->apps[i], &s->apps[i].restart, e);
	return r;
}

static bool asked(const struct app_build *a, enum isolator_kind retain, enum isolator_kind remove)
{
	const struct isolators *l = &a->in->app->isolators;

	return isolators_get(l, retain) || isolators_get(l, remove);
}

/* Capabilities and filter: the default ones only where the flavor confines, others wherever they are asked for. */
static int app_policy(const struct sandbox *s, struct app_build *a, struct err *e)
{
	bool confine = s->flavor->flags & FLAVOR_CONFINE;
	int r = 0;

	a->keep_caps = !confine && (s->ctx->no_caps || !asked(a, ISO_CAPS_RETAIN, ISO_CAPS_REMOVE));
	if (s->ctx->no_caps)
		a->caps = capset_own();
	else
		r = capset_of_app(a->in->app, &a->caps, e);
	if (r == 0 && !s->ctx->no_seccomp && (confine || asked(a, ISO_SECCOMP_RETAIN, ISO_SECCOMP_REMOVE)))
		r = seccomp_of_app(a->in->app, s->ctx->pod_fd, &a->bpf, e);
	return r;
}

/* The rules of Landlock, which the launcher applies in every flavor. */
static void take_paths(struct app_build *a)
{
	const struct isolator *iso = isolators_get(&a->in->app->isolators, ISO_LANDLOCK);
	struct err e = ERR_INIT;

	a->npaths = iso ? (uint32_t)json_array_size(iso->value) : 0;
	a->paths = iso ? xcalloc(a->npaths, sizeof(*a->paths)) : NULL;
	for (uint32_t i = 0; i < a->npaths; i++) {
		struct pathrule p;

		/* was decoded before, so it cannot fail */
		(void)pathrule_from_json(json_array_get(iso->value, i), "", &p, &e);
		a->paths[i] = (struct plan_path_in){ p.path, p.access };
	}
}

static int step_policy(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	for (size_t i = 0; i < s->ctx->napps; i++) {
		struct app_build *a = &s->apps[i];
		int r = app_policy(s, a, e);
		int n = r == 0 ? rlimits_of_app(a->in->app, a->rlimits, e) : r;

		if (n < 0)
			return err_ctx(e, "app \"%s\"", a->in->rt->name);
		a->nrlimits = (uint32_t)n;
		take_paths(a);
	}
	return 0;
}

static int step_netfiles(void *ctx, struct err *e)
{
	const struct sandbox *s = ctx;

	return netfiles_prepare(s->ctx, e);
}

static int step_volumes(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	bool host_net = !(s->flavor->namespaces(s->ctx) & CLONE_NEWNET);
	int r = 0;

	for (size_t i = 0; i < s->ctx->napps && r == 0; i++) {
		r = volumes_resolve(s->ctx, &s->ctx->apps[i], s->flavor->flags, &s->apps[i].vols, e);
		if (r == 0)
			r = netfiles_open(s->ctx, &s->apps[i].vols, host_net, &s->apps[i].netfiles, e);
		/* who adds an app does not stay to listen: it counts as ready when it was executed */
		if (r == 0 && !s->ctx->mutable_pod && notify_wanted(&s->ctx->apps[i])) {
			s->apps[i].notify_fd = notify_listen(s->ctx, (unsigned int)i, &s->apps[i].netfiles,
							     e);
			r = s->apps[i].notify_fd < 0 ? s->apps[i].notify_fd : 0;
		}
	}
	return r;
}

const struct step sandbox_app_steps[] = {
	{ "check the app", step_check },
	{ "decide the privileges", step_policy },
	{ "open the volumes", step_volumes },
	{ NULL, NULL },
};

/* The ids of everything that the apps see from the host are shifted while we are the host's root. */
static int step_users(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	int r = 0;

	for (size_t i = 0; s->users.on && i < s->ctx->napps && r == 0; i++) {
		r = userns_root(s, &s->apps[i], e);
		for (size_t k = 0; k < s->apps[i].vols.n && r == 0; k++) {
			struct vol_mount *v = &s->apps[i].vols.v[k];

			if (v->device.type)
				continue;
			r = userns_shift(&s->users, v->fd, v->recursive, e);
			if (r < 0)
				err_ctx(e, "volume \"%s\"", v->name);
		}
	}
	return r;
}

static int step_users_map(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	return s->users.on ? userns_open(&s->users, e) : 0;
}

static int step_open_init(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	s->init_exe = mnt_program("init", e);
	return s->init_exe < 0 ? s->init_exe : 0;
}

static int step_cgroups(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	int r = devices_plan_cgroups(s, e);

	return r < 0 ? r : cgroups_record(&s->cgroups, s->ctx, e);
}

static int step_flavor(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	if (symlinkat(s->flavor->name, s->ctx->pod_fd, CONTRACT_FILE_FLAVOR) < 0 && errno != EEXIST)
		return err_sys(e, errno, "record the flavor");
	return 0;
}

static int step_listen(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	return s->ctx->mutable_pod ? 0 : listen_share(s, e);
}

static int step_sockets(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->control) < 0)
		return err_sys(e, errno, "socketpair");
	int r = 0;
	for (size_t i = 0; i < s->ctx->napps && r == 0; i++)
		r = streams_connect(&s->apps[i].streams, e);
	return r;
}

/* The child reports over the control socket and ends; it never returns into the supervisor's code. */
static _Noreturn void child_main(struct sandbox *s)
{
	struct sync_msg m = { .kind = SYNC_FAILED, .err = ERR_INIT };

	/* the supervisor's ends close with the execve */
	(void)child_build(s, &m.err);
	(void)fd_send(s->control[1], &m, sizeof(m), NULL, 0);
	_exit(CONTRACT_EXIT_FAILURE);
}

/* As fork(2).  An outer filter may hide clone3, whose flags it cannot see; clone(2) takes the same ones, but for the
 * control group: *@born says whether the child is in it. */
static long clone_child(uint64_t flags, int cgroup, int *pidfd, bool *born)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	*born = pid > 0;
	if (pid < 0 && (errno == ENOSYS || errno == EPERM))
		pid = syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, NULL);
	return pid;
}

/* The child waits until it is somebody: its map, and a control group that init may use. */
static int let_in(struct sandbox *s, bool born, struct err *e)
{
	char go = 1;
	int r = userns_map(&s->users, s->init_pid, e);

	if (r == 0 && !born)
		r = userns_move(&s->users, s->init_pid, e);
	if (r == 0 && (r = fd_send(s->control[0], &go, sizeof(go), NULL, 0)) < 0)
		r = err_sys(e, -r, "let the pod's first process go on");
	return r;
}

static int step_clone(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	int pidfd = FD_NONE;
	uint64_t users = s->users.on ? CLONE_NEWUSER : 0;
	bool born = false;
	if (s->users.on && userns_cgroups(s, e) < 0)
		return -e->code;
	long pid = clone_child(CLONE_NEWNS | users | s->flavor->namespaces(s->ctx), s->users.leaf_fd, &pidfd,
			       &born);

	if (pid < 0)
		return err_sys(e, errno, "create the pod's namespaces");
	if (pid == 0)
		child_main(s);
	s->init_pid = (pid_t)pid;
	s->init_pidfd = pidfd;
	fd_close(&s->control[1]);
	listen_hand_over(s);
	for (size_t i = 0; i < s->ctx->napps; i++)
		streams_hand_over(&s->apps[i].streams);
	return s->users.on ? let_in(s, born, e) : 0;
}

static int step_networks(void *ctx, struct err *e)
{
	return netcall_begin(ctx, e);
}

/* The supervisor, which has exactly one child; its start time tells it from a later process with the same number.  rkt
 * 1.30 knows it by the file ppid. */
static int step_pids(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	unsigned long long start = 0;
	char boot[37];
	pid_t own = 0;
	int r = proc_self(&own, &start);

	if (r == 0)
		r = proc_boot_id(boot);
	if (r < 0)
		return err_sys(e, -r, "own start time");
	auto_free char *guard = xasprintf("%d %llu %s", own, start, boot);
	auto_free char *ppid = xasprintf("%d\n", own);
	r = record_write_at(s->ctx->pod_fd, CONTRACT_FILE_PID_START, guard);
	if (r == 0 && !s->ctx->own_stage0)
		r = write_file_at(s->ctx->pod_fd, CONTRACT_FILE_PPID, ppid, strlen(ppid), 0644, 0);
	return r < 0 ? err_sys(e, -r, "record the supervisor") : 0;
}

/* Everything that can be refused is refused before anything is made; the cgroup record is on disk
 * before the clone that leads to the cgroups. */
static const struct step start_steps[] = {
	{ "check the pod", step_check },
	{ "decide the privileges", step_policy },
	{ "read the name service files", step_netfiles },
	{ "open the volumes", step_volumes },
	{ "make a map of ids", step_users_map },
	{ "shift the file systems", step_users },
	/* the directory before the program: init's descriptors are neighbours then, and the others closed at once */
	{ "plan the cgroups", step_cgroups },
	{ "open stage2", step_open_init },
	{ "record the flavor", step_flavor },
	{ "take the sockets of a service manager", step_listen },
	{ "connect", step_sockets },
	{ "clone", step_clone },
	{ "begin to connect the networks", step_networks },
	{ "record the pids", step_pids },
	{ NULL, NULL },
};

void sandbox_init(struct sandbox *s, struct podctx *c, const struct flavor *f)
{
	*s = (struct sandbox){
		.ctx = c,
		.flavor = f,
		.init_exe = FD_NONE,
		.control = { FD_NONE, FD_NONE },
		.root_fd = FD_NONE,
		.users = USERNS_INIT,
		.net = NETCALL_INIT,
		.place_fd = FD_NONE,
		.plan_fd = FD_NONE,
		.shm_fd = FD_NONE,
		.proc_mount = FD_NONE,
		.shm_mount = FD_NONE,
		.pty_slave = FD_NONE,
		.pty_master = FD_NONE,
		.init_pidfd = FD_NONE,
	};
	s->tty = c->interactive && isatty(STDIN_FILENO);
	s->apps = xcalloc(c->napps + 1, sizeof(*s->apps));
	for (uint32_t i = 0; i < c->napps; i++) {
		struct app_build *a = &s->apps[i];

		a->in = &c->apps[i];
		a->index = i;
		a->root_fd = a->dev_fd = a->notify_fd = FD_NONE;
		a->streams = (struct app_streams)APP_STREAMS_INIT;
		(void)snprintf(a->root, sizeof(a->root), "/a%u", i);
	}
}

/* A pod that `rkt run` made and that never started is of no use to anybody: its directory goes.  We hold
 * its lock, so nobody else is at it; a prepared pod stays, since somebody else made it. */
static void forget(const struct podctx *c)
{
	struct stat a, b;
	struct err e = ERR_INIT;
	const char *fresh = getenv(CONTRACT_FRESH);
	auto_close int parent = openat(c->pod_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!fresh || strcmp(fresh, "1") != 0 || parent < 0 || fstat(c->pod_fd, &a) < 0 ||
	    fstatat(parent, c->uuid, &b, AT_SYMLINK_NOFOLLOW) < 0 || a.st_ino != b.st_ino ||
	    a.st_dev != b.st_dev)
		return;
	if (rm_tree_at(parent, c->uuid, &e) < 0)
		log_warn("remove the pod that did not start: %s", e.text);
}

/* With a user namespace the groups were made before the clone, and init cannot have removed them. */
static void drop_cgroups(const struct sandbox *s)
{
	struct err e = ERR_INIT;

	if (s->users.on && cgroups_destroy(s->ctx->pod_fd, &e) < 0)
		log_warn("%s", e.text);
}

static int start_and_watch(struct podctx *c, const struct flavor *f, int signal_fd, int *status,
			   struct err *e)
{
	struct sandbox s;

	sandbox_init(&s, c, f);
	int r = steps_run(start_steps, &s, e);
	if (r == 0)
		r = supervise(&s, signal_fd, status, e);
	else if (s.init_pid > 0)
		(void)kill(s.init_pid, SIGKILL);
	netcall_end(&s);
	if (r < 0)
		drop_cgroups(&s);
	if (r < 0 || (*status == CONTRACT_EXIT_FAILURE && !s.started))
		forget(c);
	return r;
}

int sandbox_main(const struct flavor *f, int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct podctx c;
	int status = CONTRACT_EXIT_FAILURE;

	/* our own stage0 has seen to it */
	if (!getenv(CONTRACT_FRESH))
		(void)umask(022);
	log_setup(verb_prefix("run"), LOG_NORMAL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	int signal_fd = supervise_signals(&e);
	/* the lowest free number: only a caller who closed a standard descriptor makes it one of those */
	if (signal_fd >= 0 && signal_fd <= STDERR_FILENO) {
		fd_close(&signal_fd);
		(void)fd_ensure_std();
		signal_fd = supervise_signals(&e);
	}
	int r = signal_fd < 0 ? signal_fd : podctx_load(argc, argv, &c, &e);
	if (r == 0)
		r = start_and_watch(&c, f, signal_fd, &status, &e);
	if (r < 0)
		log_error("%s", e.text);
	/* Memory and descriptors end with us, the lock last of all. */
	_exit(r < 0 ? CONTRACT_EXIT_FAILURE : status);
}
