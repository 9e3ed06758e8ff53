/* mnt — see mnt.h.  Raw system calls: glibc 2.36 has wrappers, older ones do not. */
#include "stage1/lib/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"

static uint64_t attr_bits(unsigned int flags)
{
	uint64_t a = 0;

	if (flags & MNT_RO)
		a |= MOUNT_ATTR_RDONLY;
	if (flags & MNT_NOSUID)
		a |= MOUNT_ATTR_NOSUID;
	if (flags & MNT_NODEV_)
		a |= MOUNT_ATTR_NODEV;
	if (flags & MNT_NOEXEC_)
		a |= MOUNT_ATTR_NOEXEC;
	return a;
}

/* What fails for want of a system call says so: nothing but a newer kernel or a wider filter helps. */
static int refused(struct err *e, int error)
{
	if (error == ENOSYS)
		err_hint(
			e,
			"Linux 5.12 or later is needed, and no filter around rkt that hides its mount calls");
	return -error;
}

static int fs_set(int fs, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
}

/* The kernel's own words about a refused option, if it has any ("e overlay: …"). */
static void add_kernel_log(int fs, struct err *e)
{
	char line[200];
	ssize_t n = read(fs, line, sizeof(line) - 1);

	if (n <= 2)
		return;
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	line[n] = '\0';
	err_hint(e, "kernel: %s", line + 2);
}

/* Create the superblock of a configured context and a detached mount of it. */
static int fs_finish(int fs, const char *fstype, unsigned int flags, struct err *e)
{
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		err_sys(e, errno, "mount a new %s", fstype);
		add_kernel_log(fs, e);
		return -e->code;
	}
	int fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr_bits(flags));
	if (fd < 0)
		return err_sys(e, errno, "mount a new %s", fstype);
	return fd;
}

int mnt_new(const char *fstype, const struct mnt_opt *opts, unsigned int flags, struct err *e)
{
	auto_close int fs = (int)syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC);

	if (fs < 0 && (errno == ENOSYS || errno == EPERM))
		return mnt_new_classic(fstype, opts, flags, e);
	if (fs < 0)
		return err_sys(e, errno, "open file system type %s", fstype);
	for (const struct mnt_opt *o = opts; o && o->key; o++) {
		if (fs_set(fs, o->key, o->value) < 0)
			return err_sys(e, errno, "%s option %s=%s", fstype, o->key, o->value ? o->value : "");
	}
	return fs_finish(fs, fstype, flags, e);
}

/* ':' and '\' separate and escape in the joined form of lowerdir. */
static void add_layer(struct buf *b, const char *path)
{
	if (b->len)
		buf_addc(b, ':');
	for (; *path; path++) {
		if (*path == ':' || *path == '\\' || *path == ',')
			buf_addc(b, '\\');
		buf_addc(b, *path);
	}
}

static int set_lower(int fs, const char *const *lower, size_t n, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (fs_set(fs, "lowerdir+", lower[i]) < 0)
			break;
	}
	if (i == n)
		return 0;
	if (i > 0 || errno != EINVAL)
		return err_sys(e, errno, "overlay layer %s", lower[i]);

	auto_buf joined = BUF_INIT;
	for (i = 0; i < n; i++)
		add_layer(&joined, lower[i]);
	if (fs_set(fs, "lowerdir", buf_str(&joined)) < 0)
		return err_sys(e, errno, "overlay layers %s", buf_str(&joined));
	return 0;
}

int mnt_overlay(const char *const *lower, size_t nlower, const char *upper, const char *work,
		unsigned int flags, struct err *e)
{
	auto_close int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	int r;

	if (fs < 0)
		return err_sys(e, errno, "open file system type overlay");
	r = set_lower(fs, lower, nlower, e);
	if (r < 0)
		return r;
	if (fs_set(fs, "upperdir", upper) < 0)
		return err_sys(e, errno, "overlay upper directory %s", upper);
	if (fs_set(fs, "workdir", work) < 0)
		return err_sys(e, errno, "overlay work directory %s", work);
	/* kernels before 5.10 do not know it and do without */
	if (fs_set(fs, "volatile", NULL) < 0 && errno != EINVAL)
		return err_sys(e, errno, "overlay option volatile");
	return fs_finish(fs, "overlay", flags, e);
}

int mnt_clone(int dirfd, const char *path, bool recursive, struct err *e)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	if (recursive)
		flags |= AT_RECURSIVE;
	if (!*path)
		flags |= AT_EMPTY_PATH;
	int fd = (int)syscall(SYS_open_tree, dirfd, path, flags);
	if (fd < 0) {
		err_sys(e, errno, "open_tree %s", *path ? path : "of an open file");
		return refused(e, e->code);
	}
	return fd;
}

static int set_attr(int fd, struct mount_attr *a, bool recursive, const char *what, struct err *e)
{
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	if (syscall(SYS_mount_setattr, fd, "", flags, a, sizeof(*a)) == 0)
		return 0;
	err_sys(e, errno, "mount_setattr %s", what);
	return refused(e, e->code);
}

int mnt_set(int fd, unsigned int flags, bool recursive, struct err *e)
{
	struct mount_attr a = { .attr_set = attr_bits(flags) };

	return set_attr(fd, &a, recursive, "flags", e);
}

/* The path that we were executed by, as the kernel left it on our stack. */
static const char *executed_as(void)
{
	unsigned long at = getauxval(AT_EXECFN);

	return at ? (const char *)at : "";
}

/* The name @name in the directory of the absolute path @file; -ENOENT for a relative one. */
static int beside(const char *file, const char *name, char out[PATH_MAX])
{
	const char *slash = strrchr(file, '/');
	int n = *file == '/' ? snprintf(out, PATH_MAX, "%.*s/%s", (int)(slash - file), file, name) : -1;

	return n < 0 ? -ENOENT : n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int mnt_program(const char *name, struct err *e)
{
	char path[PATH_MAX];
	struct err ignored = ERR_INIT;
	int r = beside(executed_as(), name, path);
	auto_close int fd = r < 0 ? r : mnt_clone(AT_FDCWD, path, false, &ignored);

	/* executed by a relative name, or by a link that lies elsewhere */
	if (fd < 0) {
		char exe[PATH_MAX];
		ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

		exe[n < 0 ? 0 : n] = '\0';
		if (n < 0 || beside(exe, name, path) < 0)
			return err_sys(e, n < 0 ? errno : ENAMETOOLONG, "find the stage1 directory");
		fd = mnt_clone(AT_FDCWD, path, false, e);
	}
	if (fd < 0)
		return err_ctx(e, "stage2/%s", name);
	r = mnt_set(fd, MNT_RO | MNT_NODEV_ | MNT_NOSUID, false, e);
	return r < 0 ? r : steal_fd(&fd);
}

int mnt_propagation(int fd, uint64_t propagation, bool recursive, struct err *e)
{
	struct mount_attr a = { .propagation = propagation };

	return set_attr(fd, &a, recursive, "propagation", e);
}

static int move(int from, const char *name, int dirfd, const char *path, struct err *e)
{
	unsigned int flags = (*name ? 0 : MOVE_MOUNT_F_EMPTY_PATH) | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);

	if (syscall(SYS_move_mount, from, name, dirfd, path, flags) == 0)
		return 0;
	err_sys(e, errno, "move_mount to %s", *path ? path : "the opened target");
	return refused(e, e->code);
}

int mnt_attach(int fd, int dirfd, const char *path, struct err *e)
{
	return move(fd, "", dirfd, path, e);
}

int mnt_move(const char *name, int dirfd, const char *path, struct err *e)
{
	return move(AT_FDCWD, name, dirfd, path, e);
}
