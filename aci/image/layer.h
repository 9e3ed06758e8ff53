/*
 * layer — one layer of an OCI or docker image into a directory (formats.md section 12.4, threats.md R15–R18).
 *
 * The same strict reading as an ACI's (extract.h), but a layer is no whole: it takes away what layers below it have, may put a
 * file into a directory that only they have, and may link to their files.  Layers are extracted side by side, without
 * those below at hand; what depends on these is told in notes, for who stacks them (stage0/stack.h).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "image/extract.h"

#define LAYER_NOTES_MAX (16u << 20) /* bytes */

/* The first byte of a note; its paths, each with a NUL behind it, are relative to the root of the image. */
enum layer_note {
	LAYER_IMPLIED =
		'I', /* PATH: a directory that no entry named; it looks like the one below, if there is one */
	LAYER_REMOVE = 'W', /* PATH: gone from the layers below; what this layer has there stays */
	LAYER_OPAQUE = 'O', /* PATH: a directory that has nothing of those below */
	LAYER_LINK = 'H',   /* PATH TARGET: a hard link to what a layer below has */
	LAYER_ROOT = 'R',   /* PATH, which is empty: no entry named the root */
};

/*
 * Read the tar stream from @in up to EOF into "rootfs" below the empty directory @dirfd.  The last of two entries of one name
 * wins.  Errors as extract_aci.
 */
int extract_layer(int in, int dirfd, const struct extract_limits *l, struct buf *notes,
		  struct extract_result *ret, struct err *e);

/* The note at *at of @n bytes at @notes, and *at behind it; *target "" but for links.  1, 0 at the end, -EINVAL: these are no notes, or
 * not with paths as entryname_clean makes them. */
int layer_note_next(const char *notes, size_t n, size_t *at, enum layer_note *kind, const char **path,
		    const char **target);
