/* layersgc — see layersgc.h. */
#include "stage0/layersgc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/when.h"
#include "schema/ids.h"
#include "stage0/imagelayers.h"
#include "stage0/imageuse.h"

#define LOCK_NAME DIR_LOCKS "/layers"
#define BLOBS     "blob/sha256"

struct collecting {
	const struct store *s;
	int64_t before;
	const struct layers_report *told;
	void *arg;
	char **trees, **blobs;             /* strv: candidates; blobs as paths relative to cas/ */
	char **named_trees, **named_blobs; /* strv: of all images */
	struct image_uses uses;
};

static int take_lock(const struct store *s, enum lock_mode mode, int wait)
{
	int fd = lock_file_at(s->data_fd, LOCK_NAME, mode, wait);

	if (fd == -ENOENT && mkdirat(s->data_fd, DIR_LOCKS, 0750) == 0)
		fd = lock_file_at(s->data_fd, LOCK_NAME, mode, wait);
	return fd;
}

int layers_lock(const struct store *s, struct err *e)
{
	int fd = take_lock(s, LOCK_SHARED, 1);

	return fd < 0 ? err_sys(e, -fd, "lock %s", LOCK_NAME) : fd;
}

bool layers_id(const char *id)
{
	return strncmp(id, "sha256-", 7) == 0;
}

/* ---- who needs what ---- */

static int named(struct collecting *c, struct err *e)
{
	auto_strv ids = NULL;
	int r = store_list(c->s, &ids, e);

	for (char **id = ids; r == 0 && id && *id; id++) {
		struct image_info i = { .id = "" };

		if (!layers_id(*id))
			continue;
		r = store_image_load(c->s, *id, &i, e);
		if (r == -ENOENT) { /* removed since */
			err_clear(e);
			r = 0;
			continue;
		}
		for (size_t k = 0; r == 0 && k < i.nlayers; k++)
			strv_push(&c->named_trees, i.layers[k].tree);
		if (r == 0)
			image_info_blobs(&i, &c->named_blobs);
		image_info_done(&i);
	}
	return r;
}

/* ---- what there is ---- */

static int candidates(struct collecting *c, const struct image_info *of, struct err *e)
{
	auto_strv all = NULL;
	auto_strv prefixes = NULL;
	int r;

	for (size_t k = 0; of && k < of->nlayers; k++)
		strv_push(&c->trees, of->layers[k].tree);
	if (of) {
		image_info_blobs(of, &c->blobs);
		return 0;
	}
	r = store_list_trees(c->s, &all, e);
	for (char **t = all; t && *t; t++) {
		if (layers_id(*t))
			strv_push(&c->trees, *t);
	}
	if (r == 0)
		r = store_list_paths(c->s, BLOBS, &prefixes, e);
	for (char **p = prefixes; r == 0 && p && *p; p++)
		r = store_list_paths(c->s, *p, &c->blobs, e);
	return r;
}

/* ---- out with it ---- */

/* Not there counts as young: nothing to do. */
static bool young(const struct collecting *c, const char *path)
{
	struct stat st;

	return fstatat(c->s->cas_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	       (c->before != LAYERS_ALL && when_ns(st.st_mtim) > c->before);
}

static void remove_trees(const struct collecting *c)
{
	for (char **t = c->trees; t && *t; t++) {
		char path[IMAGE_ID_LEN + sizeof("tree/")];
		struct err e = ERR_INIT;

		(void)snprintf(path, sizeof(path), "tree/%s", *t);
		if (strv_has(c->named_trees, *t) || image_uses_tree(&c->uses, *t) || young(c, path))
			continue;
		int r = store_remove_tree(c->s, *t, &e);
		if (c->told)
			c->told->tree(c->arg, *t, r < 0 ? &e : NULL);
	}
}

static void remove_blobs(const struct collecting *c)
{
	for (char **b = c->blobs; b && *b; b++) {
		struct err e = ERR_INIT;

		if (strv_has(c->named_blobs, *b) || young(c, *b))
			continue;
		if (unlinkat(c->s->cas_fd, *b, 0) < 0 && errno != ENOENT)
			(void)err_sys(&e, errno, "remove %s/%s", DIR_CAS, *b);
		if (c->told)
			c->told->blob(c->arg, strrchr(*b, '/') + 1, e.code ? &e : NULL);
	}
}

int layers_collect(const struct datadir *d, const struct store *s, const struct image_info *of,
		   int64_t before, const struct layers_report *told, void *arg, struct err *e)
{
	struct collecting c = { .s = s, .before = before, .told = told, .arg = arg };
	auto_close int lock = take_lock(s, LOCK_EXCL, 0);
	int r;

	if (lock == -EWOULDBLOCK) {
		log_debug("somebody imports an image, its layers stay");
		return 0;
	}
	if (lock < 0)
		return err_sys(e, -lock, "lock %s", LOCK_NAME);
	r = candidates(&c, of, e);
	if (r == 0)
		r = named(&c, e);
	if (r == 0)
		r = image_uses_scan(d, &c.uses, e);
	if (r == 0) {
		remove_trees(&c);
		remove_blobs(&c);
		image_uses_done(&c.uses);
	}
	strv_free(c.trees);
	strv_free(c.blobs);
	strv_free(c.named_trees);
	strv_free(c.named_blobs);
	return r;
}
