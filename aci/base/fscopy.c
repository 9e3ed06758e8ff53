/*
 * fscopy — copy a tree with everything that makes it the same tree; and measure one.
 *
 * Data goes by FICLONE (shared extents), else copy_file_range(2), else read and write; holes stay
 * holes.  Order of the metadata matters: chown(2) clears set-id bits and security.capability, so
 * owner first, then attributes, mode, times.  Directories get theirs after their contents.
 */
#include "base/fsat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fswalk.h"

#define XATTR_VALUE_MAX 65536 /* XATTR_SIZE_MAX of the kernel */

struct copy {
	int top; /* of the destination */
	struct inode_set linked;
	char *chunk; /* for read and write, made when first needed */
};

#define CHUNK (128 * 1024)

static int copy_by_hand(struct copy *c, int in, int out, off_t from, off_t to)
{
	if (!c->chunk)
		c->chunk = xmalloc(CHUNK);
	while (from < to) {
		size_t want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		ssize_t n = pread(in, c->chunk, want, from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0; /* the file became shorter */
		for (ssize_t done = 0; done < n;) {
			ssize_t put = pwrite(out, c->chunk + done, (size_t)(n - done), from + done);

			if (put < 0 && errno != EINTR)
				return -errno;
			done += put > 0 ? put : 0;
		}
		from += n;
	}
	return 0;
}

/* Bytes [from, to) of @in to the same place of @out. */
static int copy_range(struct copy *c, int in, int out, off_t from, off_t to)
{
	while (from < to) {
		loff_t src = from, dst = from;
		ssize_t n = copy_file_range(in, &src, out, &dst, (size_t)(to - from), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <=
		    0) /* other file system, old kernel, odd file: the slow way decides what is an error */
			return copy_by_hand(c, in, out, from, to);
		from += n;
	}
	return 0;
}

static int copy_data(struct copy *c, int in, int out, off_t size)
{
	off_t at = 0;
	int r = 0;

	if (size == 0 || ioctl(out, FICLONE, in) == 0)
		return 0;
	if (ftruncate(out, size) < 0)
		return -errno;
	while (r == 0 && at < size) {
		off_t data = lseek(in, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO) /* only a hole is left */
			return 0;
		hole = data < 0 ? size : lseek(in, data, SEEK_HOLE);
		if (data < 0)
			data = at;
		if (hole < 0 || hole > size)
			hole = size;
		r = copy_range(c, in, out, data, hole);
		at = hole;
	}
	return r;
}

static bool wanted_xattr(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0;
}

/* 0 also when the file system has none, or cannot keep the user's ones. */
static int copy_xattrs(int in, int out)
{
	auto_free char *list = NULL, *value = NULL;
	ssize_t n = flistxattr(in, NULL, 0);

	if (n <= 0)
		return n == 0 || errno == ENOTSUP ? 0 : -errno;
	list = xmalloc((size_t)n + 1);
	n = flistxattr(in, list, (size_t)n);
	if (n < 0)
		return -errno;
	list[n] = '\0';
	for (const char *name = list; name < list + n; name += strlen(name) + 1) {
		ssize_t len;

		if (!wanted_xattr(name))
			continue;
		if (!value)
			value = xmalloc(XATTR_VALUE_MAX);
		len = fgetxattr(in, name, value, XATTR_VALUE_MAX);
		if (len < 0)
			return -errno;
		if (fsetxattr(out, name, value, (size_t)len, 0) < 0 && (errno != ENOTSUP || name[0] != 'u'))
			return -errno;
	}
	return 0;
}

/* Owner, attributes, mode and times of a file or directory open on both sides. */
static int copy_meta(int in, int out, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	struct stat now;
	int r;

	if (fstat(out, &now) < 0)
		return -errno;
	if ((now.st_uid != st->st_uid || now.st_gid != st->st_gid) && fchown(out, st->st_uid, st->st_gid) < 0)
		return -errno;
	r = copy_xattrs(in, out);
	if (r < 0)
		return r;
	if (fchmod(out, st->st_mode & 07777) < 0 || futimens(out, times) < 0)
		return -errno;
	return 0;
}

/* One object that is no directory: where it is and what it is called there, on both sides. */
struct copied {
	int from, to;
	const char *name, *as;
	const struct stat *st;
};

static int copy_regular(struct copy *c, const struct copied *o)
{
	auto_close int in = openat(o->from, o->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_close int out = FD_NONE;
	struct stat now;
	int r;

	if (in < 0 || fstat(in, &now) < 0)
		return -errno;
	if (!S_ISREG(now.st_mode) || now.st_ino != o->st->st_ino)
		return -ESTALE;
	out = openat(o->to, o->as, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	r = copy_data(c, in, out, now.st_size);
	return r < 0 ? r : copy_meta(in, out, &now);
}

static int copy_symlink(const struct copied *o)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(o->from, o->name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return symlinkat(text, o->to, o->as) < 0 ? -errno : 0;
}

/* Symlinks, devices, FIFOs and sockets: no descriptor, but the destination is ours alone. */
static int copy_special(const struct copied *o)
{
	const struct stat *st = o->st;
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r;

	if (S_ISLNK(st->st_mode))
		r = copy_symlink(o);
	else
		r = mknodat(o->to, o->as, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0 ? -errno : 0;
	if (r < 0)
		return r;
	if ((st->st_uid != geteuid() || st->st_gid != getegid()) &&
	    fchownat(o->to, o->as, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(o->to, o->as, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(o->to, o->as, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_entry(void *ctx, const struct fswalk_at *at, const char *name, unsigned char type,
		      struct err *e)
{
	const char *slash = *at->path ? "/" : "", *first = NULL;
	struct copy *c = ctx;
	struct stat st;
	int r;

	if (type == DT_DIR)
		return FSWALK_DESCEND;
	if (fstatat(at->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "copy %s%s%s", at->path, slash, name);
	if (S_ISDIR(st.st_mode))
		return FSWALK_DESCEND;
	if (st.st_nlink > 1) {
		auto_free char *path = xasprintf("%s%s%s", at->path, slash, name);

		if (inode_set_add(&c->linked, st.st_dev, st.st_ino, path, &first)) {
			if (linkat(c->top, first, at->twin, name, 0) < 0)
				return err_sys(e, errno, "link the copy of %s to that of %s", path, first);
			return 0;
		}
	}
	const struct copied o = { at->fd, at->twin, name, name, &st };
	r = S_ISREG(st.st_mode) ? copy_regular(c, &o) : copy_special(&o);
	return r < 0 ? err_sys(e, -r, "copy %s%s%s", at->path, slash, name) : 0;
}

static int copy_enter(void *ctx, const struct fswalk_at *at, const char *name, struct err *e)
{
	int fd = FD_NONE;

	(void)ctx;
	if (mkdirat(at->twin, name, 0700) == 0)
		fd = openat(at->twin, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "copy %s%s%s", at->path, *at->path ? "/" : "", name) : fd;
}

static int copy_leave(void *ctx, const struct fswalk_at *outer, const char *name,
		      const struct fswalk_at *inner, struct err *e)
{
	struct stat st;
	int r;

	(void)ctx;
	(void)outer;
	(void)name;
	r = fstat(inner->fd, &st) < 0 ? -errno : copy_meta(inner->fd, inner->twin, &st);
	return r < 0 ? err_sys(e, -r, "copy attributes of %s", inner->path) : 0;
}

int copy_tree_at(int srcfd, int dstfd, struct err *e)
{
	static const struct fswalk_ops ops = { .entry = copy_entry,
					       .enter = copy_enter,
					       .leave = copy_leave };
	auto_close int src = openat(srcfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int dst = src < 0 ? FD_NONE : openat(dstfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy c = { .top = dst };
	struct fswalk_at top = { .fd = src, .twin = dst, .path = "." };
	int r;

	if (dst < 0)
		return err_sys(e, errno, "open directories to copy");
	r = fswalk(src, dst, NULL, &ops, &c, e);
	if (r == 0)
		r = copy_leave(&c, NULL, ".", &top, e);
	inode_set_done(&c.linked);
	free(c.chunk);
	return r;
}

int copy_entry_at(int srcfd, const char *name, int dstfd, const char *as)
{
	struct copy c = { .top = FD_NONE };
	struct stat st;
	const struct copied o = { srcfd, dstfd, name, as, &st };
	int r;

	if (fstatat(srcfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	r = S_ISREG(st.st_mode) ? copy_regular(&c, &o) : copy_special(&o);
	free(c.chunk);
	return r;
}

int copy_attributes(int srcfd, int dstfd)
{
	struct stat st;

	return fstat(srcfd, &st) < 0 ? -errno : copy_meta(srcfd, dstfd, &st);
}

/* ---- size ---- */

struct sum {
	uint64_t bytes;
	struct inode_set linked;
};

static int add_entry(void *ctx, const struct fswalk_at *at, const char *name, unsigned char type,
		     struct err *e)
{
	struct sum *sum = ctx;
	struct stat st;

	(void)type;
	if (fstatat(at->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT && *at->path ? 0 : err_sys(e, errno, "stat %s", name);
	if (S_ISDIR(st.st_mode) || st.st_nlink < 2 ||
	    !inode_set_add(&sum->linked, st.st_dev, st.st_ino, NULL, NULL))
		sum->bytes += (uint64_t)st.st_blocks * 512;
	return S_ISDIR(st.st_mode) ? FSWALK_DESCEND : 0;
}

int tree_size_at(int dirfd, const char *name, uint64_t *ret_bytes)
{
	static const struct fswalk_ops ops = { .entry = add_entry,
					       .skip_mounts = true,
					       .skip_vanished = true };
	auto_free char *last = NULL;
	auto_close int parent = fswalk_parent(dirfd, name, &last);
	struct err e = ERR_INIT;
	struct sum sum = { 0 };
	int r = parent < 0 ? parent : fswalk(parent, FD_NONE, last, &ops, &sum, &e);

	inode_set_done(&sum.linked);
	if (r == 0)
		*ret_bytes = sum.bytes;
	return r;
}
