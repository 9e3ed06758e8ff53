/*
 * settle — see settle.h.
 *
 * In this order: directories that are links below move to where these lead; whiteouts and opaque directories, parents before what is in them;
 * links; then what implied directories look like.  Whatever is made in a directory leaves its time alone.
 */
#include "stage0/settle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "image/layernote.h"
#include "image/merge.h"

struct settling {
	const struct stack *k;
	char **implied, **removed, **opaque; /* strv, sorted */
	char **links;                        /* strv: path, target, path, … */
	bool root_implied;
};

/* The time of what no entry gives one: the same whenever it is unpacked. */
static const struct timespec never[2] = { { 0, 0 }, { 0, 0 } };

static int failed(int r, const char *path, const char *what, struct err *e)
{
	auto_buf shown = BUF_INIT;

	buf_add_escaped(&shown, path, strlen(path));
	return e->code ? r : err_sys(e, -r, "%s \"%.200s\"", what, buf_str(&shown));
}

/* ---- directories of our own ---- */

static int own_dir(const struct settling *c, const char *path)
{
	return open_beneath(c->k->own, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);
}

/* Give @dir the time back that it had. */
static void restore_time(int dir, const struct stat *before)
{
	const struct timespec times[2] = { before->st_atim, before->st_mtim };

	(void)futimens(dir, times);
}

/* Is the directory @path of ours another than the one below?  One that only has nothing of that one's is not. */
static bool replaced(const struct settling *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	return strv_has(c->removed, path) || stack_hidden(c->k, parent);
}

/* Make the directory that is open as @fd look like what the layers below show at @path, or like nobody's. */
static int imitate(const struct settling *c, const char *path, int fd)
{
	auto_place p = STACK_PLACE_INIT;
	int r = replaced(c, path) ? -ENOENT : stack_below(c->k, path, &p);

	if (r == -ENOENT || (r == 0 && !S_ISDIR(p.st.st_mode)))
		return futimens(fd, never) < 0 ? -errno : 0;
	if (r < 0)
		return r;
	auto_close int from = openat(p.dir, p.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return from < 0 ? -errno : copy_attributes(from, fd);
}

/* The directory @path of ours, made like the one below if there is none.  fd; -ENOTDIR: we have something else there. */
static int ensure_dir(const struct settling *c, const char *path)
{
	auto_close int dir = own_dir(c, "");
	auto_free char *copy = xstrdup(path);

	for (char *at = copy; dir >= 0 && *at;) {
		size_t n = strcspn(at, "/");
		bool more = at[n] == '/';
		struct stat before;

		at[n] = '\0';
		auto_close int next = openat(dir, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && errno == ENOENT && fstat(dir, &before) == 0 && mkdirat(dir, at, 0755) == 0) {
			next = openat(dir, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			int r = next < 0 ? -errno : imitate(c, copy, next);
			restore_time(dir, &before);
			if (r < 0)
				return r;
		}
		if (next < 0)
			return errno == ELOOP ? -ENOTDIR : -errno;
		fd_close(&dir);
		dir = steal_fd(&next);
		if (more)
			at[n] = '/';
		at += n + more;
	}
	return dir < 0 ? dir : steal_fd(&dir);
}

/* The directory that is to hold @path, and the name in it. */
static int ensure_parent(const struct settling *c, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	*name = slash ? slash + 1 : path;
	return ensure_dir(c, parent);
}

/* ---- directories that are links below ---- */

static int move_all(int from, int to)
{
	auto_closedir DIR *d = NULL;
	int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = copy < 0 ? NULL : fdopendir(copy);
	if (!d)
		return -errno;
	for (const struct dirent *de; (de = readdir(d));) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (renameat2(from, de->d_name, to, de->d_name, RENAME_NOREPLACE) < 0)
			return -errno;
	}
	return 0;
}

/* Our directory @path is a link below: what is in it goes to where that leads. */
static int redirect(const struct settling *c, const char *path)
{
	auto_buf to = BUF_INIT;
	const char *name = NULL;
	struct stat before;
	int r = stack_resolve(c->k, path, true, false, &to);

	if (r < 0)
		return r;
	auto_close int from = own_dir(c, path);
	auto_close int dir = from < 0 ? from : ensure_dir(c, buf_str(&to));
	if (dir < 0)
		return dir;
	if (fstat(dir, &before) < 0)
		return -errno;
	r = move_all(from, dir);
	restore_time(dir, &before);
	if (r < 0)
		return r;
	auto_close int parent = ensure_parent(c, path, &name);
	if (parent < 0 || fstat(parent, &before) < 0 || unlinkat(parent, name, AT_REMOVEDIR) < 0)
		return parent < 0 ? parent : -errno;
	restore_time(parent, &before);
	return 0;
}

/* Resolve *path where it stands in a list. */
static int resolve(const struct settling *c, char **path)
{
	auto_buf clean = BUF_INIT;
	int r = stack_resolve(c->k, *path, false, true, &clean);

	if (r < 0)
		return r;
	free(*path);
	*path = xstrdup(buf_str(&clean));
	return 0;
}

static int move_implied(struct settling *c, char **path, struct err *e)
{
	auto_place p = STACK_PLACE_INIT;
	int r = resolve(c, path);

	(void)e;
	if (r == 0)
		r = stack_hidden(c->k, *path) ? -ENOENT : stack_below(c->k, *path, &p);
	if (r == 0 && S_ISLNK(p.st.st_mode))
		r = redirect(c, *path);
	return r == -ENOENT ? 0 : r;
}

/* ---- what the layer takes away ---- */

static int make_opaque(int dir)
{
	return fsetxattr(dir, MERGE_OPAQUE, "y", 1, 0) < 0 ? -errno : 0;
}

static int make_whiteout(const struct settling *c, const char *path)
{
	const char *name = NULL;
	struct stat before;
	auto_close int dir = ensure_parent(c, path, &name);

	if (dir < 0)
		return dir;
	if (fstat(dir, &before) < 0 || mknodat(dir, name, S_IFCHR, makedev(0, 0)) < 0 ||
	    utimensat(dir, name, never, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	restore_time(dir, &before);
	return 0;
}

static int remove_one(const struct settling *c, const char *path)
{
	auto_place p = STACK_PLACE_INIT;
	int r = stack_look(c->k->own, path, &p);

	if (r == -ESTALE)
		return 0; /* gone already, or there is something of ours in the way */
	if (r == -ENOENT) {
		r = stack_below(c->k, path, &p);
		return r == 0 ? make_whiteout(c, path) : r == -ENOENT ? 0 : r;
	}
	if (r < 0 || !S_ISDIR(p.st.st_mode))
		return r;
	auto_close int dir = openat(p.dir, p.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? -errno : make_opaque(dir);
}

static int take_away(struct settling *c, char **path, struct err *e)
{
	int r = resolve(c, path);

	(void)e;
	return r < 0 ? r : remove_one(c, *path);
}

/* overlayfs knows no opaque root: one by one. */
static int empty_root(const struct settling *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->k->n; i++) {
		auto_close int tree = stack_root(c->k, i);
		int fd = tree < 0 ? tree : openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);

		if (!d)
			return -EIO;
		for (const struct dirent *de; r == 0 && (de = readdir(d));) {
			if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
				r = remove_one(c, de->d_name);
		}
	}
	return r;
}

static int hide(struct settling *c, char **path, struct err *e)
{
	auto_place p = STACK_PLACE_INIT;
	int r = resolve(c, path);

	(void)e;
	if (r < 0)
		return r;
	if (!**path)
		return empty_root(c);
	r = stack_look(c->k->own, *path, &p);
	if (r == -ENOENT) {
		r = stack_below(c->k, *path, &p);
		if (r == -ENOENT || (r == 0 && !S_ISDIR(p.st.st_mode)))
			return 0;
	}
	if (r == -ESTALE || (r == 0 && !S_ISDIR(p.st.st_mode)))
		return 0;
	if (r < 0)
		return r;
	auto_close int dir = ensure_dir(c, *path);
	return dir < 0 ? dir : make_opaque(dir);
}

/* ---- links ---- */

static int copy_below(const struct settling *c, const char *from, const char *to, struct err *e)
{
	auto_place p = STACK_PLACE_INIT;
	const char *name = NULL;
	struct stat before;
	int r = stack_below(c->k, from, &p);

	if (r == 0 && S_ISDIR(p.st.st_mode))
		r = -EISDIR;
	if (r == -ENOENT || r == -EISDIR)
		return err_set(e, ERR_INPUT, EINVAL, "hard link to \"%.200s\": %s", from,
			       r == -ENOENT ? "no layer has it" : "that is a directory");
	if (r < 0)
		return r;
	auto_close int dir = ensure_parent(c, to, &name);
	if (dir < 0 || fstat(dir, &before) < 0)
		return dir < 0 ? dir : -errno;
	r = copy_entry_at(p.dir, p.name, dir, name);
	restore_time(dir, &before);
	return r;
}

static int link_own(const struct settling *c, const struct stack_place *target, const char *path)
{
	const char *name = NULL;
	struct stat before;
	auto_close int dir = ensure_parent(c, path, &name);

	if (dir < 0 || fstat(dir, &before) < 0)
		return dir < 0 ? dir : -errno;
	if (linkat(target->dir, target->name, dir, name, 0) < 0)
		return -errno;
	restore_time(dir, &before);
	return 0;
}

/* The file below comes up beside its link, so that both stay one file; but not if we took it away. */
static int make_link(struct settling *c, char **pair, struct err *e)
{
	auto_place own = STACK_PLACE_INIT;
	int r = resolve(c, &pair[0]);

	if (r == 0)
		r = resolve(c, &pair[1]);
	if (r < 0)
		return r;
	if (stack_look(c->k->own, pair[0], &own) == 0)
		return 0; /* a later entry of that name */
	r = stack_look(c->k->own, pair[1], &own);
	if (r == -ENOENT) {
		r = copy_below(c, pair[1], pair[1], e);
		if (r == 0)
			r = stack_look(c->k->own, pair[1], &own);
	}
	if (r == -ESTALE)
		return copy_below(c, pair[1], pair[0], e);
	if (r == 0 && S_ISDIR(own.st.st_mode))
		return err_set(e, ERR_INPUT, EINVAL, "hard link to \"%.200s\": that is a directory", pair[1]);
	return r < 0 ? r : link_own(c, &own, pair[0]);
}

/* ---- implied directories ---- */

static int dress(struct settling *c, char **path, struct err *e)
{
	auto_close int dir = own_dir(c, *path);

	(void)e;
	/* moved to where a link leads */
	return dir == -ENOENT || dir == -ENOTDIR ? 0 : dir < 0 ? dir : imitate(c, *path, dir);
}

/* ---- all together ---- */

static int read_notes(struct settling *c, const char *notes, size_t len)
{
	const char *path, *target;
	enum layer_note kind;
	size_t at = 0;
	int r;

	while ((r = layer_note_next(notes, len, &at, &kind, &path, &target)) > 0) {
		char ***lists[] = {
			[LAYER_IMPLIED] = &c->implied, [LAYER_REMOVE] = &c->removed,
			[LAYER_OPAQUE] = &c->opaque,   [LAYER_LINK] = &c->links,
			[LAYER_ROOT] = NULL,
		};

		c->root_implied |= kind == LAYER_ROOT;
		if (lists[kind])
			strv_push(lists[kind], path);
		if (kind == LAYER_LINK)
			strv_push(&c->links, target);
	}
	return r;
}

static int each(struct settling *c, char **list, size_t step, const char *what,
		int (*how)(struct settling *c, char **path, struct err *e), struct err *e)
{
	for (; list && *list; list += step) {
		int r = how(c, list, e);

		if (r < 0)
			return failed(r, *list, what, e);
	}
	return 0;
}

int settle_layer(const struct stack *k, const char *notes, size_t len, struct err *e)
{
	struct settling c = { .k = k };
	int r = read_notes(&c, notes, len);

	if (r < 0)
		(void)err_set(e, ERR_SYS, EPROTO, "the notes of \"unpack layer\" are malformed");
	char **const sorted[] = { c.implied, c.removed, c.opaque };
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		if (sorted[i])
			strv_sort(sorted[i]);
	}
	if (r == 0)
		r = each(&c, c.implied, 1, "find a place for", move_implied, e);
	if (r == 0)
		r = each(&c, c.removed, 1, "remove", take_away, e);
	if (r == 0)
		r = each(&c, c.opaque, 1, "hide what is below", hide, e);
	if (r == 0)
		r = each(&c, c.links, 2, "link", make_link, e);
	if (r == 0)
		r = each(&c, c.implied, 1, "give its attributes to", dress, e);
	if (r == 0 && c.root_implied && futimens(k->own, never) < 0)
		r = err_sys(e, errno, "set the time of the root");
	strv_free(c.implied);
	strv_free(c.removed);
	strv_free(c.opaque);
	strv_free(c.links);
	return r;
}

bool settle_names_root(int root)
{
	struct stat st;

	return fstat(root, &st) == 0 && (st.st_mtim.tv_sec || st.st_mtim.tv_nsec || st.st_uid || st.st_gid ||
					 (st.st_mode & 07777) != 0755);
}
