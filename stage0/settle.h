/*
 * settle — make an extracted layer fit for an overlay above the layers below it (formats.md section 12.4).
 *
 * Extraction knows one layer only and leaves notes (image/layernote.h): what the layer takes away, directories it did not name, links to files
 * of others.  Here they become overlayfs's whiteouts and opaque directories, the attributes that the directories have below, and copies
 * of the files beside their links.
 */
#pragma once

#include "base/err.h"
#include "stage0/stack.h"

/* Settle k->own by @notes.  -EINVAL (ERR_INPUT): a link to what nobody has, directories that cannot be where a link is below. */
int settle_layer(const struct stack *k, const char *notes, size_t len, struct err *e);

/* Did an entry of the layer with root @root name the root itself? */
bool settle_names_root(int root);
