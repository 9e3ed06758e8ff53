/*
 * merge — what trees show when they lie on each other, as overlayfs reads them, without mounting them.
 *
 * Whiteouts are character devices 0:0; a directory with the attribute trusted.overlay.opaque hides those below.  The walk is sorted, parents first,
 * and the same every time.  Every path is walked without following a link; memory is what the names of the directories from the top
 * to the present one take, and of descriptors there are never more than some dozens, however many trees there are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

#define MERGE_OPAQUE "trusted.overlay.opaque"

struct merge {
	int dirfd;
	const char *const *roots; /* their roots, relative to dirfd, lowest first */
	size_t n;
	size_t top;  /* the one whose root directory is that of the whole */
	bool layers; /* whiteouts and opaque directories count; otherwise they are files as others */
};

/* One of the files that show; borrowed for the call. */
struct merge_entry {
	const char *path; /* relative, "" the root */
	int dir;          /* the directory that holds it, open for reading, and what it is called there */
	const char *name;
	struct stat st;
};

/* Does it say that what lies below of its name is gone? */
bool merge_whiteout(const struct stat *st);
/* Does the directory hide what lies below it? */
bool merge_opaque(int dir);

/*
 * Call @see for everything that shows; it ends the walk by -errno with @e set.
 * -EPERM: attributes of layers that only root of the machine may see, without which nobody knows what is hidden.
 */
int merge_walk(const struct merge *m, int (*see)(void *arg, const struct merge_entry *x, struct err *e),
	       void *arg, struct err *e);
