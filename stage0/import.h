/*
 * import — from the bytes of an image to something that can be published (design section 3).
 *
 *     blob ─▶ the pipeline of unpackrun.h ─▶ tree, manifest, SHA-512 of the tar
 *        └──▶ thread: SHA-512 of the blob
 *
 * Both children confine themselves before they look at a byte; the digest is computed outside of
 * them, over everything that the extractor was given.  Memory does not grow with the image.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "schema/ids.h"
#include "stage0/store.h"

struct imported {
	char id[IMAGE_ID_LEN + 1];
	char *digest;             /* "sha512-" + 128 hex of the uncompressed tar */
	char *blob_digest;        /* 128 hex of the bytes as they are */
	uint64_t blob_size, size; /* bytes as they are, of the tar */
	struct buf manifest;      /* validated */
};

void imported_done(struct imported *i);
#define auto_imported __attribute__((cleanup(imported_done))) struct imported

/*
 * Hash and extract @blob_fd (any offset; it is reopened) into the empty directory @dirfd, as "rootfs".
 * @unpack: path of the unpack program.  Errors: -EINVAL hostile or malformed, -E2BIG a budget,
 * -ENOSPC, -EINTR; what is in @dirfd then is the caller's to remove.
 */
int import_run(const char *unpack, int blob_fd, int dirfd, struct imported *ret, struct err *e);

struct import_origin {
	const char *url; /* or NULL */
	const struct verified_by *verified;
	size_t nverified;
};

/*
 * Publish: the file "blob" of the directory @blob_dirfd and the tree in cas/tmp/<tree_tmp>, then the image document
 * and its ref.  When anything fails, what was not there before is taken away again.
 */
int import_publish(const struct store *s, int blob_dirfd, const char *tree_tmp, const struct imported *i,
		   const struct import_origin *o, struct err *e);
