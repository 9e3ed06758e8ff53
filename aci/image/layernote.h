/*
 * layernote — what a layer says about the layers below it (layer.h writes it, stage0/settle.h acts on it).
 */
#pragma once

#include <stddef.h>

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

/* The note at *at of @n bytes at @notes, and *at behind it; *target "" but for links.  1, 0 at the end, -EINVAL: these are no notes, or
 * not with paths as entryname_clean makes them. */
int layer_note_next(const char *notes, size_t n, size_t *at, enum layer_note *kind, const char **path,
		    const char **target);
