/*
 * dev — the minimal /dev of flavor ns (formats.md section 8).
 *
 * A tmpfs on which no device node opens (nodev): an app with CAP_MKNOD can make nodes there and
 * gains nothing.  The few devices it may use are the host's own, bound one by one and checked by number.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"

static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[] = {
	{ "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
};

static int touch_at(int dir, const char *name)
{
	auto_close int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : 0;
}

static int bind_node(int dev_fd, size_t i, struct err *e)
{
	struct stat st;
	auto_free char *path = xasprintf("/dev/%s", nodes[i].name);
	auto_close int src = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (src < 0 || fstat(src, &st) < 0)
		return err_sys(e, errno, "open the host's %s", path);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(nodes[i].major, nodes[i].minor))
		return err_set(e, ERR_SYS, ENODEV, "the host's %s is not the device it should be", path);
	auto_close int m = mnt_clone(src, "", false, e);
	if (m < 0)
		return m;
	int r = touch_at(dev_fd, nodes[i].name);
	if (r < 0)
		return err_sys(e, -r, "create %s", path);
	return mnt_attach(m, dev_fd, nodes[i].name, e);
}

static int mount_below(int dev_fd, const char *name, const char *fstype, const struct mnt_opt *opts,
		       unsigned int flags, struct err *e)
{
	auto_close int m = mnt_new(fstype, opts, flags, e);

	if (m < 0)
		return m;
	if (mkdirat(dev_fd, name, 0755) < 0)
		return err_sys(e, errno, "create /dev/%s", name);
	return mnt_attach(m, dev_fd, name, e) < 0 ? err_ctx(e, "/dev/%s", name) : 0;
}

/* POSIX shared memory belongs to the pod, as its ipc namespace does: the first app's is every app's. */
static int mount_shm(struct sandbox *s, int dev_fd, struct err *e)
{
	static const struct mnt_opt opts[] = { { "mode", "1777" }, { "size", "64m" }, { NULL, NULL } };
	bool first = s->shm_fd < 0;
	auto_close int m = first ? mnt_new("tmpfs", opts, MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_, e)
				 : mnt_clone(s->shm_fd, "", false, e);

	if (m < 0)
		return m;
	if (mkdirat(dev_fd, "shm", 0755) < 0)
		return err_sys(e, errno, "create /dev/shm");
	if (mnt_attach(m, dev_fd, "shm", e) < 0)
		return err_ctx(e, "/dev/shm");
	if (first)
		s->shm_fd = steal_fd(&m);
	return 0;
}

/* A pty on the devpts that was just mounted; TIOCGPTPEER opens the slave without a path (threats.md R11). */
int dev_open_pty(struct sandbox *s, int dev_fd, struct err *e)
{
	int unlock = 0;

	s->pty_master = openat(dev_fd, "pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->pty_master < 0)
		return err_sys(e, errno, "open a terminal for the app");
	if (ioctl(s->pty_master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, errno, "unlock the app's terminal");
	s->pty_slave = ioctl(s->pty_master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->pty_slave < 0)
		return err_sys(e, errno, "open the app's side of its terminal");
	return 0;
}

/* /dev/console: the app's terminal, or nothing to read and nowhere to write. */
static int console(struct sandbox *s, int dev_fd, struct err *e)
{
	int src = s->pty_slave >= 0 ? s->pty_slave : open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	auto_close __attribute__((unused)) int own = src == s->pty_slave ? FD_NONE : src;

	if (src < 0)
		return err_sys(e, errno, "open /dev/null");
	auto_close int m = mnt_clone(src, "", false, e);
	if (m < 0)
		return m;
	int r = touch_at(dev_fd, "console");
	if (r < 0)
		return err_sys(e, -r, "create /dev/console");
	return mnt_attach(m, dev_fd, "console", e) < 0 ? err_ctx(e, "/dev/console") : 0;
}

static int fill(struct sandbox *s, int dev_fd, struct err *e)
{
	static const struct mnt_opt pts[] = { { "newinstance", NULL },
					      { "ptmxmode", "0666" },
					      { "mode", "0620" },
					      { "gid", "5" },
					      { NULL, NULL } };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(nodes) && r == 0; i++)
		r = bind_node(dev_fd, i, e);
	for (size_t i = 0; i < ARRAY_LEN(links) && r == 0; i++) {
		if (symlinkat(links[i].target, dev_fd, links[i].name) < 0)
			r = err_sys(e, errno, "link /dev/%s", links[i].name);
	}
	if (r == 0)
		r = mount_below(dev_fd, "pts", "devpts", pts, MNT_NOSUID | MNT_NOEXEC_, e);
	if (r == 0)
		r = mount_shm(s, dev_fd, e);
	if (r == 0)
		r = mount_below(dev_fd, "mqueue", "mqueue", NULL, MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_, e);
	if (r == 0 && s->tty && s->pty_master < 0)
		r = dev_open_pty(s, dev_fd, e);
	return r == 0 ? console(s, dev_fd, e) : r;
}

int dev_mount(struct sandbox *s, struct app_build *a, struct err *e)
{
	static const struct mnt_opt opts[] = { { "mode", "0755" }, { "size", "1m" }, { NULL, NULL } };
	auto_close int at = tree_own_dir(a->root_fd, "dev", 0755, e);

	if (at < 0)
		return at;
	a->dev_fd = mnt_new("tmpfs", opts, MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_, e);
	if (a->dev_fd < 0)
		return a->dev_fd;
	int r = mnt_attach(a->dev_fd, at, "", e);
	return r == 0 ? fill(s, a->dev_fd, e) : r;
}
