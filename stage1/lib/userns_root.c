/*
 * userns_root — the root file system of an app with shifted ids; see userns.h.
 *
 * An overlay takes its layers by path, and only from mounts of the mount namespace of who mounts it.  So a helper with a namespace of its
 * own attaches the shifted layers over a directory of the pod, mounts the overlay detached, hands it over and
 * ends; nothing of that is visible anywhere else.  The upper layer is not shifted: what the app writes is on disk under
 * the ids of the range, and belongs to nobody of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"

#define PLACE "appsinfo" /* a directory of every pod; covered in the helper's namespace only */

static int attach_layer(const struct sandbox *s, const char *id, size_t i, char ***lower, struct err *e)
{
	auto_free char *tree = xasprintf("../../../cas/tree/%s/rootfs", id);
	auto_free char *at = xasprintf(PLACE "/%zu", i);
	auto_close int m = mnt_clone(AT_FDCWD, tree, false, e);
	int r = m < 0 ? m : userns_shift(&s->users, m, false, e);

	if (r == 0 && mkdir(at, 0700) < 0)
		r = err_sys(e, errno, "create a place for a layer");
	if (r == 0)
		r = mnt_attach(m, AT_FDCWD, at, e);
	if (r == 0)
		strv_push(lower, at);
	return r;
}

/* In the helper: the overlay as a detached mount, or -errno. */
static int build_overlay(const struct sandbox *s, const struct app_build *a, struct err *e)
{
	const char *app = a->in->rt->name;
	auto_strv lower = NULL;
	auto_free char *upper = xasprintf("overlay/%s/upper", app), *work = xasprintf("overlay/%s/work", app);
	int r = 0;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("tmpfs", PLACE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") < 0)
		return err_sys(e, errno, "--private-users: prepare the layers");
	for (size_t i = 0; a->in->layers[i] && r == 0; i++)
		r = attach_layer(s, a->in->layers[i], i, &lower, e);
	return r < 0 ? r
		     : mnt_overlay((const char *const *)lower, strv_len(lower), upper, work, MNT_NODEV_, e);
}

static _Noreturn void helper(const struct sandbox *s, const struct app_build *a, int sock)
{
	struct err e = ERR_INIT;
	int fd = build_overlay(s, a, &e);

	(void)fd_send(sock, &e, sizeof(e), &fd, fd >= 0 ? 1 : 0);
	_exit(0);
}

static int overlay_by_helper(const struct sandbox *s, const struct app_build *a, struct err *e)
{
	int sock[2], fd = FD_NONE;
	struct err told = ERR_INIT;
	size_t nfds = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_sys(e, errno, "socketpair");
	auto_close int ours = sock[0];
	auto_close int its = sock[1];
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0)
		return err_sys(e, errno, "start a helper");
	if (pid == 0)
		helper(s, a, its);
	fd_close(&its);
	ssize_t n = fd_recv(ours, &told, sizeof(told), &fd, &nfds);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (n == (ssize_t)sizeof(told) && nfds == 1)
		return fd;
	if (n == (ssize_t)sizeof(told) && told.code)
		return err_copy(e, &told);
	return err_set(e, ERR_SYS, EIO,
		       "--private-users: the helper for the overlay ended without an answer");
}

static int copy_of(const struct sandbox *s, const struct app_build *a, struct err *e)
{
	auto_free char *path = xasprintf("%s/%s/rootfs", CONTRACT_DIR_STAGE2, a->in->rt->name);
	auto_close int fd = mnt_clone(AT_FDCWD, path, false, e);
	int r = fd < 0 ? fd : mnt_set(fd, MNT_NODEV_, false, e);

	if (r == 0)
		r = userns_shift(&s->users, fd, false, e);
	return r < 0 ? r : steal_fd(&fd);
}

int userns_root(struct sandbox *s, struct app_build *a, struct err *e)
{
	a->root_fd = a->in->layers ? overlay_by_helper(s, a, e) : copy_of(s, a, e);
	return a->root_fd < 0 ? err_ctx(e, "root file system of app \"%s\"", a->in->rt->name) : 0;
}
