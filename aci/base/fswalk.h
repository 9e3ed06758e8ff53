/*
 * fswalk — visit a directory tree of any depth with a bounded number of descriptors.
 *
 * Directories nearer than FSWALK_OPEN levels to the top stay open; deeper ones are closed while the
 * walk is below them and opened again through "..", after which device and inode must be what they
 * were.  Symlinks are never followed; a mount point is never entered (by mount id, Linux 5.8, else
 * by device).  A second tree, the twin, can be walked in step (a copy being made).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define FSWALK_OPEN    16
#define FSWALK_DESCEND 1 /* entry(): it is a directory, go into it */
#define FSWALK_AGAIN   1 /* leave(): list the directory once more */

/* Where the walk stands; both descriptors belong to the walk. */
struct fswalk_at {
	int fd;           /* directory, open for reading */
	int twin;         /* the same place in the other tree, or FD_NONE */
	const char *path; /* of the directory relative to the top, "" at the top; borrowed */
};

struct fswalk_ops {
	/* @name in @at: 0 done, FSWALK_DESCEND, or -errno with @e set.  @type is d_type, may be DT_UNKNOWN. */
	int (*entry)(void *ctx, const struct fswalk_at *at, const char *name, unsigned char type,
		     struct err *e);
	/* Before going into @name: give the twin directory, owned by the walk after, or -errno with @e
	 * set.  NULL: there is no twin. */
	int (*enter)(void *ctx, const struct fswalk_at *at, const char *name, struct err *e);
	/* All of @inner, which is @name in @outer, was visited: 0, FSWALK_AGAIN or -errno with @e set.
	 * May be NULL.  Not called for the top. */
	int (*leave)(void *ctx, const struct fswalk_at *outer, const char *name,
		     const struct fswalk_at *inner, struct err *e);
	bool skip_mounts;   /* pass over mount points; otherwise they are -EBUSY */
	bool skip_vanished; /* a directory that is gone when it is entered is no error */
};

/* The directory that holds the last component of @path, and that component in *@ret_name (heap): what
 * a walk of one name starts with.  O_PATH fd or -errno. */
int fswalk_parent(int dirfd, const char *path, char **ret_name);

/* Walk the directory @fd (borrowed) with twin @twin (borrowed, or FD_NONE); of the top only @only is
 * visited, everything if NULL.  0 or -errno. */
int fswalk(int fd, int twin, const char *only, const struct fswalk_ops *ops, void *ctx, struct err *e);

/* Set of (device, inode) pairs with a text each (owned); zero-initialisable. */
struct inode_set {
	struct inode_item *items;
	size_t used, cap;
};

/* Remember the inode: true if it was there already, then *@ret_text is its text; otherwise a copy
 * of @text (NULL allowed) is kept.  @ret_text may be NULL. */
bool inode_set_add(struct inode_set *s, dev_t dev, ino_t ino, const char *text, const char **ret_text);
void inode_set_done(struct inode_set *s);
