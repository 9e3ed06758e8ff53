/*
 * volumes — which volume is mounted where in an app, opened as detached mounts while we still see
 * the host (internals.md section 5.4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stage1/lib/podctx.h"

struct vol_device {
	char type; /* 'c', 'b'; 0: no device */
	unsigned int major, minor;
	unsigned int access; /* enum device_access */
};

struct vol_mount {
	char *name;   /* for messages; NULL: a file of ours */
	char *target; /* cleaned absolute path in the app */
	int fd;       /* detached mount */
	bool read_only, recursive, is_dir;
	bool copy_up;             /* fresh, for a docker image: it gets what the image has at its target */
	bool yields;              /* a file: not mounted over one of the app's that says anything */
	struct vol_device device; /* what was mounted is a device node */
};

struct vol_mounts {
	struct vol_mount *v;
	size_t n;
};

/*
 * Resolve mounts and image mount points of @a, sorted so that parents come first.  Host sources are
 * opened once and cloned by descriptor; empty volumes are made in sharedVolumes/.  @flags: enum
 * flavor_flag.  Errors name volume and path; nothing is mounted anywhere yet.
 */
int volumes_resolve(const struct podctx *c, const struct pod_app *a, unsigned int flags,
		    struct vol_mounts *ret, struct err *e);
void vol_mounts_done(struct vol_mounts *l);

/* Append a mount; @m is taken.  The list is sorted again by volumes_resolve. */
void vol_mounts_push(struct vol_mounts *l, const struct vol_mount *m);

/* Attach them below @root_fd; missing targets are created (0755 root:root, files empty). */
int volumes_attach(const struct vol_mounts *l, int root_fd, struct err *e);
