/*
 * imageuse — do pods still need the extracted files of an image?
 */
#pragma once

#include "base/err.h"
#include "stage0/dirs.h"

/* Does any pod that is not garbage name @image_id as a tree of an app or of its stage1?  1, 0 or -errno. */
int image_in_use(const struct datadir *d, const char *image_id, struct err *e);
