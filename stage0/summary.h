/*
 * summary — what `rkt list` shows of the apps of a pod, in one link that costs one call to read.
 *
 * The target of the link is "1", and for each app " NAME TITLE ID": the image's name[:version], and the first 12
 * digits of its id.  It is a copy of what the pod manifest says; a pod without one, or with one that does
 * not look like that, has its manifest read.
 */
#pragma once

#include "stage0/status.h"

/* Write it into a pod that is being prepared and whose apps will not change.  What does not fit into a
 * summary (no image name in the manifest, odd letters, many apps) is left to the manifest. */
int summary_write(const struct pod *p, const struct pod_manifest *m, struct err *e);

/* What the image of an app is called, NAME[:VERSION], as the pod manifest has it; heap, or NULL if it has not. */
char *summary_title(const struct runtime_app *a);

/* Name, image_title and image_id (short) of each app into a heap array that pod_snapshot_done frees.  0, or
 * -errno and nothing: read the manifest. */
int summary_read(const struct pod *p, struct app_snapshot **ret, size_t *ret_n);
