/*
 * blobs — downloaded images that no image document names.
 */
#pragma once

#include "base/err.h"
#include "stage0/store.h"

/*
 * Delete blobs that no document names and that nobody is publishing: what is left by an import that died between
 * blob and document, or when an image came once more in another compression.  @removed is told the digest
 * of each, with an error if it could not be deleted.  -errno, and nothing deleted, when a document cannot be read.
 */
int blobs_collect(const struct store *s, void (*removed)(void *arg, const char *digest, const struct err *e),
		  void *arg, struct err *e);
