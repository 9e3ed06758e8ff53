/* userns_cgroups — the pod's control groups, made by the supervisor and given to the pod's root; see userns.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "stage1/lib/sandbox.h"

/* What the kernel's documentation says to delegate (cgroup-v2.rst, "Model of Delegation"), and its likes of version 1. */
static const char *const delegated[] = { "cgroup.procs",   "cgroup.subtree_control",
					 "cgroup.threads", "tasks",
					 "cpuset.cpus",    "cpuset.mems" };

static int give(int dir, const struct userns *u)
{
	if (fchown(dir, u->shift, u->shift) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(delegated); i++) {
		if (fchownat(dir, delegated[i], u->shift, u->shift, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int make(int parent, const char *name)
{
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int userns_cgroups(struct sandbox *s, struct err *e)
{
	auto_free char *name = xasprintf("rkt-%s", s->ctx->uuid);

	for (uint32_t i = 0; i < s->cgroups.n; i++) {
		auto_close int dir = make(s->cgroups.v[i].parent_fd, name);
		int r = dir < 0 ? dir : give(dir, &s->users);

		if (r == 0 && s->cgroups.v[i].v2) {
			s->users.leaf_fd = make(dir, "init");
			r = s->users.leaf_fd < 0 ? s->users.leaf_fd : 0;
		}
		if (r < 0)
			return err_sys(e, -r, "give the control group %s to the pod", s->cgroups.v[i].path);
	}
	return 0;
}

int userns_move(const struct userns *u, pid_t pid, struct err *e)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", pid);
	auto_close int procs = u->leaf_fd < 0 ? FD_NONE
					      : openat(u->leaf_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	int r = u->leaf_fd < 0 ? 0 : procs < 0 ? -errno : write_full(procs, text, (size_t)n);

	return r < 0 ? err_sys(e, -r, "move init into its control group") : 0;
}
