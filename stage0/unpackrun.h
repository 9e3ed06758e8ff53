/*
 * unpackrun — the pipeline that takes an archive apart in two confined children (stage0/UNPACK.md).
 *
 *     blob ─▶ unpack inflate ─pipe─▶ here: the digest ─pipe─▶ unpack MODE ─▶ files, and what is to be said of them
 *
 * Both children confine themselves before they look at a byte; the digest is computed outside of them, over everything
 * that the extractor was given.  Memory does not grow with the archive.  Several threads may run one each.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

struct unpacked {
	uint64_t size;          /* bytes of the uncompressed tar */
	char hex[HASH_HEX_MAX]; /* their digest */
	struct buf tail;        /* what MODE says behind its verdict: a manifest, notes */
};
void unpacked_done(struct unpacked *u);
#define auto_unpacked __attribute__((cleanup(unpacked_done))) struct unpacked

/*
 * Run @blob_fd (any offset; it is reopened) through @mode ("extract", "layer", …) of the program @unpack into the empty directory
 * @dirfd; @algo as for hash_new.  Errors: -EINVAL hostile or malformed, -E2BIG a budget, -ENOSPC, -EINTR; what is in @dirfd then is the
 * caller's to remove.
 */
int unpack_run(const char *unpack, const char *mode, const char *algo, int blob_fd, int dirfd,
	       struct unpacked *ret, struct err *e);
