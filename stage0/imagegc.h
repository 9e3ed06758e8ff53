/*
 * imagegc — take images out of the store, and what nobody needs any more with them (cli.md section 9.14).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "stage0/dirs.h"
#include "stage0/store.h"

/* IMAGE_GC_TREE and IMAGE_GC_BLOB: files without an image; IMAGE_GC_FAILED: with the reason. */
enum image_gc_event { IMAGE_GC_IMAGE, IMAGE_GC_TREE, IMAGE_GC_BLOB, IMAGE_GC_FAILED };

struct image_gc_options {
	int64_t grace_ns; /* images unused for as long go */
	/* Called for each thing done; @what is an image id or the digest of a blob, @e only for IMAGE_GC_FAILED. */
	void (*report)(void *arg, enum image_gc_event ev, const char *what, const struct err *e);
	void *arg;
};

/* Remove image @id, waiting for whoever works on it.  Its tree stays while pods stand on it.  -ENOENT. */
int image_remove(const struct datadir *d, const struct store *s, const char *id, struct err *e);

/*
 * One pass: images that nobody used for the grace period, but for those of pods that run or may yet run; trees
 * of removed images that no pod stands on any more; blobs that no image names; unfinished work of dead processes
 * (interrupted transfers: after the grace period).  What somebody works on is skipped, never waited for.  Killed
 * at any moment, it leaves what the next pass removes.  -errno when nothing could be looked at.
 */
int image_gc(const struct datadir *d, const struct store *s, const struct image_gc_options *o, struct err *e);
