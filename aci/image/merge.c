/*
 * merge — see merge.h.
 *
 * How it works: a stack of directories.  Each knows which trees take part in it, top first, and holds the sorted names of all of them, so that equal
 * ones stand side by side.  Of these the uppermost decides: what is no directory hides the others; directories become one
 * directory of the next level, down to the first that is opaque or none.
 */
#include "image/merge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"

enum { OPEN_MAX_DIRS = 48, LIST_SIZE = 32 << 10 };

/* A tree's part in a directory. */
struct part {
	size_t tree; /* in merge.roots */
	int fd;      /* FD_NONE: not open at the moment */
};

struct item {
	size_t at;   /* its name, in level.names */
	size_t part; /* who has it */
};

struct level {
	struct part *parts; /* top first */
	size_t n;
	struct buf names; /* each with its NUL */
	struct item *items;
	size_t nitems, cap, next;
	size_t path_len; /* of the directory within walk.path */
};

struct walk {
	const struct merge *m;
	struct level *levels;
	size_t depth, cap;
	struct buf path;
	size_t nopen;
	int (*see)(void *arg, const struct merge_entry *x, struct err *e);
	void *arg;
};

bool merge_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

bool merge_opaque(int dir)
{
	char value = 0;

	return fgetxattr(dir, MERGE_OPAQUE, &value, 1) == 1 && value == 'y';
}

/* 1 or 0, or -errno. */
static int opaque_at(int at, const char *name)
{
	auto_close int dir = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return dir < 0 ? -errno : merge_opaque(dir);
}

/* ---- directories ---- */

static int open_tree(const struct merge *m, size_t tree, const char *path)
{
	auto_close int root = open_beneath(m->dirfd, m->roots[tree], O_PATH | O_DIRECTORY, 0);

	return root < 0 ? root : open_beneath(root, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);
}

static void close_parts(struct walk *w, struct level *l)
{
	for (size_t i = 0; i < l->n; i++) {
		w->nopen -= l->parts[i].fd >= 0;
		fd_close(&l->parts[i].fd);
	}
}

/* Part @i of the top level, borrowed until the next call; walk.path is that of the directory, and maybe more.  fd or -errno. */
static int part_fd(struct walk *w, size_t i)
{
	struct level *l = &w->levels[w->depth - 1];
	struct part *p = &l->parts[i];

	if (p->fd >= 0)
		return p->fd;
	for (size_t k = 0; w->nopen >= OPEN_MAX_DIRS && k < w->depth; k++)
		close_parts(w, &w->levels[k]);
	auto_free char *path = xstrndup(buf_str(&w->path), l->path_len);
	p->fd = open_tree(w->m, p->tree, path);
	w->nopen += p->fd >= 0;
	return p->fd;
}

static void add_name(struct level *l, size_t part, const char *name)
{
	if (l->nitems == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 32;
		l->items = xreallocarray(l->items, l->cap, sizeof(*l->items));
	}
	l->items[l->nitems++] = (struct item){ l->names.len, part };
	buf_add(&l->names, name, strlen(name) + 1);
}

static int list_part(struct level *l, size_t part, int fd)
{
	_Alignas(struct dirent64) char entries[LIST_SIZE];
	ssize_t n;

	while ((n = getdents64(fd, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *de = (const void *)(entries + at);

			at += de->d_reclen;
			if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
				add_name(l, part, de->d_name);
		}
	}
	return n < 0 ? -errno : 0;
}

/* By name, equal ones from the top. */
static int compare(const void *a, const void *b, void *names)
{
	const struct item *x = a, *y = b;
	int r = strcmp((const char *)names + x->at, (const char *)names + y->at);

	return r ? r : x->part < y->part ? -1 : 1;
}

/* ---- the stack ---- */

/* The directory walk.path is the next level; takes @parts. */
static int push(struct walk *w, struct part *parts, size_t n, struct err *e)
{
	int r = 0;

	if (w->depth == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 16;
		w->levels = xreallocarray(w->levels, w->cap, sizeof(*w->levels));
	}
	struct level *l = &w->levels[w->depth++];
	*l = (struct level){ .parts = parts, .n = n, .path_len = w->path.len };
	for (size_t i = 0; r == 0 && i < n; i++) {
		int fd = part_fd(w, i);

		r = fd < 0 ? fd : list_part(l, i, fd);
	}
	if (r < 0)
		return err_sys(e, -r, "list %s", w->path.len ? buf_str(&w->path) : "the root");
	if (l->nitems)
		qsort_r(l->items, l->nitems, sizeof(*l->items), compare, l->names.data);
	return 0;
}

static void pop(struct walk *w)
{
	struct level *l = &w->levels[--w->depth];

	close_parts(w, l);
	free(l->parts);
	free(l->items);
	buf_done(&l->names);
}

static int see(struct walk *w, int dir, const char *name, const struct stat *st, struct err *e)
{
	const struct merge_entry x = { .path = buf_str(&w->path), .dir = dir, .name = name, .st = *st };

	return w->see(w->arg, &x, e);
}

/* The @n things called @name, from the top: the first that shows is told of; directories that lie on each other are *ret (heap), *nret of them. */
static int look(struct walk *w, const char *name, const struct item *items, size_t n, struct part **ret,
		size_t *nret, struct err *e)
{
	const struct level *l = &w->levels[w->depth - 1];

	for (size_t i = 0; i < n; i++) {
		int dir = part_fd(w, items[i].part);
		struct stat st;

		if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, dir < 0 ? -dir : errno, "look at %s", buf_str(&w->path));
		if (w->m->layers && merge_whiteout(&st))
			return 0;
		if (*nret && !S_ISDIR(st.st_mode))
			return 0;
		int r = *nret ? 0 : see(w, dir, name, &st, e);
		if (r < 0 || !S_ISDIR(st.st_mode))
			return r;
		if (!*ret)
			*ret = xcalloc(n, sizeof(**ret));
		(*ret)[(*nret)++] = (struct part){ l->parts[items[i].part].tree, FD_NONE };
		r = w->m->layers && i + 1 < n ? opaque_at(dir, name) : 0;
		if (r)
			return r < 0 ? err_sys(e, -r, "open %s", buf_str(&w->path)) : 0;
	}
	return 0;
}

/* The next name of the top level, or back to the level above. */
static int turn(struct walk *w, struct err *e)
{
	struct level *l = &w->levels[w->depth - 1];
	const struct item *items = l->items + l->next;
	auto_free struct part *parts = NULL;
	size_t n = 1, nparts = 0;

	if (l->next == l->nitems) {
		pop(w);
		return 0;
	}
	const char *name = l->names.data + items->at;
	while (l->next + n < l->nitems && strcmp(l->names.data + items[n].at, name) == 0)
		n++;
	l->next += n;
	if (w->path.data)
		w->path.data[w->path.len = l->path_len] = '\0';
	buf_addf(&w->path, "%s%s", l->path_len ? "/" : "", name);
	int r = look(w, name, items, n, &parts, &nparts, e);
	return r < 0 || !nparts ? r : push(w, steal_ptr(&parts), nparts, e);
}

/* ---- the root ---- */

/* To who may not see it no directory is opaque (xattr(7)): asked by a change of an attribute that is not there. */
static int check_sight(const struct merge *m, struct err *e)
{
	auto_close int root = open_tree(m, m->n - 1, "");

	if (root < 0)
		return err_sys(e, -root, "open %s", m->roots[m->n - 1]);
	if (fsetxattr(root, MERGE_OPAQUE ".none", "y", 1, XATTR_REPLACE) < 0 && errno != ENODATA &&
	    errno != ENOTSUP)
		return err_sys(e, errno, "see " MERGE_OPAQUE " of layers");
	return 0;
}

static int push_root(struct walk *w, struct err *e)
{
	const struct merge *m = w->m;
	auto_close int root = open_tree(m, m->top, "");
	struct stat st;

	if (root < 0 || fstat(root, &st) < 0)
		return err_sys(e, root < 0 ? -root : errno, "open %s", m->roots[m->top]);
	int r = see(w, root, ".", &st, e);
	if (r < 0)
		return r;
	struct part *parts = xcalloc(m->n, sizeof(*parts));
	for (size_t i = 0; i < m->n; i++)
		parts[i] = (struct part){ m->n - 1 - i, FD_NONE };
	return push(w, parts, m->n, e);
}

int merge_walk(const struct merge *m, int (*see_entry)(void *arg, const struct merge_entry *x, struct err *e),
	       void *arg, struct err *e)
{
	struct walk w = { .m = m, .see = see_entry, .arg = arg };
	int r = m->layers ? check_sight(m, e) : 0;

	if (r == 0)
		r = push_root(&w, e);
	while (r == 0 && w.depth > 0)
		r = turn(&w, e);
	while (w.depth > 0)
		pop(&w);
	free(w.levels);
	buf_done(&w.path);
	return r;
}
