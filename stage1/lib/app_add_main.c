/*
 * app/add — the entrypoint that gives a running pod one more app: its tree at "/a<slot>" of init's mount namespace
 * and its plan in the pod directory.  The app is started by app/start.
 *
 * The tree is built as that of any app, by the same functions, but in a mount namespace of our own and by a process
 * of the host: we are never in the pod's pid namespace, so nothing in the pod sees us or can touch us.  What only
 * the pod has, its procfs and its shared memory, is fetched as detached mounts; its network and ipc namespaces we
 * join, for sysfs and mqueue show those of who mounts them.  The finished tree goes over as one detached mount.
 * Of an app that will have a terminal the supervisor gets the devpts (requests.h).  If we fail or are killed, what is left
 * are files of the pod directory and that, and app/rm takes both away.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "stage1/lib/addedplan.h"
#include "stage1/lib/appcall.h"
#include "stage1/lib/devices.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/planout.h"
#include "stage1/lib/sandbox.h"
#include "stage1/lib/steps.h"

struct adding {
	struct app_entry *entry;
	struct podctx ctx;
	struct sandbox s;
	struct init_place init;
	uint32_t slot;
	int own_ns, own_root;
	int tree; /* the finished one, detached */
};

static int step_load(void *ctx, struct err *e)
{
	struct adding *w = ctx;
	int r = podctx_load_app(w->entry->app, &w->ctx, e);

	if (r < 0)
		return r;
	sandbox_init(&w->s, &w->ctx, &flavor);
	return init_place_open(w->ctx.pod_fd, &w->init, e);
}

static int step_slot(void *ctx, struct err *e)
{
	struct adding *w = ctx;
	int r = addedplan_free_slot(w->ctx.pod_fd, &w->slot, e);

	if (r == 0)
		(void)snprintf(w->s.apps[0].root, sizeof(w->s.apps[0].root), "/a%u", w->slot);
	return r;
}

static int step_decide(void *ctx, struct err *e)
{
	struct adding *w = ctx;

	return steps_run(sandbox_app_steps, &w->s, e);
}

static int step_limits(void *ctx, struct err *e)
{
	struct adding *w = ctx;

	return devices_plan_added(&w->s, e);
}

static int step_fetch(void *ctx, struct err *e)
{
	struct adding *w = ctx;
	int more = (int)flavor.namespaces(&w->ctx) & (CLONE_NEWNET | CLONE_NEWIPC);

	w->own_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	w->own_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->own_ns < 0 || w->own_root < 0)
		return err_sys(e, errno, "remember the host's mount namespace");
	int r = init_place_enter(&w->init, more, e);
	if (r < 0)
		return r;
	w->s.proc_mount = mnt_clone(AT_FDCWD, "proc", false, e);
	if (w->s.proc_mount < 0)
		return w->s.proc_mount;
	w->s.shm_mount = mnt_clone(AT_FDCWD, "shm", false, e);
	return w->s.shm_mount < 0 ? w->s.shm_mount : 0;
}

/* Back in the host's mount namespace (and below our root, if that was another one), then in a copy of it. */
static int step_leave(void *ctx, struct err *e)
{
	struct adding *w = ctx;

	if (syscall(SYS_setns, w->own_ns, CLONE_NEWNS) < 0 || fchdir(w->own_root) < 0 || chroot(".") < 0 ||
	    fchdir(w->ctx.pod_fd) < 0)
		return err_sys(e, errno, "return to the host's mount namespace");
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, errno, "make a mount namespace");
	fd_close(&w->ctx.pod_fd);
	return child_separate(&w->s, e);
}

static int step_build(void *ctx, struct err *e)
{
	struct adding *w = ctx;
	int r = child_pod_root(&w->s, e);

	if (r == 0)
		r = child_build_app(&w->s, &w->s.apps[0], e);
	if (r < 0)
		return r;
	w->tree = mnt_clone(w->s.apps[0].root_fd, "", true, e);
	return w->tree < 0 ? w->tree : 0;
}

/* The parents of cgroups are init's business, which knows them from the pod's own plan. */
static int step_plan(void *ctx, struct err *e)
{
	static const int no_fds[CGROUP_MAX];
	struct adding *w = ctx;
	struct plan_app_in app;
	auto_buf bytes = BUF_INIT;
	int r = child_plan_app(&w->s, &w->s.apps[0], &app, e);

	if (r < 0)
		return r;
	r = child_plan_build(&w->s, no_fds, &app, &bytes, e);
	return r < 0 ? r : addedplan_save(w->ctx.pod_fd, w->entry->app, &bytes, e);
}

/* The supervisor listens in the pod directory. */
static int step_terminals(void *ctx, struct err *e)
{
	struct adding *w = ctx;
	struct app_call c = { .op = APP_TERMINALS, .slot = w->slot };
	int fd = w->s.apps[0].streams.pts;

	if (fd < 0)
		return 0;
	if (fchdir(w->ctx.pod_fd) < 0)
		return err_sys(e, errno, "return to the pod directory");
	return app_request(w->entry, &c, fd, NULL, e);
}

static int step_attach(void *ctx, struct err *e)
{
	struct adding *w = ctx;
	int r = init_place_enter(&w->init, 0, e);

	if (r == 0)
		r = mnt_attach(w->tree, AT_FDCWD, w->s.apps[0].root + 1, e);
	return r;
}

static const struct step add_steps[] = {
	{ "read the pod", step_load },
	{ "find a place", step_slot },
	{ "decide about the app", step_decide },
	{ "plan the limits", step_limits },
	{ "fetch the pod's file systems", step_fetch },
	{ "separate mounts", step_leave },
	{ "assemble the root file system", step_build },
	{ "plan the app", step_plan },
	{ "hand over the terminals", step_terminals },
	{ "hand over the tree", step_attach },
	{ NULL, NULL },
};

static int add(struct app_entry *a, struct err *e)
{
	struct adding w = { .entry = a,
			    .init = { FD_NONE, FD_NONE },
			    .own_ns = FD_NONE,
			    .own_root = FD_NONE,
			    .tree = FD_NONE };

	/* memory and descriptors end with us */
	return steps_run(add_steps, &w, e);
}

int main(int argc, char **argv)
{
	return app_entry_main(argc, argv, "app add", add);
}
