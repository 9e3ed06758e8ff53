/* stack — see stack.h. */
#include "stage0/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "image/merge.h"

#define LINKS_MAX 40 /* as in Linux */

void stack_place_done(struct stack_place *p)
{
	fd_close(&p->dir);
	free(p->name);
	p->name = NULL;
}

/* Go from *dir to its directory @name. */
static int step(int *dir, const char *name)
{
	int next = openat(*dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0)
		return errno == ENOTDIR || errno == ELOOP ? -ESTALE : -errno;
	fd_close(dir);
	*dir = next;
	return 0;
}

int stack_look(int root, const char *path, struct stack_place *ret)
{
	auto_close int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool opaque = false;
	struct stat st;

	if (dir < 0)
		return -errno;
	for (;;) {
		size_t n = strcspn(path, "/");
		auto_free char *name = *path ? xstrndup(path, n) : xstrdup(".");

		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno != ENOENT ? -errno : opaque ? -ESTALE : -ENOENT;
		if (merge_whiteout(&st))
			return -ESTALE;
		if (!path[n]) {
			stack_place_done(ret);
			*ret = (struct stack_place){ steal_fd(&dir), steal_ptr(&name), st };
			return 0;
		}
		int r = step(&dir, name);
		if (r < 0)
			return r;
		opaque |= merge_opaque(dir);
		path += n + 1;
	}
}

int stack_root(const struct stack *k, size_t i)
{
	int fd = openat(k->s->cas_fd, k->roots[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int stack_below(const struct stack *k, const char *path, struct stack_place *ret)
{
	int r = -ENOENT;

	for (size_t i = k->n; r == -ENOENT && i-- > 0;) {
		auto_close int root = stack_root(k, i);

		if (root < 0)
			return root == -ENOENT ? -EIO : root; /* a layer went missing */
		r = stack_look(root, path, ret);
	}
	return r == -ESTALE ? -ENOENT : r;
}

static int find(const struct stack *k, bool own, const char *path, struct stack_place *ret)
{
	int r = own ? stack_look(k->own, path, ret) : -ENOENT;

	return r == -ENOENT ? stack_below(k, path, ret) : r == -ESTALE ? -ENOENT : r;
}

static int read_link(const struct stack_place *p, char **ret)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(p->dir, p->name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	*ret = xstrdup(text);
	return 0;
}

/* "a/b" → "a", "a" → "" */
static void cut_last(struct buf *b)
{
	while (b->len && b->data[b->len - 1] != '/')
		b->data[--b->len] = '\0';
	if (b->len)
		b->data[--b->len] = '\0';
}

/* Append the component @name to *ret; 1 and *link when what is there is a link to follow. */
static int enter(const struct stack *k, bool own, const char *name, struct buf *ret, char **link)
{
	auto_place p = STACK_PLACE_INIT;
	int r;

	if (ret->len)
		buf_addc(ret, '/');
	buf_adds(ret, name);
	r = find(k, own, buf_str(ret), &p);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!S_ISLNK(p.st.st_mode))
		return 0;
	r = read_link(&p, link);
	return r < 0 ? r : 1;
}

int stack_resolve(const struct stack *k, const char *path, bool whole, bool own, struct buf *ret)
{
	auto_free char *rest = xstrdup(path);

	buf_clear(ret);
	for (int links = 0; *rest;) {
		size_t n = strcspn(rest, "/"), skip = n + strspn(rest + n, "/");
		auto_free char *name = xstrndup(rest, n), *link = NULL, *more = xstrdup(rest + skip);
		int r = 0;

		if (strcmp(name, "..") == 0) {
			cut_last(ret);
		} else if (!whole && !*more) {
			buf_addf(ret, "%s%s", ret->len ? "/" : "", name);
		} else if (*name && strcmp(name, ".") != 0) {
			r = enter(k, own, name, ret, &link);
		}
		if (r < 0)
			return r;
		if (r > 0) {
			if (++links > LINKS_MAX)
				return -ELOOP;
			cut_last(ret);
			if (*link == '/')
				buf_clear(ret);
			char *joined = xasprintf("%s/%s", link + strspn(link, "/"), more);
			free(more);
			more = joined;
		}
		free(rest);
		rest = steal_ptr(&more);
		if (ret->len > PATH_MAX || strlen(rest) > 2 * (size_t)PATH_MAX)
			return -ENAMETOOLONG;
	}
	return 0;
}

bool stack_hidden(const struct stack *k, const char *path)
{
	auto_close int dir = openat(k->own, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (dir >= 0 && *path) {
		size_t n = strcspn(path, "/");
		auto_free char *name = xstrndup(path, n);

		if (step(&dir, name) < 0)
			return false;
		if (merge_opaque(dir))
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}
