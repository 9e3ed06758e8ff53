/* import — the pipeline beside a thread that hashes the blob, and publishing; see import.h. */
#include "stage0/import.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/hash.h"
#include "base/when.h"
#include "stage0/unpackrun.h"

void imported_done(struct imported *i)
{
	free(i->digest);
	free(i->blob_digest);
	buf_done(&i->manifest);
	*i = (struct imported){ 0 };
}

/* ---- the digest of the blob, beside the pipeline ---- */

struct blob_hash {
	pthread_t thread;
	int fd;
	int result;
	char hex[HASH_HEX_MAX];
	struct err err;
};

static void *blob_hash_main(void *arg)
{
	struct blob_hash *b = arg;
	b->result = hash_fd("sha512", b->fd, b->hex, &b->err);
	return NULL;
}

static int blob_hash_start(struct blob_hash *b, int blob_fd, struct err *e)
{
	auto_free char *self = xasprintf("/proc/self/fd/%d", blob_fd);
	sigset_t all, old;

	b->fd = open(self, O_RDONLY | O_CLOEXEC);
	if (b->fd < 0)
		return err_sys(e, errno, "open the image");
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = pthread_create(&b->thread, NULL, blob_hash_main, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r) {
		fd_close(&b->fd);
		return err_sys(e, r, "start a thread");
	}
	return 0;
}

static int blob_hash_join(struct blob_hash *b, struct err *e)
{
	pthread_join(b->thread, NULL);
	fd_close(&b->fd);
	return b->result < 0 ? err_copy(e, &b->err) : 0;
}

int import_run(const char *unpack, int blob_fd, int dirfd, struct imported *ret, struct err *e)
{
	auto_unpacked u = { .tail = BUF_INIT };
	struct blob_hash blob = { .fd = FD_NONE };
	struct err joined = ERR_INIT;
	struct stat st;

	if (fstat(blob_fd, &st) < 0)
		return err_sys(e, errno, "look at the image");
	int r = blob_hash_start(&blob, blob_fd, e);
	if (r < 0)
		return r;
	r = unpack_run(unpack, "extract", "sha512", blob_fd, dirfd, &u, e);
	if (blob_hash_join(&blob, &joined) < 0 && r >= 0)
		r = err_copy(e, &joined);
	if (r < 0)
		return r;
	*ret = (struct imported){
		.digest = xasprintf("sha512-%s", u.hex),
		.blob_digest = xstrdup(blob.hex),
		.blob_size = (uint64_t)st.st_size,
		.size = u.size,
		.manifest = u.tail,
	};
	u.tail = (struct buf)BUF_INIT;
	(void)snprintf(ret->id, sizeof(ret->id), "%.*s", IMAGE_ID_LEN, ret->digest);
	return 0;
}

/* ---- publishing ---- */

static void fill_info(struct image_info *info, const struct imported *i, const struct import_origin *o,
		      const struct image_manifest *m, uint64_t tree_size)
{
	memcpy(info->id, i->id, sizeof(info->id));
	info->digest = xstrdup(i->digest);
	info->blob_algo = xstrdup("sha512");
	info->blob_digest = xstrdup(i->blob_digest);
	info->blob_size = i->blob_size;
	info->size = i->size;
	info->tree_size = tree_size;
	info->name = xstrdup(m->name);
	pairs_copy(&info->labels, &m->labels);
	info->manifest = xstrndup(i->manifest.data, i->manifest.len);
	info->origin = xstrdup(o->url);
	info->import_time = when_ns(when_now());
	info->nverified = o->nverified;
	info->verified = o->nverified ? xcalloc(o->nverified, sizeof(*info->verified)) : NULL;
	for (size_t k = 0; k < o->nverified; k++) {
		info->verified[k].fingerprint = xstrdup(o->verified[k].fingerprint);
		info->verified[k].scope = xstrdup(o->verified[k].scope);
	}
}

/* The very bytes that were verified before do not lose that by an import that did not look. */
static void keep_verification(struct image_info *info, struct image_info *before)
{
	if (info->nverified || strcmp(info->blob_digest, before->blob_digest) != 0)
		return;
	info->verified = steal_ptr(&before->verified);
	info->nverified = before->nverified;
	before->nverified = 0;
}

/* *made_tree: it was not there before, so nothing stands on it yet. */
static int publish_locked(const struct store *s, int blob_dirfd, const char *tree_tmp,
			  const struct image_info *info, bool *made_tree, struct err *e)
{
	/* until the document names the blob, this tells image gc that somebody will */
	auto_close int lock = store_lock(s, "blob", info->blob_digest, 1, e);
	int r = lock;

	if (r >= 0)
		r = store_publish_blob(s, blob_dirfd, "blob", info->blob_algo, info->blob_digest, e);
	if (r >= 0)
		r = store_sync(s, e);
	if (r >= 0)
		r = store_publish_tree(s, tree_tmp, info->id, e);
	*made_tree = r == 0;
	if (r >= 0)
		r = store_publish_image(s, info, e);
	return r;
}

/* What a failed import of an image that was not there before has published. */
static void take_back(const struct store *s, const struct image_info *info, bool made_tree)
{
	struct err e = ERR_INIT;

	/* A tree that was there already is one that pods stand on, or image gc's to judge. */
	if (store_unpublish_image(s, info, &e) == 0 && made_tree)
		(void)store_remove_tree(s, info->id, &e);
}

int import_publish(const struct store *s, int blob_dirfd, const char *tree_tmp, const struct imported *i,
		   const struct import_origin *o, struct err *e)
{
	struct image_info info = { 0 }, before = { 0 };
	struct err other = ERR_INIT;
	uint64_t tree_size = 0;
	auto_image_manifest m = image_manifest_parse(i->manifest.data, i->manifest.len, e);

	if (!m)
		return err_ctx(e, "manifest");
	auto_free char *rootfs = xasprintf("%s/rootfs", tree_tmp);
	(void)tree_size_at(s->tmp_fd, rootfs, &tree_size); /* for display only */
	fill_info(&info, i, o, m, tree_size);
	auto_close int lock = store_lock(s, "image", i->id, 1, e);
	int r = lock < 0 ? lock : 0;
	bool made_tree = false, known = r >= 0 && store_image_load(s, i->id, &before, &other) >= 0;
	if (known)
		keep_verification(&info, &before);
	if (r >= 0)
		r = publish_locked(s, blob_dirfd, tree_tmp, &info, &made_tree, e);
	if (r < 0 && lock >= 0 && !known)
		take_back(s, &info, made_tree);
	image_info_done(&before);
	image_info_done(&info);
	return r;
}
