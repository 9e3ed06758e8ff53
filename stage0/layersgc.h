/*
 * layersgc — take layers, and other blobs of OCI images, out of the store when nobody needs them any more.
 *
 * They belong to any number of images.  Who imports an image holds the lock of the layers, shared, from before it looks what is there
 * until its document names them, and who packs them as an ACI until that is done; who collects takes it alone, without waiting: if somebody
 * imports or packs, the next pass does it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "stage0/dirs.h"
#include "stage0/store.h"

/* The shared lock of who imports or packs; fd, or -errno. */
int layers_lock(const struct store *s, struct err *e);

/* Is @id that of an OCI image or of a layer? */
bool layers_id(const char *id);

/* Called for each thing removed, @e NULL, or not. */
struct layers_report {
	void (*tree)(void *arg, const char *id, const struct err *e);
	void (*blob)(void *arg, const char *digest, const struct err *e);
};

#define LAYERS_ALL INT64_MAX /* whatever its age */

/*
 * Remove trees of layers that no image and no pod names, and blobs by SHA-256 that no image names; only those of @of, an image without a
 * document by now, unless NULL; and only if they are older than @before (ns since the epoch): somebody may want to go on from them.  @told may be NULL.
 */
int layers_collect(const struct datadir *d, const struct store *s, const struct image_info *of,
		   int64_t before, const struct layers_report *told, void *arg, struct err *e);
