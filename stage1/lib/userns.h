/*
 * userns — --private-users: the pod in a user namespace of its own, its file systems shifted by idmapped mounts (Linux 5.12,
 * below an overlay 5.19), no file changed.
 *
 * What is on disk under id N is, for the pod, N; for the host the pod's N is SHIFT + N.  Mounts are shifted by the supervisor, which alone may,
 * before the pod's own namespace exists: one more user namespace with the same map, held by a descriptor, serves for that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct sandbox;
struct app_build;

struct userns {
	bool on;
	uint32_t shift, count;
	int map_fd;  /* a user namespace with the pod's map, or FD_NONE */
	int leaf_fd; /* init's control group (version 2), or FD_NONE */
};
#define USERNS_INIT                                                                                          \
	{                                                                                                    \
		.map_fd = -EBADF, .leaf_fd = -EBADF                                                          \
	}

/* For messages about an id that the pod's namespace has not; followed by ->count. */
#define USERNS_BEYOND "with --private-users a pod has the ids below %u"

/* "SHIFT:COUNT", decimal; anything else is -EINVAL.  NULL or "": off. */
int userns_parse(const char *text, struct userns *ret, struct err *e);
/* What does not go together with it: -ENOTSUP with the option's name. */
int userns_check(const struct sandbox *s, struct err *e);
/* Make ->map_fd. */
int userns_open(struct userns *u, struct err *e);
/* Give @pid, a fresh child in a user namespace, its map. */
int userns_map(const struct userns *u, pid_t pid, struct err *e);
/* Shift a detached mount.  -EINVAL, with a hint: the file system cannot. */
int userns_shift(const struct userns *u, int mount_fd, bool recursive, struct err *e);
/* The root file system of @a as a detached mount, shifted: overlay of its shifted layers, or its copy. */
int userns_root(struct sandbox *s, struct app_build *a, struct err *e);
/*
 * The pod's directories in its control groups, which init in its namespace could not make: owned by the pod's root.  Before the
 * clone: in version 2 init is born in a leaf of its own, since who moves a process must own the group above
 * both its places.
 */
int userns_cgroups(struct sandbox *s, struct err *e);
/* The same for an init that was not born there (no clone3); the kernel takes milliseconds for it. */
int userns_move(const struct userns *u, pid_t pid, struct err *e);
