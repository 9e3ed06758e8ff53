/*
 * kernfs — /proc and /sys of flavor ns, and what is hidden or read-only in them (internals.md 5.10).
 *
 * Both are instances that the kernel has just made for us, so a plain name below their root cannot be a
 * link that somebody planted (threats.md R7, R10).  That is why this file may use mount(2) with relative
 * names: the working directory is the instance's root, one call covers one name, where the way by
 * descriptors takes four.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/auto.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"

#define KERNFS_FLAGS (MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_)
#define COVER_FLAGS  (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY)

/* Files are hidden by the host's /dev/null. */
static const char *const proc_files[] = {
	"interrupts", "kallsyms",  "kcore",       "keys",       "kmem",        "latency_stats",
	"mem",        "config.gz", "sched_debug", "timer_list", "timer_stats", NULL,
};
/* Directories by a file system without room for anything: the first one there carries it, the others share it. */
static const char *const proc_dirs[] = { "acpi", "asound", "scsi", NULL };
static const char *const sys_dirs[] = {
	"firmware", "fs", "hypervisor", "module", "power", "devices/virtual/powercap", NULL,
};
static const char *const proc_readonly[] = { "bus", "fs", "irq", "sys", "sysrq-trigger", NULL };

static int hide_files(const char *const *names, struct err *e)
{
	for (; names && *names; names++) {
		if (mount("/dev/null", *names, NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			return err_sys(e, errno, "mask %s", *names);
	}
	return 0;
}

static int hide_dirs(const char *const *names, struct err *e)
{
	const char *cover = NULL;

	for (; *names; names++) {
		int r = cover ? mount(cover, *names, NULL, MS_BIND, NULL)
			      : mount("tmpfs", *names, "tmpfs", COVER_FLAGS, "size=4k,nr_inodes=2,mode=755");

		if (r < 0 && errno != ENOENT)
			return err_sys(e, errno, "mask %s", *names);
		if (r == 0 && !cover)
			cover = *names;
	}
	return 0;
}

static int make_readonly(const char *const *names, struct err *e)
{
	for (; names && *names; names++) {
		if (mount(*names, *names, NULL, MS_BIND, NULL) < 0) {
			if (errno == ENOENT)
				continue;
			return err_sys(e, errno, "make %s read-only", *names);
		}
		if (mount(NULL, *names, NULL, MS_REMOUNT | MS_BIND | COVER_FLAGS, NULL) < 0)
			return err_sys(e, errno, "make %s read-only", *names);
	}
	return 0;
}

static const struct kern {
	const char *fstype, *dir;
	bool readonly;
	const char *const *files, *const *dirs, *const *ro;
} kern[] = {
	{ "proc", "proc", false, proc_files, proc_dirs, proc_readonly },
	{ "sysfs", "sys", true, NULL, sys_dirs, NULL },
};

/* A new instance; a procfs shows the pid namespace of who mounts it, so app/add, which stays outside, brings
 * the pod's. */
static int instance(struct sandbox *s, const struct kern *k, unsigned int ro, struct err *e)
{
	if (!k->readonly && s->proc_mount >= 0)
		return steal_fd(&s->proc_mount);
	return mnt_new(k->fstype, NULL, KERNFS_FLAGS | ro, e);
}

static int mount_one(struct sandbox *s, const struct app_build *a, const struct kern *k, struct err *e)
{
	unsigned int ro = k->readonly && !s->ctx->no_paths ? MNT_RO : 0;
	auto_close int m = instance(s, k, ro, e);
	int r = m < 0 ? m : tree_mount_own(m, a->root_fd, k->dir, e);

	if (r < 0 || s->ctx->no_paths)
		return r;
	if (fchdir(m) < 0)
		return err_sys(e, errno, "enter the app's /%s", k->dir);
	r = hide_files(k->files, e);
	if (r == 0)
		r = hide_dirs(k->dirs, e);
	if (r == 0)
		r = make_readonly(k->ro, e);
	return r < 0 ? err_ctx(e, "/%s", k->dir) : 0;
}

int kernfs_mount(struct sandbox *s, struct app_build *a, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(kern) && r == 0; i++)
		r = mount_one(s, a, &kern[i], e);
	return r;
}
