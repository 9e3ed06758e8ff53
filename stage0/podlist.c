/*
 * podlist — which pods there are, and the one a user means by the first letters of its UUID.
 */
#include "stage0/pod.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"

static const char *const dirs[] = {
	DIR_EMBRYO, DIR_PREPARE, DIR_PREPARED, DIR_RUN, DIR_EXITED_GARBAGE, DIR_GARBAGE,
};

static void add(struct pod_places *l, const char *uuid, size_t at)
{
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 64;
		l->v = xreallocarray(l->v, l->room, sizeof(*l->v));
	}
	memcpy(l->v[l->n].uuid, uuid, sizeof(l->v[l->n].uuid));
	l->v[l->n++].at = (unsigned char)at;
}

static int read_dir(const struct datadir *d, size_t at, struct pod_places *l)
{
	auto_close int fd = openat(d->fd, dirs[at], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *dir = NULL;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)steal_fd(&fd);
	errno = 0;
	for (const struct dirent *de; (de = readdir(dir)); errno = 0)
		if (uuid_valid(de->d_name))
			add(l, de->d_name, at);
	return -errno;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pod_place *)a)->uuid, ((const struct pod_place *)b)->uuid);
}

/* Sort, and keep one of each: a pod may have moved from one directory to the next between two reads. */
static void sort_unique(struct pod_places *l)
{
	size_t kept = 0;

	if (!l->n)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_name);
	for (size_t i = 0; i < l->n; i++) {
		if (!kept || strcmp(l->v[kept - 1].uuid, l->v[i].uuid) != 0)
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
}

int pods_scan(const struct datadir *d, unsigned int which, struct pod_places *ret, struct err *e)
{
	struct pod_places l = { NULL, 0, 0 };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		int r = which & (1u << i) ? read_dir(d, i, &l) : 0;
		if (r < 0) {
			free(l.v);
			return err_sys(e, -r, "read %s/%s", d->path, dirs[i]);
		}
	}
	sort_unique(&l);
	*ret = l;
	return 0;
}

int pods_list(const struct datadir *d, unsigned int which, char ***ret, struct err *e)
{
	struct pod_places l = { NULL, 0, 0 };
	int r = pods_scan(d, which, &l, e);

	if (r < 0)
		return r;
	*ret = xcalloc(l.n + 1, sizeof(**ret));
	for (size_t i = 0; i < l.n; i++)
		(*ret)[i] = xstrdup(l.v[i].uuid);
	free(l.v);
	return 0;
}

/* Only the states that a user may name. */
static int open_named(const struct datadir *d, const char *uuid, const char *typed, struct pod *ret,
		      struct err *e)
{
	auto_pod p = POD_INIT;
	int r = pod_open(d, uuid, &p, e);

	if (r == -ENOENT ||
	    (r == 0 && (p.state == POD_EMBRYO || p.state == POD_GARBAGE || p.state == POD_DELETING)))
		return err_set(e, ERR_STATE, ENOENT, "no matches found for \"%s\"", typed);
	if (r < 0)
		return r;
	*ret = p;
	p.fd = FD_NONE;
	return 0;
}

int pod_open_prefix(const struct datadir *d, const char *prefix, struct pod *ret, struct err *e)
{
	auto_free char *low = xstrdup(prefix);
	auto_strv all = NULL;
	const char *found = NULL;
	size_t len = strlen(low), matches = 0;
	int r;

	if (!len)
		return err_set(e, ERR_USAGE, EINVAL, "UUID cannot be empty");
	for (char *s = low; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	if (uuid_valid(low))
		return open_named(d, low, prefix, ret, e);
	r = pods_list(d, PODS_MOST, &all, e);
	if (r < 0)
		return r;
	for (char **u = all; u && *u; u++) {
		if (strncmp(*u, low, len) == 0) {
			found = *u;
			matches++;
		}
	}
	if (!matches)
		return err_set(e, ERR_STATE, ENOENT, "no matches found for \"%s\"", prefix);
	if (matches > 1)
		return err_set(e, ERR_USAGE, ENOTUNIQ, "ambiguous UUID \"%s\": %zu pods match", prefix,
			       matches);
	return open_named(d, found, prefix, ret, e);
}
