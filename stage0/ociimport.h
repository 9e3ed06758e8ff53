/*
 * ociimport — the layers of an OCI image: blobs into the store, each unpacked while others still come.
 *
 *     source ─▶ blob in the store ─▶ (two threads) unpackrun.h ─▶ settle.h, lowest first ─▶ trees in the store
 *
 * A blob is parsed only after its digest is known to be right; a tree is published only if the digest of what was unpacked is the one
 * that the config names.  What is in the store already is neither fetched nor unpacked.
 */
#pragma once

#include "stage0/fetchjob.h"
#include "stage0/registry.h"

/* Where blobs come from: registry_blobs, or the same of a layout on disk. */
struct oci_source {
	int (*blobs)(void *arg, const struct registry_blob *v, size_t n, const struct registry_sink *sink,
		     struct err *e);
	void *arg;
};

/*
 * Get the layers @v, in whose entries digest, size and diff_id are set, and set their trees; *root_layer is the one whose root directory is
 * the image's.  The caller holds layers_lock.  Errors tell the layer by its digest.
 */
int oci_import_layers(struct job *j, const struct oci_source *from, struct image_layer *v, size_t n,
		      size_t *root_layer, struct err *e);

/* Get the one blob @digest; it is in the store then. */
int oci_import_blob(struct job *j, const struct oci_source *from, const char *digest, int64_t size,
		    struct err *e);
