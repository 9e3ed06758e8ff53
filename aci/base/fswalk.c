/*
 * fswalk — visit a directory tree of any depth with a bounded number of descriptors.
 *
 * How: a heap stack of frames.  A frame keeps all names of its directory (read in one go, so that
 * no directory stream has to stay open and nothing depends on what deleting does to one), the
 * identity of the directory, and its descriptor unless that had to be given up.
 */
#include "base/fswalk.h"
#include "base/fsat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"

#define LIST_SIZE 8192 /* bytes of directory entries in one call */

struct place {
	dev_t dev;
	ino_t ino;
	uint64_t mount; /* mount id, or 0 where the kernel does not tell */
};

struct frame {
	int fd, twin;
	bool borrowed; /* the top: the caller's descriptors */
	struct place at, twin_at;
	struct buf names; /* type byte, name, NUL, … */
	size_t next;
	size_t path_len; /* of the directory within walker.path */
};

struct walker {
	struct frame *frames;
	size_t depth, cap;
	struct buf path;
	const struct fswalk_ops *ops;
	void *ctx;
};

static int locate(int fd, struct place *ret)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID, &sx) < 0)
		return -errno;
	ret->dev = makedev(sx.stx_dev_major, sx.stx_dev_minor);
	ret->ino = (ino_t)sx.stx_ino;
	ret->mount = sx.stx_mask & STATX_MNT_ID ? sx.stx_mnt_id : 0;
	return 0;
}

static bool same_mount(const struct place *a, const struct place *b)
{
	return a->mount && b->mount ? a->mount == b->mount : a->dev == b->dev;
}

static struct fswalk_at at_of(const struct walker *w, const struct frame *f)
{
	return (struct fswalk_at){ .fd = f->fd, .twin = f->twin, .path = buf_str(&w->path) };
}

static void add_names(struct frame *f, const char *entries, size_t n)
{
	for (size_t at = 0; at < n;) {
		const struct dirent64 *ent = (const void *)(entries + at);

		at += ent->d_reclen;
		if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0)
			continue;
		buf_addc(&f->names, (char)ent->d_type);
		buf_add(&f->names, ent->d_name, strlen(ent->d_name) + 1);
	}
}

/* Read all names of the directory of @f from its beginning; @again: not for the first time.  Without a directory
 * stream, which costs five calls more.  The caller's own descriptor may be O_PATH, and keeps its position. */
static int list_names(struct frame *f, bool again)
{
	_Alignas(struct dirent64) char entries[LIST_SIZE];
	auto_close int own = f->borrowed ? openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : FD_NONE;
	int fd = f->borrowed ? own : f->fd;
	ssize_t n;

	if (fd < 0 || (again && lseek(fd, 0, SEEK_SET) < 0))
		return -errno;
	buf_clear(&f->names);
	f->next = 0;
	while ((n = getdents64(fd, entries, sizeof(entries))) > 0)
		add_names(f, entries, (size_t)n);
	return n < 0 ? -errno : 0;
}

static void frame_done(struct frame *f)
{
	if (!f->borrowed) {
		fd_close(&f->fd);
		fd_close(&f->twin);
	}
	buf_done(&f->names);
}

/* Put a frame on the stack; takes the descriptors (but those of the top), also on failure.  @at: where @fd is,
 * if that is known. */
static int push(struct walker *w, int fd, int twin, const struct place *at, const char *only, struct err *e)
{
	bool top = w->depth == 0;
	struct frame *f;
	int r = 0;

	if (w->depth == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 32;
		w->frames = xreallocarray(w->frames, w->cap, sizeof(*w->frames));
	}
	f = &w->frames[w->depth++];
	*f = (struct frame){ .fd = fd, .twin = twin, .borrowed = top, .path_len = w->path.len };
	if (at)
		f->at = *at;
	else
		r = locate(fd, &f->at);
	if (r == 0 && twin >= 0)
		r = locate(twin, &f->twin_at);
	if (r == 0 && only) {
		buf_addc(&f->names, DT_UNKNOWN);
		buf_add(&f->names, only, strlen(only) + 1);
	} else if (r == 0) {
		r = list_names(f, false);
	}
	return r < 0 ? err_sys(e, -r, "read directory %s", w->path.len ? buf_str(&w->path) : ".") : 0;
}

/* ".." of @from, which must be the directory @was. */
static int reopen_parent(int from, const struct place *was)
{
	auto_close int fd = openat(from, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct place now;
	int r;

	if (fd < 0)
		return -errno;
	r = locate(fd, &now);
	if (r < 0)
		return r;
	if (now.dev != was->dev || now.ino != was->ino || !same_mount(&now, was))
		return -ESTALE;
	return steal_fd(&fd);
}

/* Give up descriptors of a directory that we go below of. */
static void park(struct walker *w)
{
	struct frame *f = &w->frames[w->depth - 1];

	if (w->depth <= FSWALK_OPEN || f->borrowed)
		return;
	fd_close(&f->fd);
	fd_close(&f->twin);
}

/* Make sure that the parent of the top frame is open. */
static int unpark(struct walker *w, struct err *e)
{
	struct frame *f = &w->frames[w->depth - 1], *up = f - 1;

	if (up->fd < 0 && !up->borrowed) {
		up->fd = reopen_parent(f->fd, &up->at);
		if (up->fd < 0)
			return err_sys(e, -up->fd, "go back from %s", buf_str(&w->path));
	}
	if (f->twin >= 0 && up->twin < 0 && !up->borrowed) {
		up->twin = reopen_parent(f->twin, &up->twin_at);
		if (up->twin < 0)
			return err_sys(e, -up->twin, "go back from the copy of %s", buf_str(&w->path));
	}
	return 0;
}

/* A directory that we may not read but own (or may chmod) gets u+rwx first. */
static int open_dir(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	auto_close int handle = FD_NONE;
	auto_free char *link = NULL;
	struct stat st;
	int fd = openat(dirfd, name, flags);

	if (fd >= 0 || errno != EACCES)
		return fd < 0 ? -errno : fd;
	handle = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (handle < 0 || fstat(handle, &st) < 0)
		return -errno;
	link = xasprintf("/proc/self/fd/%d", handle);
	if (chmod(link, (st.st_mode & 07777) | 0700) < 0)
		return -EACCES;
	fd = openat(dirfd, name, flags);
	return fd < 0 ? -errno : fd;
}

static int descend(struct walker *w, const char *name, struct err *e)
{
	struct frame *f = &w->frames[w->depth - 1];
	struct fswalk_at at = at_of(w, f);
	auto_close int fd = open_dir(f->fd, name), twin = FD_NONE;
	struct place place = { 0 };
	int r = fd < 0 ? fd : locate(fd, &place);

	if (r == -ENOENT && w->ops->skip_vanished)
		return 0;
	if (r < 0)
		return err_sys(e, -r, "open %s%s%s", at.path, *at.path ? "/" : "", name);
	if (!same_mount(&place, &f->at)) {
		if (w->ops->skip_mounts)
			return 0;
		return err_set(e, ERR_SYS, EBUSY, "%s%s%s is a mount point", at.path, *at.path ? "/" : "",
			       name);
	}
	if (w->ops->enter) {
		twin = w->ops->enter(w->ctx, &at, name, e);
		if (twin < 0)
			return twin;
	}
	park(w);
	buf_addf(&w->path, "%s%s", w->path.len ? "/" : "", name);
	return push(w, steal_fd(&fd), steal_fd(&twin), &place, NULL, e);
}

/* The top frame is through: tell, and pop it unless it must be listed again. */
static int ascend(struct walker *w, struct err *e)
{
	struct frame *f = &w->frames[w->depth - 1];
	struct fswalk_at inner = at_of(w, f), outer;
	auto_free char *name = NULL;
	int r;

	if (w->depth > 1) {
		size_t up_len = f[-1].path_len;

		r = unpark(w, e);
		if (r < 0)
			return r;
		name = xstrdup(inner.path + up_len + (up_len ? 1 : 0));
		outer = at_of(w, f - 1);
		r = w->ops->leave ? w->ops->leave(w->ctx, &outer, name, &inner, e) : 0;
		if (r < 0)
			return r;
		if (r == FSWALK_AGAIN) {
			r = list_names(f, true);
			return r < 0 ? err_sys(e, -r, "read directory %s", inner.path) : 0;
		}
		w->path.len = up_len;
		if (w->path.data)
			w->path.data[up_len] = '\0';
	}
	frame_done(f);
	w->depth--;
	return 0;
}

static int turn(struct walker *w, struct err *e)
{
	struct frame *f = &w->frames[w->depth - 1];
	struct fswalk_at at = at_of(w, f);
	const char *item;
	int r;

	if (f->next == f->names.len)
		return ascend(w, e);
	item = f->names.data + f->next;
	f->next += strlen(item + 1) + 2;
	r = w->ops->entry(w->ctx, &at, item + 1, (unsigned char)item[0], e);
	return r == FSWALK_DESCEND ? descend(w, item + 1, e) : r;
}

int fswalk_parent(int dirfd, const char *path, char **ret_name)
{
	size_t end = strlen(path), start;
	auto_free char *dir = NULL;
	int fd;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	if (start == end) /* "" or "/" */
		return end ? -EBUSY : -ENOENT;
	dir = start ? xstrndup(path, start) : xstrdup(".");
	fd = openat(dirfd, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_name = xstrndup(path + start, end - start);
	return fd;
}

int fswalk(int fd, int twin, const char *only, const struct fswalk_ops *ops, void *ctx, struct err *e)
{
	struct walker w = { .ops = ops, .ctx = ctx };
	int r = push(&w, fd, twin, NULL, only, e);

	while (r >= 0 && w.depth > 0)
		r = turn(&w, e);
	while (w.depth > 0)
		frame_done(&w.frames[--w.depth]);
	free(w.frames);
	buf_done(&w.path);
	return r < 0 ? r : 0;
}

/* ---- set of inodes: open addressing, grown at three quarters ---- */

struct inode_item {
	dev_t dev;
	ino_t ino;
	char *text;
	bool used;
};

static struct inode_item *probe(const struct inode_set *s, dev_t dev, ino_t ino)
{
	uint64_t h = ((uint64_t)ino ^ ((uint64_t)dev << 32)) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 32) & (s->cap - 1);

	while (s->items[i].used && (s->items[i].dev != dev || s->items[i].ino != ino))
		i = (i + 1) & (s->cap - 1);
	return &s->items[i];
}

static void rehash(struct inode_set *s)
{
	struct inode_set bigger = { .cap = s->cap ? 2 * s->cap : 64, .used = s->used };

	bigger.items = xcalloc(bigger.cap, sizeof(*bigger.items));
	for (size_t i = 0; i < s->cap; i++) {
		if (s->items[i].used)
			*probe(&bigger, s->items[i].dev, s->items[i].ino) = s->items[i];
	}
	free(s->items);
	*s = bigger;
}

bool inode_set_add(struct inode_set *s, dev_t dev, ino_t ino, const char *text, const char **ret_text)
{
	struct inode_item *item;

	if (s->used * 4 >= s->cap * 3)
		rehash(s);
	item = probe(s, dev, ino);
	if (item->used) {
		if (ret_text)
			*ret_text = item->text;
		return true;
	}
	*item = (struct inode_item){ .dev = dev, .ino = ino, .text = xstrdup(text), .used = true };
	s->used++;
	return false;
}

void inode_set_done(struct inode_set *s)
{
	for (size_t i = 0; i < s->cap; i++)
		free(s->items[i].text);
	free(s->items);
	*s = (struct inode_set){ 0 };
}

int files_in(DIR *dir, bool (*want)(const char *name), char ***ret)
{
	struct dirent *entry;
	struct stat st;

	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (want(entry->d_name) &&
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			strv_push(ret, entry->d_name);
	}
	if (errno)
		return -errno;
	if (*ret)
		strv_sort(*ret);
	return 0;
}
