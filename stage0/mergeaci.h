/*
 * mergeaci — an OCI image of the store as an ACI: what its layers show together, and the manifest that rkt sees.
 *
 * Nothing is mounted: the layers are walked side by side (image/merge.h).
 */
#pragma once

#include "stage0/fetchjob.h"

/*
 * To the empty regular file @out, compressed by gzip, or not at all if a reader would take it for a bomb then; the same bytes every time.
 * -EPERM: only root of the machine sees what the layers hide.
 */
int merge_aci(struct job *j, const struct image_info *i, int out, struct err *e);
