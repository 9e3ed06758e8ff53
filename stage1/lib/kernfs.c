/*
 * kernfs — /proc and /sys of flavor ns, and what is hidden or read-only in them (internals.md 5.10).
 *
 * Both are instances that the kernel has just made for us, so a plain name below their root cannot be a
 * link that somebody planted (threats.md R7, R10).  That is why this file may use mount(2) with plain
 * names below it: one call covers one name, where the way by descriptors takes four.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"

#define KERNFS_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define COVER_FLAGS  (KERNFS_FLAGS | MS_RDONLY)

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

/* Where we are: names are below what was just mounted over the app's root. */
struct place {
	const struct sandbox *s;
	const struct app_build *a;
	char **here; /* the names that are there, or NULL for any */
};

/*
 * The names in /proc, or NULL when they cannot be read: asking once spares a call for every name that this kernel has
 * not.  The kernel lists its own entries before the processes, so the first number (ours is one) is the end.
 */
static char **names_here(const struct app_build *a)
{
	_Alignas(struct dirent64) char buf[8192];
	int fd = open(a->at, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* ends with our execve */
	auto_strv names = NULL;
	long got = -1;

	while (fd >= 0 && (got = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < got;) {
			const struct dirent64 *d = (const void *)(buf + at);

			if (isdigit((unsigned char)d->d_name[0]))
				return steal_ptr(&names);
			strv_push(&names, d->d_name);
			at += d->d_reclen;
		}
	}
	return got == 0 ? steal_ptr(&names) : NULL;
}

/* A name that is not there is nobody's business. */
static bool absent(const struct place *p, const char *name)
{
	return p->here && !strv_has(p->here, name);
}

static int hide_files(const struct place *p, const char *const *names, struct err *e)
{
	char at[PATH_MAX];

	for (; names && *names; names++) {
		if (absent(p, *names))
			continue;
		if (mount("/dev/null", tree_at(p->a, *names, at), NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			return err_sys(e, errno, "mask %s", *names);
	}
	return 0;
}

static int hide_dirs(const struct place *p, const char *const *names, struct err *e)
{
	char cover[PATH_MAX] = "", at[PATH_MAX];

	for (; *names; names++) {
		if (absent(p, *names))
			continue;
		(void)tree_at(p->a, *names, at);
		int r = *cover ? mount(cover, at, NULL, MS_BIND, NULL)
			       : mount("tmpfs", at, "tmpfs", COVER_FLAGS, "size=4k,nr_inodes=2,mode=755");

		if (r < 0 && errno != ENOENT)
			return err_sys(e, errno, "mask %s", *names);
		if (r == 0 && !*cover)
			memcpy(cover, at, sizeof(at));
	}
	return 0;
}

/* A bind mount has the flags of the mount that its source was found through: what comes from init's own procfs, which
 * is read-only, needs no second call. */
static int bind_readonly(const struct place *p, const char *name)
{
	char from[64], at[PATH_MAX];

	(void)tree_at(p->a, name, at);
	if (!p->s->proc_readonly)
		return mount(at, at, NULL, MS_BIND, NULL) < 0 ||
				       mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | COVER_FLAGS, NULL) < 0
			       ? -errno
			       : 0;
	(void)snprintf(from, sizeof(from), "proc/%s", name);
	return mount(from, at, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

static int make_readonly(const struct place *p, const char *const *names, struct err *e)
{
	for (; names && *names; names++) {
		int r = absent(p, *names) ? -ENOENT : bind_readonly(p, *names);

		if (r < 0 && r != -ENOENT)
			return err_sys(e, -r, "make %s read-only", *names);
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

static int cover(const struct place *p, const struct kern *k, struct err *e)
{
	int r = hide_files(p, k->files, e);

	if (r == 0)
		r = hide_dirs(p, k->dirs, e);
	return r == 0 ? make_readonly(p, k->ro, e) : r;
}

/* A procfs shows the pid namespace of who mounts it, so app/add, which stays outside, brings the pod's. */
static int begin(struct sandbox *s, struct app_build *a, const struct kern *k, struct err *e)
{
	unsigned long ro = k->readonly && !s->ctx->no_paths ? MS_RDONLY : 0;

	if (k->readonly || s->proc_mount < 0)
		return tree_begin(a, k->dir, k->fstype, KERNFS_FLAGS | ro, NULL, e);
	auto_close int m = steal_fd(&s->proc_mount);
	return mnt_attach(m, AT_FDCWD, tree_place(a, k->dir), e);
}

static int mount_one(struct sandbox *s, struct app_build *a, const struct kern *k, struct err *e)
{
	int r = begin(s, a, k, e);

	if (r == 0 && !s->ctx->no_paths) {
		auto_strv here = k->readonly ? NULL : names_here(a);

		r = cover(&(struct place){ s, a, here }, k, e);
	}
	if (r == 0)
		r = tree_settle(a, k->dir, e);
	return r < 0 ? err_ctx(e, "/%s", k->dir) : 0;
}

int kernfs_mount(struct sandbox *s, struct app_build *a, struct err *e)
{
	int r = mount_one(s, a, &kern[0], e);

	return r == 0 ? mount_one(s, a, &kern[1], e) : r;
}
