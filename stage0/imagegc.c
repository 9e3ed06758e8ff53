/*
 * imagegc — see imagegc.h.
 *
 * An image goes in this order: its names, its document, its blob; then, if no pod stands on it, its tree.
 * The pods are asked after the document has gone (imageuse.h says why), and at most BATCH images are locked
 * at a time, so that many images cost few scans and few descriptors.
 */
#include "stage0/imagegc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "base/when.h"
#include "stage0/age.h"
#include "stage0/blobs.h"
#include "stage0/imageuse.h"
#include "stage0/layersgc.h"
#include "stage0/sweep.h"

enum { BATCH = 32 };

struct pass {
	const struct datadir *data;
	const struct store *store;
	const struct image_gc_options *opts;
	struct image_uses uses; /* as they were when the pass began */
	int64_t now;            /* for judging ages; with a grace period */
};

static void report(const struct pass *p, enum image_gc_event ev, const char *what, const struct err *e)
{
	if (p->opts->report)
		p->opts->report(p->opts->arg, ev, what, e);
}

/* ---- one image ---- */

/* Names, document and blob of a locked image, which is *ret then; -ENOENT when it has none. */
static int unpublish(const struct store *s, const char *id, struct image_info *ret, struct err *e)
{
	int r = store_image_load(s, id, ret, e);

	return r == 0 ? store_unpublish_image(s, ret, e) : r;
}

static int remove_tree(const struct datadir *d, const struct store *s, const char *id, struct err *e)
{
	struct image_uses uses = { NULL, NULL, false };
	int r = image_uses_scan(d, &uses, e);

	if (r == 0 && !image_uses_tree(&uses, id))
		r = store_remove_tree(s, id, e);
	image_uses_done(&uses);
	return r;
}

int image_remove(const struct datadir *d, const struct store *s, const char *id, struct err *e)
{
	auto_close int lock = store_lock(s, "image", id, 1, e);
	struct image_info i = { .id = "" };
	int r = lock < 0 ? lock : unpublish(s, id, &i, e);

	if (r == 0)
		r = i.nlayers ? layers_collect(d, s, &i, LAYERS_ALL, NULL, NULL, e)
			      : remove_tree(d, s, id, e);
	image_info_done(&i);
	return r;
}

/* ---- images and trees, a batch at a time ---- */

struct candidate {
	const char *id;
	int lock;
	bool had_document;
};

/* Has the image a pod that runs or may yet run?  One of an image with layers names these. */
static bool has_pods(const struct pass *p, const char *id)
{
	struct image_info i = { .id = "" };
	struct err ignored = ERR_INIT;
	bool live = image_uses_live(&p->uses, id);

	if (!live && layers_id(id) && store_image_load(p->store, id, &i, &ignored) == 0)
		live = i.nlayers && image_uses_live(&p->uses, i.layers[i.nlayers - 1].tree);
	image_info_done(&i);
	return live;
}

/* Was the image used within the grace period, or has a pod that runs or may yet run?  -ENOENT: no image. */
static int wanted(const struct pass *p, const char *id)
{
	int64_t used = 0;
	int r = store_last_used(p->store, id, &used);

	if (r < 0)
		return r;
	return has_pods(p, id) || (p->opts->grace_ns && p->now - used < p->opts->grace_ns);
}

/* Lock @id and make it impossible to find; false when it stays as it is. */
static bool withdraw(const struct pass *p, const char *id, struct candidate *ret)
{
	struct image_info i = { .id = "" };
	struct err e = ERR_INIT;
	auto_close int lock = store_lock(p->store, "image", id, 0, &e);
	int r = lock;

	if (lock == -EWOULDBLOCK)
		return false;
	if (r >= 0)
		r = wanted(p, id);
	if (r > 0)
		return false;
	*ret = (struct candidate){ id, FD_NONE, r == 0 };
	if (r == 0)
		r = unpublish(p->store, id, &i, &e);
	else if (r == -ENOENT)
		r = 0;
	else if (!e.code)
		r = err_sys(&e, -r, "look at image %s", id);
	image_info_done(&i);
	if (r < 0) {
		report(p, IMAGE_GC_FAILED, id, &e);
		return false;
	}
	if (ret->had_document)
		report(p, IMAGE_GC_IMAGE, id, NULL);
	ret->lock = steal_fd(&lock);
	return true;
}

/* The trees of withdrawn images, but for those that pods stand on now. */
static void remove_trees(const struct pass *p, const struct candidate *c, size_t n)
{
	struct image_uses now = { NULL, NULL, false };
	struct err e = ERR_INIT;
	int r = image_uses_scan(p->data, &now, &e);

	if (r < 0)
		report(p, IMAGE_GC_FAILED, "pods", &e);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct err why = ERR_INIT;

		if (image_uses_tree(&now, c[i].id))
			continue;
		if (store_remove_tree(p->store, c[i].id, &why) < 0)
			report(p, IMAGE_GC_FAILED, c[i].id, &why);
		else if (!c[i].had_document)
			report(p, IMAGE_GC_TREE, c[i].id, NULL);
	}
	image_uses_done(&now);
}

static bool image_stays(const struct pass *p, const char *id)
{
	return wanted(p, id) > 0;
}

/* Its image is there, or it had pods a moment ago. */
static bool tree_stays(const struct pass *p, const char *id)
{
	return layers_id(id) || wanted(p, id) != -ENOENT || image_uses_tree(&p->uses, id);
}

static void collect(const struct pass *p, char *const *ids,
		    bool (*stays)(const struct pass *p, const char *id))
{
	struct candidate batch[BATCH];
	size_t n = 0;

	for (; ids && *ids; ids++) {
		if (!stays(p, *ids) && withdraw(p, *ids, &batch[n]))
			n++;
		if (n == 0 || (n < BATCH && ids[1]))
			continue;
		remove_trees(p, batch, n);
		while (n)
			fd_close(&batch[--n].lock);
	}
}

/* Images first; what then still has a tree and no document is what they left, now or long ago. */
static int collect_all(const struct pass *p, struct err *e)
{
	auto_strv images = NULL;
	auto_strv trees = NULL;
	int r = store_list(p->store, &images, e);

	if (r == 0)
		collect(p, images, image_stays);
	if (r == 0)
		r = store_list_trees(p->store, &trees, e);
	if (r == 0)
		collect(p, trees, tree_stays);
	return r;
}

/* ---- the whole pass ---- */

static void tree_removed(void *arg, const char *id, const struct err *e)
{
	report(arg, e ? IMAGE_GC_FAILED : IMAGE_GC_TREE, id, e);
}

static void blob_removed(void *arg, const char *digest, const struct err *e)
{
	report(arg, e ? IMAGE_GC_FAILED : IMAGE_GC_BLOB, digest, e);
}

/* The last time that any image was used, or one came or went. */
static int64_t latest_use(const struct store *s, const struct datadir *d)
{
	auto_strv images = NULL;
	struct err ignored = ERR_INIT;
	struct stat st;
	int64_t latest = fstatat(d->fd, DIR_IMAGE, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : when_ns(st.st_mtim);

	(void)store_list(s, &images, &ignored);
	for (char **id = images; id && *id; id++) {
		int64_t used = 0;

		if (store_last_used(s, *id, &used) == 0 && used > latest)
			latest = used;
	}
	return latest;
}

int image_gc(const struct datadir *d, const struct store *s, const struct image_gc_options *o, struct err *e)
{
	struct pass p = { d, s, o, { NULL, NULL, false }, 0 };
	const bool all = o->grace_ns == 0;

	if (!all)
		p.now = age_now(latest_use(s, d), "images");
	int r = image_uses_scan(d, &p.uses, e);

	if (r == 0)
		r = collect_all(&p, e);
	if (r == 0)
		r = blobs_collect(s, blob_removed, &p, e);
	if (r == 0) {
		const struct layers_report told = { tree_removed, blob_removed };
		r = layers_collect(d, s, NULL, all ? LAYERS_ALL : p.now - o->grace_ns, &told, &p, e);
	}
	image_uses_done(&p.uses);
	return r < 0 ? r : sweep(d, o->grace_ns, e);
}
