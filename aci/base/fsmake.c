/*
 * fsmake — the part of fsat that makes directories and replaces or reads whole files.
 */
#include "base/fsat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"

#define LINKS_MAX    40
#define TMP_NAME_MAX PATH_MAX
#define UMASK_MAX    022 /* what our programs set (main.c, sandbox.c, fetch.c) */

/* Make directory @name in @parent, exactly @mode, ours; an O_PATH fd, or -EEXIST when it was there. */
static int make_one(int parent, const char *name, mode_t mode)
{
	auto_close int fd = FD_NONE;
	struct stat st;

	if (mkdirat(parent, name, mode) < 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (geteuid() == 0 && (st.st_uid || st.st_gid) && fchown(fd, 0, 0) < 0)
		return -errno;
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return -errno;
	fd_close(&fd);
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : steal_fd(&fd);
}

/* The path of the symlink @name in @parent, spliced between @before and @after.  Heap, or NULL with errno. */
static char *follow_text(int parent, const char *before, const char *name, const char *after)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(parent, name, text, sizeof(text) - 1);

	if (n < 0)
		return NULL;
	text[n] = '\0';
	if (text[0] == '/')
		return xasprintf("%s%s", text, after);
	return xasprintf("%s/%s%s", before, text, after);
}

/*
 * One pass over @path.  Returns an O_PATH fd, -errno, or 0 with *@ret_again when a link that points
 * to nothing was met: the pass starts over with its text spliced in.
 */
static int mkdir_pass(int rootfd, const char *path, mode_t mode, char **ret_again)
{
	auto_close int cur = openat(rootfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_buf prefix = BUF_INIT;

	if (cur < 0)
		return -errno;
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/"), before = prefix.len;
		auto_free char *name = xstrndup(path, len);
		int fd;

		path += len;
		buf_addf(&prefix, "/%s", name);
		fd = open_in_root(rootfd, prefix.data, O_PATH | O_DIRECTORY, 0);
		if (fd == -ENOENT && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			fd = make_one(cur, name, mode);
			if (fd == -EEXIST) {
				prefix.data[before] = '\0';
				*ret_again = follow_text(cur, prefix.data, name, path);
				return *ret_again ? 0 : errno == EINVAL ? -EAGAIN : -errno;
			}
		}
		if (fd < 0)
			return fd;
		fd_close(&cur);
		cur = fd;
	}
	return steal_fd(&cur);
}

int mkdir_in_root(int rootfd, const char *path, mode_t mode)
{
	auto_free char *now = NULL;
	int fd;

	if (!*path)
		return -ENOENT;
	fd = open_in_root(rootfd, path, O_PATH | O_DIRECTORY, 0);
	if (fd != -ENOENT)
		return fd;
	now = xstrdup(path);
	for (int links = 0; links <= LINKS_MAX; links++) {
		char *again = NULL;

		fd = mkdir_pass(rootfd, now, mode, &again);
		if (fd != -EAGAIN && !again)
			return fd;
		if (again) {
			free(now);
			now = again;
		}
	}
	return -ELOOP;
}

/* mkdir of our own with exactly @mode, keeping an inherited set-group-id bit; -errno. */
static int mkdir_exact(int dirfd, const char *path, mode_t mode)
{
	struct stat st;

	if (mkdirat(dirfd, path, mode) < 0)
		return -errno;
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	mode |= st.st_mode & S_ISGID;
	if ((st.st_mode & 07777) != mode && fchmodat(dirfd, path, mode, 0) < 0)
		return -errno;
	return 0;
}

int mkdir_p_at(int dirfd, const char *path, mode_t mode)
{
	auto_free char *p = xstrdup(path);
	struct stat st;
	int r = mkdir_exact(dirfd, path, mode); /* the usual case: only the last one is missing */

	if (r == -ENOENT && *path) {
		for (char *slash = p; (slash = strchr(slash + 1, '/'));) {
			*slash = '\0';
			r = mkdir_exact(dirfd, p, mode);
			*slash = '/';
			if (r < 0 && r != -EEXIST)
				return r;
		}
		r = mkdir_exact(dirfd, path, mode);
	}
	if (r != -EEXIST)
		return r;
	if (fstatat(dirfd, path, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int fsync_dir(int dirfd)
{
	return fsync(dirfd) < 0 ? -errno : 0;
}

/* A number that other processes hardly have: the kernel gives each 16 random bytes at its start (getauxval(3)). */
static uint32_t process_token(void)
{
	const unsigned char *random = (const unsigned char *)(uintptr_t)getauxval(AT_RANDOM);
	uint32_t token = 0;

	if (random)
		memcpy(&token, random + 4, sizeof(token));
	return token;
}

/*
 * A new file beside @name that nobody else has; fd or -errno.  The counter tells threads of one process
 * apart and O_EXCL everybody else; what a crash left is stepped over.
 */
static int open_tmp(int dirfd, const char *name, mode_t mode, char tmp[TMP_NAME_MAX])
{
	static atomic_uint counter;
	const char *slash = strrchr(name, '/');
	int dir_len = slash ? (int)(slash - name) + 1 : 0;

	for (int tries = 0;; tries++) {
		int n = snprintf(tmp, TMP_NAME_MAX, "%.*s.tmp-%x-%x", dir_len, name, process_token(),
				 atomic_fetch_add(&counter, 1));
		int fd;

		if (n < 0 || n >= TMP_NAME_MAX)
			return -ENAMETOOLONG;
		fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST || tries == 1000)
			return -errno;
	}
}

static int fill_tmp(int fd, const void *data, size_t len, mode_t mode, unsigned int flags)
{
	int r = write_full(fd, data, len);

	if (r < 0)
		return r;
	if ((mode & UMASK_MAX) && fchmod(fd, mode) < 0)
		return -errno;
	if ((flags & FS_SYNC) && fsync(fd) < 0)
		return -errno;
	return 0;
}

static int replace_in(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		      unsigned int flags)
{
	char tmp[TMP_NAME_MAX];
	auto_close int fd = open_tmp(dirfd, name, mode, tmp);
	int r;

	if (fd < 0)
		return fd;
	r = fill_tmp(fd, data, len, mode, flags);
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, tmp, 0);
	return r;
}

int write_file_at(int dirfd, const char *name, const void *data, size_t len, mode_t mode, unsigned int flags)
{
	const char *slash = strrchr(name, '/');
	auto_free char *dir = slash ? xstrndup(name, (size_t)(slash - name) + 1) : xstrdup(".");
	/* The temporary file is a neighbour of the final one: same file system, same directory to sync. */
	int r = replace_in(dirfd, name, data, len, mode, flags);

	if (r < 0 || !(flags & FS_SYNC))
		return r;
	auto_close int own = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return own < 0 ? -errno : fsync_dir(own);
}

/* Read a regular file of known size at one go; true when that was all of it. */
static bool read_at_once(int fd, size_t size, struct buf *out)
{
	ssize_t n = read(fd, buf_reserve(out, size + 1), size + 1);

	if (n > 0)
		out->len += (size_t)n;
	return n == (ssize_t)size;
}

int read_file_at(int dirfd, const char *name, size_t max, struct buf *out)
{
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > 0 && (uint64_t)st.st_size > max)
		return -EFBIG;
	/* kernel files have no size, or a wrong one: those are read to the end */
	size_t before = out->len;
	if (st.st_size > 0 && read_at_once(fd, (size_t)st.st_size, out))
		return 0;
	return fd_read_all(fd, max - (out->len - before), out);
}

int read_own_file_at(int dirfd, const char *name, size_t max, struct buf *out)
{
	const size_t room = 8192; /* of a regular file less than this is all there is */
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf_reserve(out, room), room);

	if (n < 0)
		return -errno;
	out->len += (size_t)n;
	if ((size_t)n > max)
		return -EFBIG;
	return (size_t)n < room ? 0 : fd_read_all(fd, max - (size_t)n, out);
}

/* Over an existing record: made beside it, then renamed. */
static int replace_link(int dirfd, const char *name, const char *text)
{
	const char *slash = strrchr(name, '/');
	int dir_len = slash ? (int)(slash - name) + 1 : 0;
	static atomic_uint links;
	auto_free char *tmp = xasprintf("%.*s.tmp-%x-l%x", dir_len, name, process_token(),
					atomic_fetch_add(&links, 1));

	if (symlinkat(text, dirfd, tmp) < 0)
		return -errno;
	int r = renameat(dirfd, tmp, dirfd, name) < 0 ? -errno : 0;
	if (r < 0)
		(void)unlinkat(dirfd, tmp, 0);
	return r;
}

int record_write_at(int dirfd, const char *name, const char *text)
{
	int r = symlinkat(text, dirfd, name) < 0 ? -errno : 0;

	if (r == -EEXIST)
		r = replace_link(dirfd, name, text);
	/* too long, or empty */
	if (r == -ENAMETOOLONG || (r == -ENOENT && !*text))
		r = write_file_at(dirfd, name, text, strlen(text), 0640, 0);
	return r;
}

int record_read_at(int dirfd, const char *name, size_t max, struct buf *out)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, text, sizeof(text));

	if (n < 0)
		return errno == EINVAL ? read_file_at(dirfd, name, max, out) : -errno;
	if ((size_t)n > max)
		return -EFBIG;
	buf_add(out, text, (size_t)n);
	return 0;
}
