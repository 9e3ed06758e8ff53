/*
 * blobs — see blobs.h.
 *
 * A publisher holds the lock of its blob until the document names it (import.c).  So: list the blobs, look for
 * those that no document names, lock these, and look at the documents once more.
 */
#include "stage0/blobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "stage0/imagelayers.h"

enum { BATCH = 32 };

/* "blob/ALGO/XX/HEX" for all images, sorted. */
static int named(const struct store *s, char ***ret, struct err *e)
{
	auto_strv ids = NULL;
	int r = store_list(s, &ids, e);

	for (char **id = ids; r == 0 && id && *id; id++) {
		struct image_info i = { .id = "" };

		r = store_image_load(s, *id, &i, e);
		if (r == -ENOENT) { /* removed since */
			err_clear(e);
			r = 0;
			continue;
		}
		if (r == 0)
			image_info_blobs(&i, ret);
		image_info_done(&i);
	}
	return r;
}

static int list_each(const struct store *s, char *const *dirs, char ***ret, struct err *e)
{
	int r = 0;

	for (; r == 0 && dirs && *dirs; dirs++)
		r = store_list_paths(s, *dirs, ret, e);
	return r;
}

static int all_blobs(const struct store *s, char ***ret, struct err *e)
{
	auto_strv algos = NULL;
	auto_strv prefixes = NULL;
	int r = store_list_paths(s, "blob", &algos, e);

	/* those of OCI images are layersgc.h's */
	for (char **a = algos; a && *a; a++) {
		if (strcmp(*a, "blob/sha256") == 0) {
			free(*a);
			for (char **b = a; (b[0] = b[1]); b++)
				;
			break;
		}
	}
	if (r == 0)
		r = list_each(s, algos, &prefixes, e);
	return r == 0 ? list_each(s, prefixes, ret, e) : r;
}

static const char *digest_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

struct stray {
	const char *path;
	int lock;
};

/* All locked: whatever is not named now will not be named. */
static int delete_strays(const struct store *s, const struct stray *v, size_t n,
			 void (*removed)(void *arg, const char *digest, const struct err *e), void *arg,
			 struct err *e)
{
	auto_strv names = NULL;
	int r = named(s, &names, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct err why = ERR_INIT;

		if (strv_has(names, v[i].path))
			continue;
		if (unlinkat(s->cas_fd, v[i].path, 0) < 0 && errno != ENOENT)
			(void)err_sys(&why, errno, "remove %s/%s", DIR_CAS, v[i].path);
		removed(arg, digest_of(v[i].path), why.code ? &why : NULL);
	}
	return r;
}

int blobs_collect(const struct store *s, void (*removed)(void *arg, const char *digest, const struct err *e),
		  void *arg, struct err *e)
{
	auto_strv blobs = NULL;
	auto_strv names = NULL;
	struct stray batch[BATCH];
	size_t n = 0;
	int r = all_blobs(s, &blobs, e);

	if (r == 0)
		r = named(s, &names, e);
	for (char **b = blobs; r == 0 && b && *b; b++) {
		struct err busy = ERR_INIT;

		if (!strv_has(names, *b)) {
			batch[n].path = *b;
			batch[n].lock = store_lock(s, "blob", digest_of(*b), 0, &busy);
			n += batch[n].lock >= 0;
		}
		if (n == 0 || (n < BATCH && b[1]))
			continue;
		r = delete_strays(s, batch, n, removed, arg, e);
		while (n)
			fd_close(&batch[--n].lock);
	}
	return r;
}
