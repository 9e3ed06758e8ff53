/*
 * kernfs — /proc and /sys of flavor ns, and what is hidden or read-only in them (internals.md 5.10).
 *
 * Both are instances we have just mounted, so plain names below their descriptors cannot be links
 * that somebody planted (threats.md R7, R10).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/auto.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"

/* Hidden: directories by an empty read-only tmpfs, files by our own /dev/null. */
static const char *const masked_proc[] = {
	"acpi",          "asound", "interrupts", "kallsyms",    "kcore", "keys",       "kmem",
	"latency_stats", "mem",    "config.gz",  "sched_debug", "scsi",  "timer_list", "timer_stats",
};
static const char *const masked_sys[] = {
	"firmware", "fs", "hypervisor", "module", "power", "devices/virtual/powercap",
};
static const char *const readonly_proc[] = { "bus", "fs", "irq", "sys", "sysrq-trigger" };

#define KERNFS_FLAGS (MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_)

static int mount_one(const struct app_build *a, const char *fstype, const char *dir, unsigned int flags,
		     struct err *e)
{
	auto_close int at = tree_own_dir(a->root_fd, dir, 0755, e);
	if (at < 0)
		return at;
	auto_close int m = mnt_new(fstype, NULL, flags, e);
	if (m < 0)
		return m;
	return mnt_attach(m, at, "", e) < 0 ? err_ctx(e, "/%s", dir) : 0;
}

int kernfs_mount(struct sandbox *s, struct app_build *a, struct err *e)
{
	unsigned int sys_ro = s->ctx->no_paths ? 0 : MNT_RO;
	int r = mount_one(a, "proc", "proc", KERNFS_FLAGS, e);

	if (r == 0)
		r = mount_one(a, "sysfs", "sys", KERNFS_FLAGS | sys_ro, e);
	return r;
}

/* A cover for files: a clone of the host's /dev/null, checked to be that device. */
static int null_cover(struct sandbox *s, struct err *e)
{
	struct stat st;

	if (s->null_fd < 0) {
		s->null_fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (s->null_fd < 0 || fstat(s->null_fd, &st) < 0)
			return err_sys(e, errno, "open /dev/null");
		if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
			return err_set(e, ERR_SYS, ENODEV, "the host's /dev/null is not the null device");
	}
	return mnt_clone(s->null_fd, "", false, e);
}

/* One file system without room for anything covers all masked directories of the pod. */
static int dir_cover(struct sandbox *s, struct err *e)
{
	static const struct mnt_opt opts[] = {
		{ "size", "4k" }, { "nr_inodes", "2" }, { "mode", "0755" }, { NULL, NULL }
	};

	return s->empty_fd >= 0 ? mnt_clone(s->empty_fd, "", false, e)
				: mnt_new("tmpfs", opts, KERNFS_FLAGS | MNT_RO, e);
}

/* Cover one name if it is there.  Each cover is a fresh clone: a mount has one place only. */
static int mask(struct sandbox *s, int kern_fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(kern_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "look at %s", name);
	bool dir = S_ISDIR(st.st_mode);
	auto_close int cover = dir ? dir_cover(s, e) : null_cover(s, e);
	if (cover < 0)
		return cover;
	if (mnt_attach(cover, kern_fd, name, e) < 0)
		return err_ctx(e, "mask %s", name);
	if (dir && s->empty_fd < 0)
		s->empty_fd = steal_fd(&cover); /* only an attached mount can be cloned again */
	return 0;
}

static int read_only(struct sandbox *s, int kern_fd, const char *name, struct err *e)
{
	struct stat st;

	(void)s;
	if (fstatat(kern_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "look at %s", name);
	auto_close int m = mnt_clone(kern_fd, name, false, e);
	if (m < 0)
		return m;
	int r = mnt_set(m, MNT_RO | KERNFS_FLAGS, false, e);
	if (r == 0)
		r = mnt_attach(m, kern_fd, name, e);
	return r < 0 ? err_ctx(e, "make %s read-only", name) : 0;
}

static int for_each(struct sandbox *s, int fd, const char *const *names, size_t n,
		    int (*fn)(struct sandbox *, int, const char *, struct err *), struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = fn(s, fd, names[i], e);
	return r;
}

/* The descriptor of what is mounted at @dir now; refuses anything but the expected file system root. */
static int open_kern(const struct app_build *a, const char *dir, struct err *e)
{
	int fd = openat(a->root_fd, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "open the app's /%s", dir) : fd;
}

int kernfs_protect(struct sandbox *s, struct app_build *a, struct err *e)
{
	if (s->ctx->no_paths)
		return 0;
	auto_close int proc = open_kern(a, "proc", e);
	if (proc < 0)
		return proc;
	auto_close int sys = open_kern(a, "sys", e);
	if (sys < 0)
		return sys;
	int r = for_each(s, proc, masked_proc, ARRAY_LEN(masked_proc), mask, e);
	if (r == 0)
		r = for_each(s, proc, readonly_proc, ARRAY_LEN(readonly_proc), read_only, e);
	if (r == 0)
		r = for_each(s, sys, masked_sys, ARRAY_LEN(masked_sys), mask, e);
	return r;
}
