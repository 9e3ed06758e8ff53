/*
 * dev — the minimal /dev of flavor ns (formats.md section 8).
 *
 * A tmpfs on which no device node opens (nodev): an app with CAP_MKNOD can make nodes there and
 * gains nothing.  The few devices it may use are the host's own, bound one by one.
 * The tmpfs is new and nobody else's, so plain names in it are safe and the short calls do (see kernfs.c).
 */
#include <errno.h>
#include <fcntl.h>
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

/* All of the following work in the new tmpfs as their working directory, where every name is ours. */

static int new_dir(const char *name, struct err *e)
{
	return mkdir(name, 0755) < 0 ? err_sys(e, errno, "create /dev/%s", name) : 0;
}

/* A file to mount something on. */
static int new_file(const char *name, struct err *e)
{
	return mknod(name, S_IFREG | 0644, 0) < 0 ? err_sys(e, errno, "create /dev/%s", name) : 0;
}

static int bind_node(const char *name, const char *host_path, struct err *e)
{
	int r = new_file(name, e);

	if (r == 0 && mount(host_path, name, NULL, MS_BIND, NULL) < 0)
		r = err_sys(e, errno, "bind the host's %s", host_path);
	return r;
}

static int mount_below(const char *name, const char *fstype, unsigned long flags, const char *options,
		       struct err *e)
{
	int r = new_dir(name, e);

	if (r == 0 && mount(fstype, name, fstype, flags, options) < 0)
		r = err_sys(e, errno, "mount %s on /dev/%s", fstype, name);
	return r;
}

/* POSIX shared memory belongs to the pod, as its ipc namespace does: the first app's is every app's. */
static int mount_shm(struct sandbox *s, struct err *e)
{
	if (s->shm_mount >= 0) {
		int r = new_dir("shm", e);

		return r == 0 ? mnt_attach(s->shm_mount, AT_FDCWD, "shm", e) : r;
	}
	if (s->shm_fd < 0) {
		int r = mount_below("shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m",
				    e);

		if (r == 0 && s->ctx->napps > 1)
			s->shm_fd = open("shm", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return r;
	}
	auto_close int m = mnt_clone(s->shm_fd, "", false, e);
	int r = m < 0 ? m : new_dir("shm", e);
	return r == 0 ? mnt_attach(m, AT_FDCWD, "shm", e) : r;
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
static int console(int slave, struct err *e)
{
	if (slave < 0)
		return bind_node("console", "/dev/null", e);
	auto_close int m = mnt_clone(slave, "", false, e);
	int r = m < 0 ? m : new_file("console", e);
	if (r == 0 && mnt_attach(m, AT_FDCWD, "console", e) < 0)
		r = err_ctx(e, "/dev/console");
	return r;
}

/* The caller's terminal is relayed to one for the first app; others have their own, to attach to.  An added app gets a
 * new one with every start, on the devpts that was just mounted; /dev/console cannot be each of them. */
static int terminals(struct sandbox *s, struct app_build *a, struct err *e)
{
	struct app_streams *t = &a->streams;
	int r = 0;

	if (s->tty && s->pty_master < 0)
		r = dev_open_pty(a->dev_fd, "pts/ptmx", &s->pty_master, &s->pty_slave, e);
	if (r == 0 && streams_any(t, STREAM_TTY) && s->ctx->mutable_pod) {
		t->pts = open("pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = t->pts < 0 ? err_sys(e, errno, "open the app's terminals") : 0;
	} else if (r == 0 && streams_any(t, STREAM_TTY)) {
		r = dev_open_pty(a->dev_fd, "pts/ptmx", &t->tty_outer, &t->tty_inner, e);
	}
	return r == 0 ? console(t->tty_inner >= 0 ? t->tty_inner : s->pty_slave, e) : r;
}

static int fill(struct sandbox *s, struct app_build *a, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(nodes) && r == 0; i++)
		r = bind_node(nodes[i].name, nodes[i].host_path, e);
	for (size_t i = 0; i < ARRAY_LEN(links) && r == 0; i++) {
		if (symlink(links[i].target, links[i].name) < 0)
			r = err_sys(e, errno, "link /dev/%s", links[i].name);
	}
	if (r == 0)
		r = mount_below("pts", "devpts", MS_NOSUID | MS_NOEXEC,
				"newinstance,ptmxmode=0666,mode=0620,gid=5", e);
	if (r == 0)
		r = mount_shm(s, e);
	if (r == 0)
		r = mount_below("mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, e);
	return r == 0 ? terminals(s, a, e) : r;
}

int dev_mount(struct sandbox *s, struct app_build *a, struct err *e)
{
	static const struct mnt_opt opts[] = { { "mode", "0755" }, { "size", "1m" }, { NULL, NULL } };

	a->dev_fd = mnt_new("tmpfs", opts, MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_, e);
	int r = a->dev_fd < 0 ? a->dev_fd : tree_mount_own(a->dev_fd, a->root_fd, "dev", e);
	if (r == 0 && fchdir(a->dev_fd) < 0)
		r = err_sys(e, errno, "enter the app's /dev");
	return r == 0 ? fill(s, a, e) : r;
}
