/*
 * treecmp — a walk over a list of directories to do; depth costs neither stack nor descriptors.
 *
 * Directories are reached from the two roots with every symbolic link refused (base/fsat.h), so a
 * tree that was tampered with cannot lead the walk out of itself.
 */
#include "stage0/treecmp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "image/merge.h"
#include "stage0/interrupt.h"

#define BUF_BYTES (64u << 10)
#define XATTR_MAX (64u << 10) /* the kernel's limit */

struct walk {
	int root[2];
	char **todo; /* relative paths of directories in both trees */
	char **detail;
	char *data[2]; /* BUF_BYTES each */
};

__attribute__((format(printf, 3, 4))) static int differs(struct walk *w, const char *path, const char *fmt,
							 ...)
{
	va_list ap;
	auto_buf b = BUF_INIT;

	va_start(ap, fmt);
	auto_free char *what = xvasprintf(fmt, ap);
	va_end(ap);
	buf_addc(&b, '"');
	buf_add_escaped(&b, path, strlen(path));
	buf_addf(&b, "\": %s", what);
	*w->detail = buf_steal(&b);
	return 1;
}

static int open_dir(const struct walk *w, int side, const char *path, struct err *e)
{
	int fd = open_beneath(w->root[side], path, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? err_sys(e, -fd, "open \"%s\"", path) : fd;
}

static int list_names(int dirfd, char ***ret, struct err *e)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0)
		return err_sys(e, errno, "open a directory");
	auto_closedir DIR *d = fdopendir(copy);
	if (!d) {
		fd_close(&copy);
		return err_sys(e, ENOMEM, "open a directory");
	}
	errno = 0;
	for (struct dirent *de; (de = readdir(d)); errno = 0) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			strv_push(ret, de->d_name);
	}
	if (errno)
		return err_sys(e, errno, "list a directory");
	if (*ret)
		strv_sort(*ret);
	return 0;
}

static int compare_stat(struct walk *w, const char *path, const struct stat *a, const struct stat *b)
{
	if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT))
		return differs(w, path, "is of another type");
	if (a->st_mode != b->st_mode)
		return differs(w, path, "has mode %04o instead of %04o", a->st_mode & 07777,
			       b->st_mode & 07777);
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return differs(w, path, "belongs to %u:%u instead of %u:%u", a->st_uid, a->st_gid, b->st_uid,
			       b->st_gid);
	if (!S_ISDIR(a->st_mode) && a->st_size != b->st_size)
		return differs(w, path, "has %lld bytes instead of %lld", (long long)a->st_size,
			       (long long)b->st_size);
	if (a->st_rdev != b->st_rdev)
		return differs(w, path, "is another device");
	if (!S_ISDIR(a->st_mode) && a->st_nlink != b->st_nlink)
		return differs(w, path, "has %ju names instead of %ju", (uintmax_t)a->st_nlink,
			       (uintmax_t)b->st_nlink);
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
		return differs(w, path, "has another modification time");
	return 0;
}

/* Names of extended attributes, sorted; trusted.overlay.* and security labels of this host are not the image's. */
static int xattr_names(const char *proc, char ***ret)
{
	auto_free char *list = xmalloc(XATTR_MAX);
	ssize_t n = llistxattr(proc, list, XATTR_MAX);

	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(list + at) + 1) {
		if (strncmp(list + at, "user.", 5) == 0 || strcmp(list + at, "security.capability") == 0 ||
		    strcmp(list + at, MERGE_OPAQUE) == 0)
			strv_push(ret, list + at);
	}
	if (*ret)
		strv_sort(*ret);
	return 0;
}

static int compare_xattrs(struct walk *w, const char *path, const char *pa, const char *pb, struct err *e)
{
	auto_strv na = NULL;
	auto_strv nb = NULL;
	int r = xattr_names(pa, &na);

	if (r >= 0)
		r = xattr_names(pb, &nb);
	if (r < 0)
		return err_sys(e, -r, "list extended attributes of \"%s\"", path);
	auto_free char *ja = strv_join(na, " "), *jb = strv_join(nb, " ");
	if (strcmp(ja, jb) != 0)
		return differs(w, path, "has other extended attributes");
	for (char **n = na; n && *n; n++) {
		ssize_t sa = lgetxattr(pa, *n, w->data[0], BUF_BYTES),
			sb = lgetxattr(pb, *n, w->data[1], BUF_BYTES);
		if (sa < 0 || sb < 0)
			return err_sys(e, errno, "read extended attribute of \"%s\"", path);
		if (sa != sb || memcmp(w->data[0], w->data[1], (size_t)sa) != 0)
			return differs(w, path, "has another value of \"%s\"", *n);
	}
	return 0;
}

static int compare_link(struct walk *w, const char *path, const int dir[2], const char *name, struct err *e)
{
	ssize_t a = readlinkat(dir[0], name, w->data[0], BUF_BYTES),
		b = readlinkat(dir[1], name, w->data[1], BUF_BYTES);

	if (a < 0 || b < 0)
		return err_sys(e, errno, "read link \"%s\"", path);
	if (a != b || memcmp(w->data[0], w->data[1], (size_t)a) != 0)
		return differs(w, path, "points elsewhere");
	return 0;
}

static int compare_data(struct walk *w, const char *path, const int dir[2], const char *name, struct err *e)
{
	auto_close int a = openat(dir[0], name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_close int b = openat(dir[1], name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (a < 0 || b < 0)
		return err_sys(e, errno, "open \"%s\"", path);
	for (;;) {
		ssize_t na = read_full(a, w->data[0], BUF_BYTES), nb = read_full(b, w->data[1], BUF_BYTES);
		if (na < 0 || nb < 0)
			return err_sys(e, (int)(na < 0 ? -na : -nb), "read \"%s\"", path);
		if (na != nb || memcmp(w->data[0], w->data[1], (size_t)na) != 0)
			return differs(w, path, "has other content");
		if (na == 0)
			return interrupt_check(e);
	}
}

static int compare_entry(struct walk *w, const char *path, const int dir[2], const char *name, struct err *e)
{
	struct stat a, b;

	if (fstatat(dir[0], name, &a, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(dir[1], name, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "look at \"%s\"", path);
	int r = compare_stat(w, path, &a, &b);
	if (r)
		return r;
	auto_free char *pa = xasprintf("/proc/self/fd/%d/%s", dir[0], name);
	auto_free char *pb = xasprintf("/proc/self/fd/%d/%s", dir[1], name);
	r = compare_xattrs(w, path, pa, pb, e);
	if (r)
		return r;
	if (S_ISLNK(a.st_mode))
		return compare_link(w, path, dir, name, e);
	if (S_ISREG(a.st_mode))
		return compare_data(w, path, dir, name, e);
	if (S_ISDIR(a.st_mode) && strcmp(name, ".") != 0)
		strv_push(&w->todo, path);
	return 0;
}

static int compare_dir(struct walk *w, const char *at, struct err *e)
{
	auto_close int da = open_dir(w, 0, at, e);
	auto_close int db = da < 0 ? FD_NONE : open_dir(w, 1, at, e);
	auto_strv na = NULL;
	auto_strv nb = NULL;

	if (da < 0 || db < 0)
		return -e->code;
	const int dir[2] = { da, db };
	int r = list_names(da, &na, e);
	if (r >= 0)
		r = list_names(db, &nb, e);
	/* Up to the first name that only one of them has, both lists run in step. */
	for (size_t i = 0; r == 0 && ((na && na[i]) || (nb && nb[i])); i++) {
		const char *a = na ? na[i] : NULL, *b = nb ? nb[i] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a, b);
		auto_free char *path = xasprintf("%s%s%s", strcmp(at, ".") == 0 ? "" : at,
						 strcmp(at, ".") == 0 ? "" : "/", order <= 0 ? a : b);
		if (order < 0)
			r = differs(w, path, "should not be there");
		else if (order > 0)
			r = differs(w, path, "is missing");
		else
			r = compare_entry(w, path, dir, a, e);
	}
	return r;
}

int treecmp(int a, int b, char **detail, struct err *e)
{
	struct walk w = { .root = { a, b },
			  .detail = detail,
			  .data = { xmalloc(BUF_BYTES), xmalloc(BUF_BYTES) } };
	int r = compare_entry(&w, ".", w.root, ".", e);

	if (r == 0)
		r = compare_dir(&w, ".", e);
	/* Taken from the end: the list stays as short as the tree is deep and wide. */
	for (size_t n; r == 0 && (n = strv_len(w.todo)) > 0;) {
		auto_free char *at = w.todo[n - 1];
		w.todo[n - 1] = NULL;
		r = compare_dir(&w, at, e);
	}
	strv_free(w.todo);
	free(w.data[0]);
	free(w.data[1]);
	return r;
}
