/*
 * ociimport — see ociimport.h.
 *
 * The main thread drives the transfers; workers take the lowest layer whose blob has come.  One lock says who unpacks: that of the lowest tree
 * that is missing, which everybody needs who needs any tree above it.  All trees are published at the end, after one sync.
 */
#include "stage0/ociimport.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/strv.h"
#include "oci/digest.h"
#include "stage0/imagelayers.h"
#include "stage0/interrupt.h"
#include "stage0/layersgc.h"
#include "stage0/settle.h"
#include "stage0/unpackrun.h"

#define WORKERS_MAX 4
#define PAUSE_MS    50 /* between looks at a lock that another process holds */

enum step {
	STEP_BLOB,    /* its blob is on its way */
	STEP_READY,   /* … and has come */
	STEP_TAKEN,   /* a worker is at it */
	STEP_DONE,    /* unpacked, or in the store from the start */
	STEP_SETTLED, /* made fit for those below, which are settled too */
};

struct layer {
	enum step step;
	bool stored; /* the tree was in the store */
	struct work work;
	struct buf notes;
};

struct import {
	struct job *j;
	struct image_layer *v;
	struct layer *l;
	size_t n;
	const struct registry_blob *blobs; /* each digest once */
	struct stack stack;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool closed; /* no blob will come any more */
	bool settling, locking;
	int lock;       /* of the lowest missing tree; FD_NONE until somebody got it */
	struct err err; /* the first */
	pthread_t threads[WORKERS_MAX];
	size_t nthreads;
};

/* ---- ids ---- */

/* OCI's chain id; of a base layer whose own digest is not by SHA-256, the SHA-256 of that. */
static void chain(const char *below, const char *diff_id, char ret[IMAGE_ID_LEN + 1])
{
	char hex[HASH_HEX_MAX];

	if (!below && strcmp(oci_digest_algo(diff_id), "sha256") == 0) {
		(void)snprintf(ret, IMAGE_ID_LEN + 1, "sha256-%.64s", oci_digest_hex(diff_id));
		return;
	}
	struct hash *h = hash_new("sha256");
	if (below) {
		hash_update(h, "sha256:", 7);
		hash_update(h, below + 7, strlen(below + 7));
		hash_update(h, " ", 1);
	}
	hash_update(h, diff_id, strlen(diff_id));
	hash_hex(h, hex);
	hash_free(h);
	(void)snprintf(ret, IMAGE_ID_LEN + 1, "sha256-%.64s", hex);
}

/* ---- state, under the mutex ---- */

static void fail(struct import *im, const struct err *e)
{
	if (!im->err.code)
		(void)err_copy(&im->err, e);
	pthread_cond_broadcast(&im->changed);
}

static void mark_ready(struct import *im, const char *digest)
{
	for (size_t i = 0; i < im->n; i++) {
		if (im->l[i].step == STEP_BLOB && strcmp(im->v[i].digest, digest) == 0)
			im->l[i].step = STEP_READY;
	}
	pthread_cond_broadcast(&im->changed);
}

static size_t next_ready(const struct import *im)
{
	size_t i = 0;

	while (i < im->n && im->l[i].step != STEP_READY)
		i++;
	return i;
}

static bool all_settled(const struct import *im)
{
	size_t i = 0;

	while (i < im->n && im->l[i].step == STEP_SETTLED)
		i++;
	return i == im->n;
}

/* ---- who unpacks ---- */

/* What another process has published since. */
static size_t first_missing(struct import *im)
{
	size_t i = 0;

	while (i < im->n && store_has_tree(&im->j->store, im->v[i].tree))
		i++;
	return i;
}

/* Look for trees that are there by now, and lock the first that is not: 1 ours to make, 0 not yet, -errno. */
static int lock_chain(struct import *im, struct err *e)
{
	size_t i = first_missing(im);
	auto_close int fd = FD_NONE;

	if (i < im->n) {
		fd = store_lock(&im->j->store, "layer", im->v[i].tree, 0, e);
		if (fd == -EWOULDBLOCK) {
			err_clear(e);
			return 0;
		}
		if (fd < 0)
			return fd;
		if (first_missing(im) != i)
			return 0;
	}
	im->lock = steal_fd(&fd);
	return 1;
}

/* What images in the store say of blobs and what is in them, "DIGEST DIFF_ID": somebody looked. */
static char **known_pairs(const struct store *s)
{
	struct err ignored = ERR_INIT;
	auto_strv ids = NULL;
	char **pairs = NULL;

	(void)store_list(s, &ids, &ignored);
	for (char **id = ids; id && *id; id++) {
		struct image_info i = { .id = "" };

		if (layers_id(*id) && store_image_load(s, *id, &i, &ignored) == 0) {
			for (size_t k = 0; k < i.nlayers; k++)
				strv_pushf(&pairs, "%s %s", i.layers[k].digest, i.layers[k].diff_id);
		}
		image_info_done(&i);
	}
	return pairs;
}

/* A blob that nobody has compared with the digest of what is in it is unpacked once more, only for that. */
static void note_stored(struct import *im)
{
	size_t missing = first_missing(im);
	auto_strv known = missing ? known_pairs(&im->j->store) : NULL;

	for (size_t i = 0; i < missing; i++) {
		auto_free char *pair = xasprintf("%s %s", im->v[i].digest, im->v[i].diff_id);

		im->l[i].stored = true;
		if (strv_has(known, pair))
			im->l[i].step = STEP_SETTLED;
		strv_pushf(&im->stack.roots, "tree/%s/rootfs", im->v[i].tree);
	}
	im->stack.n = missing;
}

/* Under the mutex, which is let go while waiting: 0 the lock is ours. */
static int become_owner(struct import *im)
{
	struct err e = ERR_INIT;
	bool told = false;
	int r = 0;

	if (im->locking || im->stack.roots || im->lock >= 0) {
		while (im->locking && !im->err.code)
			pthread_cond_wait(&im->changed, &im->mutex);
		return im->err.code ? -im->err.code : 0;
	}
	im->locking = true;
	while (r == 0 && !im->err.code) {
		r = lock_chain(im, &e);
		if (r == 0 && interrupted())
			r = interrupt_check(&e);
		if (r != 0)
			break;
		if (!told)
			log_info("another rkt unpacks the same layers, waiting for it");
		told = true;
		pthread_mutex_unlock(&im->mutex);
		(void)nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
		pthread_mutex_lock(&im->mutex);
	}
	if (r > 0)
		note_stored(im);
	im->locking = false;
	if (r < 0)
		fail(im, &e);
	pthread_cond_broadcast(&im->changed);
	return r < 0 ? r : im->err.code ? -im->err.code : 0;
}

/* ---- one layer, by a worker ---- */

static int unpack_layer(struct import *im, size_t i, struct err *e)
{
	const struct image_layer *v = &im->v[i];
	struct layer *l = &im->l[i];
	auto_unpacked u = { .tail = BUF_INIT };
	auto_close int blob = store_blob_fd(&im->j->store, v->digest);

	if (blob < 0)
		return err_sys(e, -blob, "open the blob");
	int r = work_open(im->j, &l->work, e);
	if (r >= 0)
		r = unpack_run(im->j->unpack, "layer", oci_digest_algo(v->diff_id), blob, l->work.fd, &u, e);
	if (r >= 0 && strcmp(u.hex, oci_digest_hex(v->diff_id)) != 0)
		r = err_set(e, ERR_TRUST, EBADMSG, "its content has digest %s:%s, and the config says %s",
			    oci_digest_algo(v->diff_id), u.hex, v->diff_id);
	l->notes = u.tail;
	u.tail = (struct buf)BUF_INIT;
	return r;
}

static int settle(struct import *im, size_t i, struct err *e)
{
	struct layer *l = &im->l[i];
	auto_close int own = openat(l->work.fd, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (own < 0)
		return err_sys(e, errno, "open the tree");
	im->stack.own = own;
	int r = settle_layer(&im->stack, buf_str(&l->notes), l->notes.len, e);
	buf_done(&l->notes);
	l->notes = (struct buf)BUF_INIT;
	strv_pushf(&im->stack.roots, "tmp/%s/rootfs", l->work.name);
	im->stack.n++;
	return r;
}

/* Settle what stands on settled layers; one worker at a time. */
static void settle_some(struct import *im)
{
	if (im->settling)
		return;
	im->settling = true;
	while (!im->err.code && im->stack.n < im->n && im->l[im->stack.n].step == STEP_DONE) {
		size_t i = im->stack.n;
		struct err e = ERR_INIT;

		pthread_mutex_unlock(&im->mutex);
		int r = settle(im, i, &e);
		pthread_mutex_lock(&im->mutex);
		im->l[i].step = STEP_SETTLED;
		if (r < 0) {
			err_ctx(&e, "layer %s", im->v[i].digest);
			fail(im, &e);
		}
	}
	im->settling = false;
	pthread_cond_broadcast(&im->changed);
}

static void *worker(void *arg)
{
	struct import *im = arg;

	pthread_mutex_lock(&im->mutex);
	while (!im->err.code && !all_settled(im)) {
		size_t i = next_ready(im);
		struct err e = ERR_INIT;

		if (i == im->n) {
			/* whoever is at the last ones settles them */
			if (im->closed)
				break;
			pthread_cond_wait(&im->changed, &im->mutex);
			continue;
		}
		if (become_owner(im) < 0)
			break;
		i = next_ready(im);
		if (i == im->n)
			continue;
		im->l[i].step = STEP_TAKEN;
		pthread_mutex_unlock(&im->mutex);
		int r = unpack_layer(im, i, &e);
		pthread_mutex_lock(&im->mutex);
		im->l[i].step = im->l[i].stored ? STEP_SETTLED : STEP_DONE;
		if (im->l[i].stored)
			work_done(&im->l[i].work);
		if (r < 0) {
			err_ctx(&e, "layer %s", im->v[i].digest);
			fail(im, &e);
		}
		settle_some(im);
	}
	pthread_mutex_unlock(&im->mutex);
	return NULL;
}

/* ---- blobs ---- */

static bool have_blob(const struct job *j, const char *digest)
{
	auto_free char *path = store_blob_path(digest);

	return faccessat(j->store.cas_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool sink_have(void *arg, size_t i)
{
	struct import *im = arg;

	if (!have_blob(im->j, im->blobs[i].digest))
		return false;
	pthread_mutex_lock(&im->mutex);
	mark_ready(im, im->blobs[i].digest);
	pthread_mutex_unlock(&im->mutex);
	return true;
}

static int publish_blob(struct job *j, const char *digest, int dirfd, struct err *e)
{
	return store_publish_blob(&j->store, dirfd, "data", oci_digest_algo(digest), oci_digest_hex(digest),
				  e);
}

static int sink_take(void *arg, size_t i, int dirfd, struct err *e)
{
	struct import *im = arg;
	int r = publish_blob(im->j, im->blobs[i].digest, dirfd, e);

	pthread_mutex_lock(&im->mutex);
	if (r == 0)
		mark_ready(im, im->blobs[i].digest);
	/* no use in fetching more */
	if (r == 0 && im->err.code)
		r = err_copy(e, &im->err);
	pthread_mutex_unlock(&im->mutex);
	return r;
}

struct one {
	struct job *j;
	const char *digest;
};

static bool one_have(void *arg, size_t i)
{
	const struct one *o = arg;

	(void)i;
	return have_blob(o->j, o->digest);
}

static int one_take(void *arg, size_t i, int dirfd, struct err *e)
{
	const struct one *o = arg;

	(void)i;
	return publish_blob(o->j, o->digest, dirfd, e);
}

int oci_import_blob(struct job *j, const struct oci_source *from, const char *digest, int64_t size,
		    struct err *e)
{
	struct one o = { j, digest };
	const struct registry_blob blob = { digest, size };
	const struct registry_sink sink = { one_have, one_take, &o };

	return from->blobs(from->arg, &blob, 1, &sink, e);
}

/* ---- all together ---- */

static void start_workers(struct import *im, size_t n)
{
	sigset_t all, old;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (im->nthreads < n && pthread_create(&im->threads[im->nthreads], NULL, worker, im) == 0)
		im->nthreads++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* Fetch in this thread, unpack in others. */
static int run(struct import *im, const struct oci_source *from, struct registry_blob *blobs, size_t nblobs,
	       struct err *e)
{
	const struct registry_sink sink = { sink_have, sink_take, im };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	im->blobs = blobs;
	start_workers(im, cpus < 2 ? 1 : cpus > WORKERS_MAX ? WORKERS_MAX : (size_t)cpus);
	if (!im->nthreads)
		return err_set(e, ERR_SYS, EAGAIN, "start a thread");
	int r = from->blobs(from->arg, blobs, nblobs, &sink, e);
	pthread_mutex_lock(&im->mutex);
	im->closed = true;
	if (r < 0)
		fail(im, e);
	pthread_cond_broadcast(&im->changed);
	pthread_mutex_unlock(&im->mutex);
	for (size_t i = 0; i < im->nthreads; i++)
		pthread_join(im->threads[i], NULL);
	/* the workers' own, if theirs was first */
	return im->err.code ? err_copy(e, &im->err) : 0;
}

static int publish(struct import *im, struct err *e)
{
	int r = 0;
	bool any = false;

	for (size_t i = 0; i < im->n; i++)
		any |= !im->l[i].stored;
	if (any)
		r = store_sync(&im->j->store, e);
	for (size_t i = 0; r >= 0 && i < im->n; i++) {
		if (!im->l[i].stored)
			r = store_publish_tree(&im->j->store, im->l[i].work.name, im->v[i].tree, e);
	}
	return r < 0 ? r : 0;
}

static size_t root_of(const struct import *im)
{
	size_t i = im->n;

	while (i-- > 0) {
		struct err ignored = ERR_INIT;
		auto_close int root = store_tree_open(&im->j->store, im->v[i].tree, &ignored);

		if (root >= 0 && settle_names_root(root))
			return i;
	}
	return 0;
}

/* Each digest once. */
static size_t unique_blobs(const struct import *im, struct registry_blob *blobs)
{
	size_t n = 0;

	for (size_t i = 0; i < im->n; i++) {
		size_t k = 0;

		while (k < n && strcmp(blobs[k].digest, im->v[i].digest) != 0)
			k++;
		if (k == n)
			blobs[n++] = (struct registry_blob){ im->v[i].digest, (int64_t)im->v[i].size };
	}
	return n;
}

/* A directory and a lock for each layer: as many descriptors as we may have. */
static void more_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

int oci_import_layers(struct job *j, const struct oci_source *from, struct image_layer *v, size_t n,
		      size_t *root_layer, struct err *e)
{
	struct import im = { .j = j, .v = v, .n = n, .lock = FD_NONE, .err = ERR_INIT };
	struct registry_blob *blobs = xcalloc(n + 1, sizeof(*blobs));

	more_descriptors();
	im.l = xcalloc(n, sizeof(*im.l));
	for (size_t i = 0; i < n; i++) {
		im.l[i].work = (struct work)WORK_INIT;
		chain(i ? v[i - 1].tree : NULL, v[i].diff_id, v[i].tree);
	}
	im.stack = (struct stack){ .s = &j->store, .own = FD_NONE };
	pthread_mutex_init(&im.mutex, NULL);
	pthread_cond_init(&im.changed, NULL);
	int r = run(&im, from, blobs, unique_blobs(&im, blobs), e);
	if (r == 0)
		r = interrupt_check(e);
	if (r == 0)
		r = publish(&im, e);
	if (r == 0)
		*root_layer = root_of(&im);
	for (size_t i = 0; i < n; i++) {
		work_done(&im.l[i].work);
		buf_done(&im.l[i].notes);
	}
	fd_close(&im.lock);
	strv_free(im.stack.roots);
	pthread_cond_destroy(&im.changed);
	pthread_mutex_destroy(&im.mutex);
	free(im.l);
	free(blobs);
	return r;
}
