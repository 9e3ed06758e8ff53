/*
 * fsat — opening, making, reading and replacing files relative to directory descriptors.
 *
 * open_in_root and open_beneath are openat2(2) where the kernel has it.  Where it has not (before
 * Linux 5.6, or a seccomp profile that refuses it) walk() does the same by hand: each component is
 * opened O_PATH|O_NOFOLLOW, a symlink is read through that very descriptor and spliced into what
 * remains, ".." shortens the list of names walked so far and starts again at the root.  Nothing is
 * ever resolved by the kernel across more than one name, and the parent directory entry ".." of a
 * directory that others may move is never used.
 */
#include "base/fsat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"

#define LINKS_MAX     40     /* as the kernel */
#define STEPS_MAX     65536  /* names opened by one walk; ".." makes it start over */
#define RACES_MAX     64     /* somebody keeps changing the tree under us */
#define PROC_MAGIC    0x9fa0 /* f_type of procfs */
#define PROC_ROOT_INO 1

static bool openat2_missing;

/* ---- openat2 ---- */

static int try_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	bool creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
	struct open_how how = { .flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
				.mode = creates ? mode & 07777 : 0,
				.resolve = resolve };

	for (int tries = 0;;) {
		long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || ++tries == RACES_MAX)
			return -errno;
	}
}

/* EPERM may be about the file (immutable) or about the call (seccomp): ask with a harmless one. */
static bool call_is_missing(int r)
{
	if (r == -EPERM)
		r = try_openat2(AT_FDCWD, ".", O_PATH, 0, 0);
	if (r >= 0) {
		(void)close(r);
		return false;
	}
	return r == -ENOSYS || r == -EPERM;
}

/* ---- the walk ---- */

struct walk {
	int root;
	int cur;         /* O_PATH, owned */
	struct buf done; /* names walked, no links among them, "a/b" */
	struct buf rest; /* what remains */
	unsigned int links, steps, races;
	int flags;
	mode_t mode;
	bool clamp; /* in_root: absolute paths and ".." stay inside; else they are -EXDEV */
};

static int walk_to_root(struct walk *w)
{
	fd_close(&w->cur);
	buf_clear(&w->done);
	w->cur = openat(w->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return w->cur < 0 ? -errno : 0;
}

/* Continue with @front followed by what remained after @used bytes of the rest. */
static void walk_on(struct walk *w, const char *front, size_t used)
{
	struct buf next = BUF_INIT;

	buf_adds(&next, front);
	buf_adds(&next, buf_str(&w->rest) + used);
	buf_done(&w->rest);
	w->rest = next;
}

/* ".." — forget the last name and walk to there again. */
static int walk_up(struct walk *w, size_t used)
{
	auto_free char *path = NULL;
	char *slash;

	if (w->done.len == 0) {
		if (!w->clamp)
			return -EXDEV;
		walk_on(w, "", used);
		return 0;
	}
	path = xstrdup(buf_str(&w->done));
	slash = strrchr(path, '/');
	*(slash ? slash : path) = '\0';
	walk_on(w, path[0] ? path : ".", used);
	return walk_to_root(w);
}

/* A link in procfs below its top ("/proc/PID/exe", "fd/3") names an object, not a path. */
static bool is_magic_link(const struct walk *w, int fd)
{
	struct statfs sfs;
	struct stat dir;

	if (fstatfs(fd, &sfs) < 0 || fstat(w->cur, &dir) < 0)
		return true;
	return sfs.f_type == PROC_MAGIC && dir.st_ino != PROC_ROOT_INO;
}

/* The symlink open as @fd was met: go on with its text. */
static int walk_link(struct walk *w, int fd, size_t used)
{
	char text[PATH_MAX];
	ssize_t n;

	if (!w->clamp || ++w->links > LINKS_MAX || is_magic_link(w, fd))
		return -ELOOP;
	n = readlinkat(fd, "", text, sizeof(text));
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENOENT;
	if ((size_t)n >= sizeof(text))
		return -ENAMETOOLONG;
	text[n] = '\0';
	walk_on(w, text, used);
	return text[0] == '/' ? walk_to_root(w) : 0;
}

/* Open the last name, which was no symlink a moment ago; -EAGAIN when it has become one. */
static int walk_final(struct walk *w, const char *name)
{
	int fd = openat(w->cur, name, w->flags | O_NOFOLLOW | O_CLOEXEC, w->mode);
	struct stat st;

	if (fd < 0 &&
	    (errno == ELOOP || (errno == ENOTDIR && (w->flags & O_DIRECTORY)) || errno == ENOENT ||
	     (errno == EEXIST && !(w->flags & O_EXCL))) &&
	    ++w->races < RACES_MAX)
		return -EAGAIN;
	if (fd < 0)
		return -errno;
	/* O_PATH does not refuse a link that replaced the file. */
	if ((w->flags & O_PATH) && !(w->flags & O_NOFOLLOW)) {
		if (fstat(fd, &st) < 0 || S_ISLNK(st.st_mode)) {
			(void)close(fd);
			return ++w->races < RACES_MAX ? -EAGAIN : -ELOOP;
		}
	}
	return fd;
}

/* One name; *@ret_fd is set when the walk is over. */
static int walk_name(struct walk *w, const char *name, size_t used, int *ret_fd)
{
	const char *after = buf_str(&w->rest) + used;
	bool last = after[strspn(after, "/")] == '\0';
	bool must_dir = *after == '/';
	auto_close int fd = openat(w->cur, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 && errno == ENOENT && last && !must_dir && (w->flags & O_CREAT)) {
		/* O_NOFOLLOW|O_CREAT: somebody's new link here is ELOOP, and then looked at again. */
		r = openat(w->cur, name, w->flags | O_NOFOLLOW | O_CLOEXEC, w->mode);
		if (r < 0)
			return errno == ELOOP && ++w->races < RACES_MAX ? 0 : -errno;
		*ret_fd = r;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		if (last && !must_dir && (w->flags & O_NOFOLLOW) && (w->flags & O_PATH)) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
		if (last && !must_dir && (w->flags & O_EXCL))
			return -EEXIST;
		return last && !must_dir && (w->flags & O_NOFOLLOW) ? -ELOOP : walk_link(w, fd, used);
	}
	if ((must_dir || (last && (w->flags & O_DIRECTORY))) && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (last) {
		r = walk_final(w, name);
		if (r == -EAGAIN)
			return 0; /* the rest is untouched: look at the name again */
		*ret_fd = r;
		return r < 0 ? r : 0;
	}
	fd_close(&w->cur);
	w->cur = steal_fd(&fd);
	buf_addf(&w->done, "%s%s", w->done.len ? "/" : "", name);
	walk_on(w, "", used);
	return 0;
}

/* One turn: take a component off the rest. */
static int walk_step(struct walk *w, int *ret_fd)
{
	char name[NAME_MAX + 1];
	const char *p = buf_str(&w->rest);
	size_t lead = strspn(p, "/"), len = strcspn(p + lead, "/");

	if (++w->steps > STEPS_MAX)
		return -ELOOP;
	if (len == 0) { /* ends in "/", "." or "..": the directory we stand in */
		*ret_fd = openat(w->cur, ".", w->flags | O_CLOEXEC, w->mode);
		return *ret_fd < 0 ? -errno : 0;
	}
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, p + lead, len);
	name[len] = '\0';
	if (strcmp(name, ".") == 0) {
		walk_on(w, "", lead + len);
		return 0;
	}
	if (strcmp(name, "..") == 0)
		return walk_up(w, lead + len);
	return walk_name(w, name, lead + len, ret_fd);
}

static int walk(int rootfd, const char *path, int flags, mode_t mode, bool clamp)
{
	struct walk w = { .root = rootfd, .cur = FD_NONE, .flags = flags, .mode = mode, .clamp = clamp };
	int fd = FD_NONE, r;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (*path == '/' && !clamp)
		return -EXDEV;
	buf_adds(&w.rest, path);
	r = walk_to_root(&w);
	while (r == 0 && fd < 0)
		r = walk_step(&w, &fd);
	fd_close(&w.cur);
	buf_done(&w.done);
	buf_done(&w.rest);
	return r < 0 ? r : fd;
}

static int open_resolved(int dirfd, const char *path, int flags, mode_t mode, bool clamp)
{
	uint64_t resolve = clamp ? RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
				 : RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	int r;

	if (!openat2_missing) {
		r = try_openat2(dirfd, path, flags, mode, resolve);
		if (r >= 0 || (r != -ENOSYS && r != -EPERM && r != -EAGAIN))
			return r;
		if (r != -EAGAIN) {
			if (!call_is_missing(r))
				return r;
			openat2_missing = true;
		}
	}
	return walk(dirfd, path, flags, mode, clamp);
}

int open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(rootfd, path, flags, mode, true);
}

int open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(dirfd, path, flags, mode, false);
}
