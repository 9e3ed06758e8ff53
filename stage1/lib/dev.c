/*
 * dev — the minimal /dev of flavor ns (formats.md section 8).
 *
 * A tmpfs on which no device node opens (nodev): an app with CAP_MKNOD can make nodes there and
 * gains nothing.  The few devices it may use are the host's own, bound one by one.
 * Where the app's root has a skeleton (skeleton.h), /dev is part of that, and nothing is made here but mounts.
 * The tmpfs, or the directory, is new and nobody else's, so plain names in it are safe and the short calls do (see kernfs.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"

static const struct {
	const char *name, *host_path;
} nodes[] = {
	{ "null", "/dev/null" },     { "zero", "/dev/zero" },       { "full", "/dev/full" },
	{ "random", "/dev/random" }, { "urandom", "/dev/urandom" }, { "tty", "/dev/tty" },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
};

/* All of the following work in the new tmpfs, where every name is ours; see tree_at. */

static int new_dir(const struct app_build *a, const char *name, struct err *e)
{
	char at[PATH_MAX];

	if (a->skeleton)
		return 0;
	return mkdir(tree_at(a, name, at), 0755) < 0 ? err_sys(e, errno, "create /dev/%s", name) : 0;
}

/* A file to mount something on. */
static int new_file(const struct app_build *a, const char *name, struct err *e)
{
	char at[PATH_MAX];

	if (a->skeleton)
		return 0;
	return mknod(tree_at(a, name, at), S_IFREG | 0644, 0) < 0 ? err_sys(e, errno, "create /dev/%s", name)
								  : 0;
}

static int new_link(const struct app_build *a, const char *target, const char *name, struct err *e)
{
	char at[PATH_MAX];

	if (a->skeleton)
		return 0;
	return symlink(target, tree_at(a, name, at)) < 0 ? err_sys(e, errno, "link /dev/%s", name) : 0;
}

static int bind_node(const struct app_build *a, const char *name, const char *host_path, struct err *e)
{
	char at[PATH_MAX];
	int r = new_file(a, name, e);

	if (r == 0 && mount(host_path, tree_at(a, name, at), NULL, MS_BIND, NULL) < 0)
		r = err_sys(e, errno, "bind the host's %s", host_path);
	return r;
}

static int mount_below(const struct app_build *a, const char *name, const char *fstype, unsigned long flags,
		       const char *options, struct err *e)
{
	char at[PATH_MAX];
	int r = new_dir(a, name, e);

	if (r == 0 && mount(fstype, tree_at(a, name, at), fstype, flags, options) < 0)
		r = err_sys(e, errno, "mount %s on /dev/%s", fstype, name);
	return r;
}

static int attach_shm(const struct app_build *a, int m, struct err *e)
{
	char at[PATH_MAX];
	int r = new_dir(a, "shm", e);

	return r == 0 ? mnt_attach(m, AT_FDCWD, tree_at(a, "shm", at), e) : r;
}

/* POSIX shared memory belongs to the pod, as its ipc namespace does: the first app's is every app's. */
static int mount_shm(struct sandbox *s, const struct app_build *a, struct err *e)
{
	char at[PATH_MAX];

	if (s->shm_mount >= 0)
		return attach_shm(a, s->shm_mount, e);
	if (s->shm_fd >= 0) {
		auto_close int m = mnt_clone(s->shm_fd, "", false, e);

		return m < 0 ? m : attach_shm(a, m, e);
	}
	int r = mount_below(a, "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m", e);

	if (r == 0 && s->ctx->napps > 1)
		s->shm_fd = open(tree_at(a, "shm", at), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r;
}

/* TIOCGPTPEER opens the slave without a path (threats.md R11). */
int dev_open_pty(int dir_fd, const char *ptmx, int *master, int *slave, struct err *e)
{
	int unlock = 0;

	*master = openat(dir_fd, ptmx, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0)
		return err_sys(e, errno, "open a terminal for the app");
	if (ioctl(*master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, errno, "unlock the app's terminal");
	*slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		return err_sys(e, errno, "open the app's side of its terminal");
	return 0;
}

/* /dev/console: the app's terminal, or nothing to read and nowhere to write. */
static int console(const struct app_build *a, int slave, struct err *e)
{
	char at[PATH_MAX];

	if (slave < 0 && a->skeleton)
		return bind_node(a, "console", "/dev/null", e);
	if (slave < 0)
		return new_link(a, "null", "console", e);
	auto_close int m = mnt_clone(slave, "", false, e);
	int r = m < 0 ? m : new_file(a, "console", e);
	if (r == 0 && mnt_attach(m, AT_FDCWD, tree_at(a, "console", at), e) < 0)
		r = err_ctx(e, "/dev/console");
	return r;
}

/* The caller's terminal is relayed to one for the first app; others have their own, to attach to.  An added app gets a
 * new one with every start, on the devpts that was just mounted; /dev/console cannot be each of them. */
static int terminals(struct sandbox *s, struct app_build *a, struct err *e)
{
	struct app_streams *t = &a->streams;
	bool callers = s->tty && s->pty_master < 0, own = streams_any(t, STREAM_TTY);
	auto_close int dev = callers || own ? open(a->at, O_PATH | O_DIRECTORY | O_CLOEXEC) : FD_NONE;
	int r = 0;

	if (callers)
		r = dev_open_pty(dev, "pts/ptmx", &s->pty_master, &s->pty_slave, e);
	if (r == 0 && own && s->ctx->mutable_pod) {
		t->pts = openat(dev, "pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = t->pts < 0 ? err_sys(e, errno, "open the app's terminals") : 0;
	} else if (r == 0 && own) {
		r = dev_open_pty(dev, "pts/ptmx", &t->tty_outer, &t->tty_inner, e);
	}
	return r == 0 ? console(a, t->tty_inner >= 0 ? t->tty_inner : s->pty_slave, e) : r;
}

static int fill(struct sandbox *s, struct app_build *a, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(nodes) && r == 0; i++)
		r = bind_node(a, nodes[i].name, nodes[i].host_path, e);
	for (size_t i = 0; i < ARRAY_LEN(links) && r == 0; i++)
		r = new_link(a, links[i].target, links[i].name, e);
	if (r == 0)
		r = mount_below(a, "pts", "devpts", MS_NOSUID | MS_NOEXEC,
				"newinstance,ptmxmode=0666,mode=0620,gid=5", e);
	if (r == 0)
		r = mount_shm(s, a, e);
	if (r == 0)
		r = mount_below(a, "mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, e);
	return r == 0 ? terminals(s, a, e) : r;
}

int dev_mount(struct sandbox *s, struct app_build *a, struct err *e)
{
	int r = 0;

	if (a->skeleton)
		(void)tree_place(a, "dev");
	else
		r = tree_begin(a, "dev", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1m", e);
	if (r == 0)
		r = fill(s, a, e);
	return r == 0 ? tree_settle(a, "dev", e) : r;
}
