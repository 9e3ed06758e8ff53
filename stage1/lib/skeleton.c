/* skeleton — see skeleton.h. */
#include "stage1/lib/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/err.h"
#include "base/fsat.h"

#define MAKING  "skeleton" /* in the pod directory, with which it goes if we are ended half way */
#define DAMAGED "skeleton-damaged"

/* dev.c makes the same, one by one, where there is no skeleton. */
static const struct entry {
	const char *name;
	mode_t type;
	const char *target;
} entries[] = {
	{ "proc", S_IFDIR, NULL },
	{ "sys", S_IFDIR, NULL },
	{ "dev", S_IFDIR, NULL },
	{ "dev/pts", S_IFDIR, NULL },
	{ "dev/shm", S_IFDIR, NULL },
	{ "dev/mqueue", S_IFDIR, NULL },
	{ "dev/null", S_IFREG, NULL },
	{ "dev/zero", S_IFREG, NULL },
	{ "dev/full", S_IFREG, NULL },
	{ "dev/random", S_IFREG, NULL },
	{ "dev/urandom", S_IFREG, NULL },
	{ "dev/tty", S_IFREG, NULL },
	{ "dev/console", S_IFREG, NULL },
	{ "dev/fd", S_IFLNK, "/proc/self/fd" },
	{ "dev/stdin", S_IFLNK, "/proc/self/fd/0" },
	{ "dev/stdout", S_IFLNK, "/proc/self/fd/1" },
	{ "dev/stderr", S_IFLNK, "/proc/self/fd/2" },
	{ "dev/ptmx", S_IFLNK, "pts/ptmx" },
};

/* Owner and mode are said again: a set-group-ID bit above hands its group down. */
static int make_entry(const struct entry *n)
{
	auto_free char *path = xasprintf(MAKING "/%s", n->name);
	int r;

	if (n->type == S_IFLNK)
		r = symlink(n->target, path);
	else if (n->type == S_IFDIR)
		r = mkdir(path, 0755);
	else
		r = mknod(path, S_IFREG | 0644, 0);
	if (r == 0)
		r = lchown(path, 0, 0);
	if (r == 0 && n->type != S_IFLNK)
		r = chmod(path, n->type == S_IFDIR ? 0755 : 0644);
	return r < 0 ? -errno : 0;
}

/* Whoever makes or removes a name in a directory changes its time; nobody else has this one. */
static const struct timespec untouched[2] = { { 1, 0 }, { 1, 0 } };

static int fill(void)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(entries) && r == 0; i++)
		r = make_entry(&entries[i]);
	if (r == 0 && (setxattr(MAKING "/dev", "trusted.overlay.opaque", "y", 1, 0) < 0 ||
		       utimensat(AT_FDCWD, MAKING "/dev", untouched, 0) < 0 ||
		       utimensat(AT_FDCWD, MAKING, untouched, 0) < 0))
		r = -errno;
	return r;
}

static bool is_whole(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_mtim.tv_sec == untouched[1].tv_sec &&
	       st.st_mtim.tv_nsec == untouched[1].tv_nsec;
}

bool skeleton_is_whole(void)
{
	return is_whole(SKELETON_PATH) && is_whole(SKELETON_PATH "/dev");
}

static int make(void)
{
	struct err ignored = ERR_INIT;

	/* what is not whole is nobody's; our directory takes it away if we do not */
	if (rename(SKELETON_PATH, DAMAGED) == 0)
		(void)rm_tree_at(AT_FDCWD, DAMAGED, &ignored);
	int r = mkdir(MAKING, 0700) < 0 ? -errno : fill();
	if (r == 0 && rename(MAKING, SKELETON_PATH) < 0)
		r = -errno;
	if (r < 0)
		(void)rm_tree_at(AT_FDCWD, MAKING, &ignored);
	return r;
}

/* Under a lock, or a whole one that somebody has put there meanwhile would be taken from under the pods that use it. */
int skeleton_make(void)
{
	auto_close int lock = open(SKELETON_PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return skeleton_is_whole() ? 0 : make();
}
