/*
 * child — the work of the cloned process between its birth in the new namespaces and its execve of
 * stage2/init (sandbox.h).  The step table below is the order; each step says what must hold before.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"
#include "stage1/lib/steps.h"
#include "stage1/lib/sysctl.h"
#include "stage2/plan.h"

/*
 * In a user namespace: up to here we are nobody of it, and may what the host's root may by owning files; from here on we
 * are its root and own what the pod sees.  What lies in the pod directory, which is closed to that one, is opened first.
 */
static int become_root(struct sandbox *s, struct err *e)
{
	char go;
	size_t none = 0;

	/* ours of the supervisor's end would keep us from seeing it end */
	fd_close(&s->control[0]);
	if (fd_recv(s->control[1], &go, sizeof(go), NULL, &none) != (ssize_t)sizeof(go))
		return err_set(e, ERR_SYS, EPIPE, "hear from the supervisor");
	s->place_fd = openat(s->ctx->pod_fd, "appsinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->plan_fd = child_open_plan(s);
	if (s->place_fd < 0 || s->plan_fd < 0)
		return err_sys(e, s->place_fd < 0 ? errno : -s->plan_fd, "open files of the pod directory");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(e, errno, "become root of the user namespace");
	return 0;
}

/* Is the pod directory needed once more by descriptor?  The supervisor's one shows it in the host's mount namespace, where
 * files can be written but nothing attached. */
static bool needs_directory(const struct sandbox *s)
{
	return s->ctx->pod_fd < 0 || s->users.on || s->ctx->napps > 1;
}

/* Nothing that is mounted from here on reaches the host. */
int child_separate(struct sandbox *s, struct err *e)
{
	if (needs_directory(s)) {
		s->ctx->pod_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s->ctx->pod_fd < 0)
			return err_sys(e, errno, "open the pod directory");
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		return s->users.on ? become_root(s, e) : 0;
	bool chrooted = errno == EINVAL;
	err_sys(e, errno, "make the mounts a slave of the host's");
	return chrooted ? err_hint(e, "a chroot must be a mount point: mount --bind it onto itself first")
			: -e->code;
}

static int step_propagation(void *ctx, struct err *e)
{
	return child_separate(ctx, e);
}

static int step_enter(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	return s->flavor->enter ? s->flavor->enter(s, e) : 0;
}

/* With a user namespace, whose root may not walk into the pod directory. */
static int shifted_pod_root(struct sandbox *s, struct err *e)
{
	s->root_fd = mnt_new("tmpfs", NULL, MNT_NOSUID | MNT_NODEV_, e);
	return s->root_fd < 0 ? s->root_fd : mnt_attach(s->root_fd, s->place_fd, "", e);
}

/* init's root: a tmpfs with one directory an app and a procfs of our own; attached over a directory of
 * the pod that has been read by now (stage1/rootfs may hold the apps' roots), which only this namespace sees. */
int child_pod_root(struct sandbox *s, struct err *e)
{
	int r = s->place_fd >= 0 ? shifted_pod_root(s, e) : 0;

	if (r < 0)
		return r;
	/* without options: it is read-only before anybody but us sees it; the name is ours and below our working directory */
	if (s->root_fd < 0 && mount("tmpfs", "appsinfo", "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0)
		return err_sys(e, errno, "mount a new tmpfs");
	if (s->root_fd < 0)
		s->root_fd = open("appsinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0 || mkdirat(s->root_fd, "proc", 0555) < 0)
		return err_sys(e, errno, "create init's /proc");
	return 0;
}

/* A mutable pod: a place for every app that may come, since the root will be read-only, and the shared memory
 * of them all. */
static int make_places(const struct sandbox *s, struct err *e)
{
	static const struct mnt_opt opts[] = { { "mode", "1777" }, { "size", "64m" }, { NULL, NULL } };
	char name[16];

	for (unsigned int i = 0; i < PLAN_APPS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "a%u", i);
		if (mkdirat(s->root_fd, name, 0755) < 0)
			return err_sys(e, errno, "create /%s in init's root", name);
	}
	if (mkdirat(s->root_fd, "shm", 0755) < 0)
		return err_sys(e, errno, "create /shm in init's root");
	auto_close int m = mnt_new("tmpfs", opts, MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_, e);
	return m < 0 ? m : mnt_attach(m, s->root_fd, "shm", e);
}

static int step_pod_root(void *ctx, struct err *e)
{
	const struct sandbox *s = ctx;
	int r = child_pod_root(ctx, e);

	return r == 0 && s->ctx->mutable_pod ? make_places(s, e) : r;
}

/* Is anything written through init's procfs, now or when an app is launched? */
static bool writes_proc(const struct sandbox *s)
{
	bool writes = s->ctx->mutable_pod || s->ctx->manifest->isolators.n > 0;

	for (size_t i = 0; i < s->ctx->napps && !writes; i++) {
		const struct isolators *l = &s->ctx->apps[i].app->isolators;

		writes = isolators_get(l, ISO_OOM_SCORE_ADJ) || isolators_get(l, ISO_SYSCTL);
	}
	return writes;
}

static int step_proc(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (s->users.on) {
		auto_close int m = mnt_new("proc", NULL, MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_, e);

		return m < 0 ? m : mnt_attach(m, s->root_fd, "proc", e);
	}
	s->proc_readonly = !writes_proc(s);
	if (mount("proc", "appsinfo/proc", "proc", flags | (s->proc_readonly ? MS_RDONLY : 0), NULL) < 0)
		return err_sys(e, errno, "mount a new proc");
	return 0;
}

/* /tmp for an image that has none; one that has something else there keeps it. */
static int own_tmp(const struct app_build *a, struct err *e)
{
	if (mkdirat(a->root_fd, "tmp", 01777) == 0 && fchmodat(a->root_fd, "tmp", 01777, 0) < 0)
		return err_sys(e, errno, "mode of the app's /tmp");
	return 0;
}

static int step_sysctl(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	return sysctl_apply(s->ctx, s->root_fd, e);
}

/* One app: image, kernel file systems, volumes over them. */
int child_build_app(struct sandbox *s, struct app_build *a, struct err *e)
{
	int r = tree_attach_root(s, a, e);

	if (r == 0)
		r = own_tmp(a, e);
	if (r == 0 && fchdir(s->root_fd) < 0)
		r = err_sys(e, errno, "enter init's root");
	if (r == 0)
		r = s->flavor->kernel_mounts(s, a, e);
	/* the overlays' directories are named relative to the pod directory */
	if (r == 0 && !s->users.on && s->ctx->napps > 1 && fchdir(s->ctx->pod_fd) < 0)
		r = err_sys(e, errno, "return to the pod directory");
	if (r == 0)
		r = etcfiles_write(s, a, e);
	if (r == 0)
		r = volumes_attach(&a->vols, a->root_fd, e);
	/* the last thing that needs the networks, which are being made meanwhile */
	if (r == 0)
		r = netcall_hear(s, e);
	if (r == 0)
		r = volumes_attach(&a->netfiles, a->root_fd, e);
	if (r == 0 && a->in->rt->read_only_rootfs)
		r = mnt_set(a->root_fd, MNT_RO, false, e);
	return r < 0 ? err_ctx(e, "app \"%s\"", a->in->rt->name) : 0;
}

static int step_trees(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	int r = 0;

	for (size_t i = 0; i < s->ctx->napps && r == 0; i++)
		r = child_build_app(s, &s->apps[i], e);
	return r;
}

/* The masters of terminals are the supervisor's; ours are closed by the execve. */
static int step_send_pty(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;
	struct sync_msg m = { .kind = SYNC_PTY };

	int r = 0;

	m.app = -1;
	if (s->pty_master >= 0)
		r = fd_send(s->control[1], &m, sizeof(m), &s->pty_master, 1);
	for (size_t i = 0; i < s->ctx->napps && r == 0; i++) {
		m.app = (int)i;
		if (s->apps[i].streams.tty_outer >= 0)
			r = fd_send(s->control[1], &m, sizeof(m), &s->apps[i].streams.tty_outer, 1);
	}
	return r < 0 ? err_sys(e, -r, "hand the terminal to the supervisor") : 0;
}

/* From here on the host's files are reachable only through descriptors that the execve closes. */
static int step_pivot(void *ctx, struct err *e)
{
	struct sandbox *s = ctx;

	/* where the last app was built */
	if ((s->ctx->napps != 1 && fchdir(s->root_fd) < 0) || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(e, errno, "pivot_root");
	/* the working directory is below the old root and stays when that goes: it is the new one */
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(e, errno, "leave the host's root");
	return mnt_set(s->root_fd, MNT_RO, false, e);
}

/* pivot_root needs the new root attached and the trees complete; the plan needs the trees. */
static const struct step build_steps[] = {
	{ "separate mounts", step_propagation },
	{ "enter the namespaces", step_enter },
	{ "make init's root", step_pod_root },
	{ "mount init's proc", step_proc },
	{ "set kernel parameters", step_sysctl },
	{ "assemble the root file systems", step_trees },
	{ "pass on the terminal", step_send_pty },
	{ "enter init's root", step_pivot },
	{ NULL, NULL },
};

/* One number is fixed; what is in its way is duplicated above it before it is overwritten. */
static int place(int fd, int at)
{
	return dup3(fd, at, 0) < 0 ? -errno : 0;
}

/* A descriptor that must survive: marked so where it is, or moved when it is in the way of the fixed ones. */
static int keep(int fd)
{
	int n = fd > PLAN_FD_CONTROL ? fcntl(fd, F_SETFD, 0) : fcntl(fd, F_DUPFD, PLAN_FD_CONTROL + 1);

	return n < 0 ? -errno : fd > PLAN_FD_CONTROL ? fd : n;
}

/* One that ends with the execve, out of the way. */
static int aside(int fd)
{
	int n = fd > PLAN_FD_CONTROL ? fd : fcntl(fd, F_DUPFD_CLOEXEC, PLAN_FD_CONTROL + 1);

	return n < 0 ? -errno : n;
}

static int keep_cgroups(struct sandbox *s, int fds[CGROUP_MAX], struct err *e)
{
	for (uint32_t i = 0; i < s->cgroups.n; i++) {
		fds[i] = keep(s->cgroups.v[i].parent_fd);
		if (fds[i] < 0)
			return err_sys(e, -fds[i], "pass on the cgroup directory");
	}
	return 0;
}

static int keep_one(int *fd, struct err *e)
{
	int up = *fd < 0 ? *fd : keep(*fd);

	if (*fd >= 0 && up < 0)
		return err_sys(e, -up, "pass on a stream");
	*fd = up;
	return 0;
}

static int keep_streams(struct sandbox *s, struct err *e)
{
	int r = keep_one(&s->pty_slave, e);

	for (size_t i = 0; i < s->ctx->napps && r == 0; i++) {
		struct app_streams *t = &s->apps[i].streams;

		r = keep_one(&t->tty_inner, e);
		for (int stream = 0; stream < 3 && r == 0; stream++)
			r = keep_one(&t->inner[stream], e);
		for (uint32_t k = 0; k < s->apps[i].listen.n && r == 0; k++)
			r = keep_one(&s->apps[i].listen.fd[k], e);
	}
	return r;
}

static int exec_init(struct sandbox *s, int plan, struct err *e)
{
	char number[16];
	const char *const argv[] = { "rkt-init", number, NULL };
	static const char *const env[] = { NULL };
	int exe = aside(s->init_exe), control = aside(s->control[1]);

	/* the plan's descriptor is open for the execve; only one that is in the way must move */
	plan = plan > PLAN_FD_CONTROL ? plan : keep(plan);
	if (exe < 0 || control < 0 || plan < 0)
		return err_set(e, ERR_SYS, EMFILE, "arrange descriptors");
	(void)snprintf(number, sizeof(number), "%d", plan);
	s->control[1] = control;
	int r = place(control, PLAN_FD_CONTROL);
	if (r < 0)
		return err_sys(e, -r, "arrange descriptors");
	(void)execveat(exe, "", (char *const *)argv, (char *const *)env, AT_EMPTY_PATH);
	return err_sys(e, errno, "execute stage2/init");
}

/* Without --interactive an app reads nothing. */
static int null_stdin(const struct sandbox *s, int null_fd, struct err *e)
{
	if (s->ctx->interactive || (s->flavor->flags & FLAVOR_STDIN))
		return 0;
	return dup2(null_fd, 0) < 0 ? err_sys(e, errno, "standard input") : 0;
}

int child_build(struct sandbox *s, struct err *e)
{
	int fds[CGROUP_MAX];
	auto_close int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null_fd < 0)
		return err_sys(e, errno, "open /dev/null");
	int r = steps_run(build_steps, s, e);
	if (r == 0)
		r = keep_cgroups(s, fds, e);
	if (r == 0)
		r = keep_streams(s, e);
	auto_close int plan = r == 0 ? child_plan(s, fds, e) : r;
	if (plan < 0)
		return plan;
	r = null_stdin(s, null_fd, e);
	return r == 0 ? exec_init(s, plan, e) : r;
}
