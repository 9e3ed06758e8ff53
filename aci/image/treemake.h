/*
 * treemake — create a file tree below a directory fd from entries in any order (threats.md R15).
 *
 * Every object is created through the descriptor of its parent, which is opened component by
 * component without following a link; nothing is replaced unless the caller wants the last of two entries of one
 * name to win.  The tree must have been empty, so the tree itself is the memory of what was created: a path that
 * exists is a duplicate, a hard link's target must exist, and a directory that an entry named is told from one that
 * was only implied by its mode until tree_finish() (0700 and 0755).  Final modes and times of directories are
 * spooled to an unlinked file in the tree: memory does not grow with the number of entries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"

struct tree_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/* What an entry carries besides its content; the caller has checked ids and times. */
struct tree_meta {
	mode_t mode; /* permission bits, 07777 */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	const struct tree_xattr *xattrs; /* already filtered */
	size_t nxattrs;
};

struct tree {
	int root;               /* borrowed */
	int spool;              /* directories waiting for tree_finish */
	struct buf pending;     /* spool records not written yet */
	off_t spooled;          /* bytes in the file */
	int parent;             /* the directory last worked in … */
	struct buf parent_path; /* … and its path */
	int parent_valid;
	uint64_t xattrs_skipped; /* the file system cannot hold them */
	bool replace;        /* the caller's: the last of two entries of one name wins; a directory stays */
	struct buf *implied; /* the caller's, or NULL: gets the path of each implied directory, and NUL */
};

#define TREE_INIT                                                                                            \
	{                                                                                                    \
		.root = FD_NONE, .spool = FD_NONE, .parent = FD_NONE                                         \
	}

/* Begin below the empty directory @dirfd, which is borrowed; *t is TREE_INIT and what the caller set. */
int tree_init(struct tree *t, int dirfd, struct err *e);
void tree_done(struct tree *t);

/*
 * Each takes a cleaned relative path ("rootfs/etc/passwd").  Missing parents are made as directories
 * 0755 0:0.  Errors: -EEXIST named twice; -ELOOP a parent is a symlink; -ENOTDIR a parent is a file;
 * else errno.  Texts do not name the entry; the caller does.
 */
int tree_dir(struct tree *t, const char *path, const struct tree_meta *m, struct err *e);
int tree_symlink(struct tree *t, const char *path, const char *target, const struct tree_meta *m,
		 struct err *e);
/* @type S_IFCHR, S_IFBLK or S_IFIFO; only the rwx bits of the mode are kept. */
int tree_node(struct tree *t, const char *path, mode_t type, dev_t rdev, const struct tree_meta *m,
	      struct err *e);
/* -ENOENT @target was not extracted before; -EISDIR it is a directory. */
int tree_hardlink(struct tree *t, const char *path, const char *target, struct err *e);
/* New empty regular file open for writing, or -errno; give it to tree_file_end() when filled. */
int tree_file(struct tree *t, const char *path, struct err *e);
int tree_file_end(struct tree *t, int fd, const struct tree_meta *m, struct err *e);

/* Is there a directory @path that no entry named?  Before tree_finish(). */
bool tree_is_implied(const struct tree *t, const char *path);

/* Apply the modes and times of all directories, children before parents. */
int tree_finish(struct tree *t, struct err *e);
