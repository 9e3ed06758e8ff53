/*
 * treemake — create a file tree below a directory fd from entries in any order.
 */
#include "image/treemake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/fsat.h"

enum { MODE_NAMED = 0700, MODE_IMPLIED = 0755, PENDING_MAX = 64 << 10 };

static const char spool_name[] = ".directories";

/* One spooled directory: this, the path, then the length of both, so that the file reads in both directions. */
struct spooled {
	struct timespec mtime;
	mode_t mode;
	uint32_t len; /* of both */
};

int tree_init(struct tree *t, int dirfd, struct err *e)
{
	t->root = dirfd;
	t->spool = openat(dirfd, spool_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (t->spool < 0)
		return err_sys(e, errno, "create a file in the target directory");
	if (unlinkat(dirfd, spool_name, 0) < 0)
		return err_sys(e, errno, "remove a file from the target directory");
	return 0;
}

void tree_done(struct tree *t)
{
	fd_close(&t->spool);
	fd_close(&t->parent);
	buf_done(&t->pending);
	buf_done(&t->parent_path);
}

/* Directory @path below the root; "" is the root itself. */
static int open_dir(const struct tree *t, const char *path)
{
	return open_beneath(t->root, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);
}

static int explain_parent(int code, struct err *e)
{
	if (code == ELOOP)
		return err_set(e, ERR_INPUT, ELOOP, "a parent directory is a symbolic link");
	if (code == ENOTDIR)
		return err_set(e, ERR_INPUT, ENOTDIR, "a parent is not a directory");
	return err_sys(e, code, "open parent directory");
}

/* Make the directories of @path that are missing, from the first component on. */
static int make_parents(struct tree *t, const char *path, struct err *e)
{
	auto_close int fd = open_dir(t, "");
	const char *at = path;

	while (fd >= 0 && *at) {
		size_t n = strcspn(at, "/");
		auto_buf name = BUF_INIT;
		int next;

		buf_add(&name, at, n);
		if (mkdirat(fd, buf_str(&name), MODE_IMPLIED) == 0) {
			if (t->implied)
				buf_add(t->implied, path, (size_t)(at - path) + n),
					buf_addc(t->implied, '\0');
		} else if (errno != EEXIST) {
			return err_sys(e, errno, "make parent directory");
		}
		next = open_beneath(fd, buf_str(&name), O_RDONLY | O_DIRECTORY, 0);
		fd_close(&fd);
		fd = next;
		at += n + (at[n] == '/');
	}
	return fd < 0 ? explain_parent(-fd, e) : 0;
}

/* Open the parent of @path into t->parent and give the last component. */
static int enter_parent(struct tree *t, const char *path, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	auto_buf dir = BUF_INIT;

	*ret_name = slash ? slash + 1 : path;
	if (t->parent_valid && t->parent_path.len == n && memcmp(buf_str(&t->parent_path), path, n) == 0)
		return 0;
	t->parent_valid = 0;
	fd_close(&t->parent);
	buf_add(&dir, path, n);
	t->parent = open_dir(t, buf_str(&dir));
	if (t->parent == -ENOENT) {
		int r = make_parents(t, buf_str(&dir), e);
		if (r < 0)
			return r;
		t->parent = open_dir(t, buf_str(&dir));
	}
	if (t->parent < 0)
		return explain_parent(-t->parent, e);
	buf_clear(&t->parent_path);
	buf_add(&t->parent_path, path, n);
	t->parent_valid = 1;
	return 0;
}

/* What stands where a new entry wants to be goes.  1 when there was something and the caller may try again. */
static int make_room(struct tree *t, const char *name, int code, struct err *e)
{
	if (!t->replace || code != EEXIST)
		return 0;
	if (unlinkat(t->parent, name, 0) == 0)
		return 1;
	if (errno != EISDIR)
		return err_sys(e, errno, "replace an earlier entry");
	int r = rm_tree_at(t->parent, name, e);
	return r < 0 ? r : 1;
}

static int create_failed(int code, const char *what, struct err *e)
{
	if (code == EEXIST)
		return err_set(e, ERR_INPUT, EEXIST, "named twice in the archive");
	return err_sys(e, code, "%s", what);
}

static int set_xattrs(struct tree *t, int fd, const struct tree_meta *m, struct err *e)
{
	for (size_t i = 0; i < m->nxattrs; i++) {
		const struct tree_xattr *x = &m->xattrs[i];

		if (fsetxattr(fd, x->name, x->value, x->len, 0) == 0)
			continue;
		if (errno != ENOTSUP)
			return err_sys(e, errno, "set extended attribute %s", x->name);
		t->xattrs_skipped++;
	}
	return 0;
}

static int flush_pending(struct tree *t, struct err *e)
{
	int r = write_full(t->spool, buf_str(&t->pending), t->pending.len);

	if (r < 0)
		return err_sys(e, -r, "write the list of directories");
	t->spooled += (off_t)t->pending.len;
	buf_clear(&t->pending);
	return 0;
}

static int spool_dir(struct tree *t, const char *path, const struct tree_meta *m, struct err *e)
{
	struct spooled rec;
	uint32_t len = (uint32_t)(sizeof(rec) + strlen(path));

	memset(&rec, 0, sizeof(rec));
	rec.mtime = m->mtime;
	rec.mode = m->mode;
	rec.len = len;
	buf_add(&t->pending, &rec, sizeof(rec));
	buf_adds(&t->pending, path);
	buf_add(&t->pending, &len, sizeof(len));
	return t->pending.len >= PENDING_MAX ? flush_pending(t, e) : 0;
}

/* Make the directory, or take over one that was only implied so far. */
static int make_named(struct tree *t, const char *name, int *ret_fd, struct err *e)
{
	struct stat st;
	bool existed = mkdirat(t->parent, name, MODE_NAMED) < 0;

	if (existed && errno != EEXIST)
		return err_sys(e, errno, "make directory");
	*ret_fd = open_beneath(t->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (*ret_fd < 0 && existed) {
		int r = make_room(t, name, EEXIST, e);
		return r > 0 ? make_named(t, name, ret_fd, e) : r < 0 ? r : create_failed(EEXIST, "", e);
	}
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0)
		return err_sys(e, *ret_fd < 0 ? -*ret_fd : errno, "open new directory");
	if (existed && !t->replace && (st.st_mode & 07777) == MODE_NAMED)
		return create_failed(EEXIST, "", e);
	if (existed && fchmod(*ret_fd, MODE_NAMED) < 0)
		return err_sys(e, errno, "change mode");
	return 0;
}

int tree_dir(struct tree *t, const char *path, const struct tree_meta *m, struct err *e)
{
	auto_close int fd = FD_NONE;
	const char *name;
	int r = enter_parent(t, path, &name, e);

	if (r == 0)
		r = make_named(t, name, &fd, e);
	if (r < 0)
		return r;
	if (fchown(fd, m->uid, m->gid) < 0)
		return err_sys(e, errno, "change owner to %u:%u", m->uid, m->gid);
	r = set_xattrs(t, fd, m, e);
	return r < 0 ? r : spool_dir(t, path, m, e);
}

/* Owner and time of something that cannot be opened. */
static int set_meta_at(const struct tree *t, const char *name, const struct tree_meta *m, struct err *e)
{
	const struct timespec times[2] = { m->mtime, m->mtime };

	if (fchownat(t->parent, name, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "change owner to %u:%u", m->uid, m->gid);
	if (utimensat(t->parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "set time");
	return 0;
}

int tree_symlink(struct tree *t, const char *path, const char *target, const struct tree_meta *m,
		 struct err *e)
{
	const char *name;
	int r = enter_parent(t, path, &name, e);

	if (r < 0)
		return r;
	while (symlinkat(target, t->parent, name) < 0) {
		int code = errno;
		r = make_room(t, name, code, e);
		if (r <= 0)
			return r < 0 ? r : create_failed(code, "make symbolic link", e);
	}
	return set_meta_at(t, name, m, e);
}

int tree_node(struct tree *t, const char *path, mode_t type, dev_t rdev, const struct tree_meta *m,
	      struct err *e)
{
	const char *name;
	int r = enter_parent(t, path, &name, e);

	if (r < 0)
		return r;
	/* The mode is final at birth: changing it later would have to go by name. */
	while (mknodat(t->parent, name, type | (m->mode & 0777), rdev) < 0) {
		int code = errno;
		r = make_room(t, name, code, e);
		if (r <= 0)
			return r < 0 ? r
				     : create_failed(code, type == S_IFIFO ? "make fifo" : "make device node",
						     e);
	}
	return set_meta_at(t, name, m, e);
}

int tree_hardlink(struct tree *t, const char *path, const char *target, struct err *e)
{
	const char *slash = strrchr(target, '/'), *name;
	auto_buf dir = BUF_INIT;
	auto_close int from = FD_NONE;
	struct stat st;
	int r = enter_parent(t, path, &name, e);

	if (r < 0)
		return r;
	buf_add(&dir, target, slash ? (size_t)(slash - target) : 0);
	from = open_dir(t, buf_str(&dir));
	target = slash ? slash + 1 : target;
	if (from < 0 || fstatat(from, target, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		int code = from < 0 ? -from : errno;
		return code == ENOENT ? err_set(e, ERR_INPUT, ENOENT,
						"hard link to a file that is not in the archive before it")
				      : explain_parent(code, e);
	}
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, EISDIR, "hard link to a directory");
	while (linkat(from, target, t->parent, name, 0) < 0) {
		int code = errno;
		r = make_room(t, name, code, e);
		if (r <= 0)
			return r < 0 ? r : create_failed(code, "make hard link", e);
	}
	return 0;
}

int tree_file(struct tree *t, const char *path, struct err *e)
{
	const char *name;
	int fd, r = enter_parent(t, path, &name, e);

	if (r < 0)
		return r;
	while ((fd = openat(t->parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) <
	       0) {
		int code = errno;
		r = make_room(t, name, code, e);
		if (r <= 0)
			return r < 0 ? r : create_failed(code, "create file", e);
	}
	return fd;
}

int tree_file_end(struct tree *t, int fd, const struct tree_meta *m, struct err *e)
{
	const struct timespec times[2] = { m->mtime, m->mtime };
	int r;

	/* This order: writing and chown(2) clear set-id bits and capabilities; utime comes last. */
	if (fchown(fd, m->uid, m->gid) < 0)
		return err_sys(e, errno, "change owner to %u:%u", m->uid, m->gid);
	if (fchmod(fd, m->mode) < 0)
		return err_sys(e, errno, "change mode");
	r = set_xattrs(t, fd, m, e);
	if (r < 0)
		return r;
	return futimens(fd, times) < 0 ? err_sys(e, errno, "set time") : 0;
}

static int finish_dir(struct tree *t, const struct spooled *rec, const char *path, struct err *e)
{
	const struct timespec times[2] = { rec->mtime, rec->mtime };
	auto_close int fd = open_dir(t, path);

	if (fd < 0)
		return err_sys(e, -fd, "open directory");
	if (fchmod(fd, rec->mode) < 0 || futimens(fd, times) < 0)
		return err_sys(e, errno, "set mode and time of directory");
	return 0;
}

/* Read the record that ends at *@end and move *@end to its beginning. */
static int read_back(const struct tree *t, off_t *end, struct spooled *rec, struct buf *path)
{
	uint32_t len;
	off_t start;

	if (pread(t->spool, &len, sizeof(len), *end - (off_t)sizeof(len)) != (ssize_t)sizeof(len))
		return -EIO;
	start = *end - (off_t)sizeof(len) - (off_t)len;
	if (start < 0 || len <= sizeof(*rec))
		return -EIO;
	buf_clear(path);
	(void)buf_reserve(path, len - sizeof(*rec));
	if (pread(t->spool, rec, sizeof(*rec), start) != (ssize_t)sizeof(*rec) ||
	    pread(t->spool, path->data, len - sizeof(*rec), start + (off_t)sizeof(*rec)) !=
		    (ssize_t)(len - sizeof(*rec)))
		return -EIO;
	path->len = len - sizeof(*rec);
	*end = start;
	return 0;
}

/* The record that begins at *at; *at moves behind it. */
static int read_on(const struct tree *t, off_t *at, struct spooled *rec, struct buf *path)
{
	off_t start = *at;
	uint32_t len;

	if (pread(t->spool, rec, sizeof(*rec), start) != (ssize_t)sizeof(*rec) || rec->len <= sizeof(*rec))
		return -EIO;
	len = rec->len;
	*at = start + (off_t)len + (off_t)sizeof(len);
	return read_back(t, &(off_t){ *at }, rec, path);
}

/* Forwards, so that the last record of a directory wins; what another entry has replaced since is no directory. */
static int finish_forwards(struct tree *t, struct err *e)
{
	auto_buf path = BUF_INIT;
	struct spooled rec;
	off_t at = 0;
	int r = 0;

	while (r == 0 && at < t->spooled) {
		r = read_on(t, &at, &rec, &path);
		if (r < 0)
			return err_sys(e, -r, "read the list of directories");
		r = finish_dir(t, &rec, buf_str(&path), e);
		if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP) {
			err_clear(e);
			r = 0;
		}
	}
	return r;
}

bool tree_is_implied(const struct tree *t, const char *path)
{
	auto_close int fd = open_dir(t, path);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == MODE_IMPLIED;
}

int tree_finish(struct tree *t, struct err *e)
{
	auto_buf path = BUF_INIT;
	struct spooled rec;
	int r = flush_pending(t, e);
	off_t end = t->spooled;

	fd_close(&t->parent);
	t->parent_valid = 0;
	if (r == 0 && t->replace)
		return finish_forwards(t, e);
	/* Backwards: a parent named before its children must still let us in. */
	while (r == 0 && end > 0) {
		r = read_back(t, &end, &rec, &path);
		if (r < 0)
			return err_sys(e, -r, "read the list of directories");
		r = finish_dir(t, &rec, buf_str(&path), e);
	}
	return r;
}
