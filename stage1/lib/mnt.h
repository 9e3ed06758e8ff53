/*
 * mnt — detached mounts by descriptor: fsopen(2), open_tree(2), move_mount(2), mount_setattr(2)
 * (Linux 5.2 and 5.12).
 *
 * Every function returns a CLOEXEC descriptor of a detached mount, or 0, or -errno with @e saying
 * what was tried; nothing is visible anywhere until mnt_attach.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum mnt_flag {
	MNT_RO = 1,
	MNT_NOSUID = 2,
	MNT_NODEV_ = 4,
	MNT_NOEXEC_ = 8,
};

/* One "key=value" (or bare "key") option of a file system. */
struct mnt_opt {
	const char *key;
	const char *value; /* NULL: flag */
};

/* New instance of @fstype; @opts ends with key NULL, may be NULL.  @flags: enum mnt_flag. */
int mnt_new(const char *fstype, const struct mnt_opt *opts, unsigned int flags, struct err *e);
/* The same by mount(2), which mnt_new falls back to without fsopen(2).  Only in a mount namespace of our own. */
int mnt_new_classic(const char *fstype, const struct mnt_opt *opts, unsigned int flags, struct err *e);

/*
 * Overlay of @nlower directories (@lower[0] is the topmost) with @upper and @work, all absolute
 * paths or /proc/self/fd names of our own.  "lowerdir+" (6.5) is tried first, then one joined option.
 */
int mnt_overlay(const char *const *lower, size_t nlower, const char *upper, const char *work,
		unsigned int flags, struct err *e);

/* Detached copy of the mount at (@dirfd, @path), @path "" for the descriptor itself. */
int mnt_clone(int dirfd, const char *path, bool recursive, struct err *e);

/* The program @name that lies beside this one, as a read-only detached mount: whoever sees it through
 * /proc while it runs in a pod cannot open the file for writing (threats.md R4, CVE-2019-5736). */
int mnt_program(const char *name, struct err *e);

/* Set flags on a detached or attached mount; @recursive for the whole tree below it. */
int mnt_set(int fd, unsigned int flags, bool recursive, struct err *e);
/* Set propagation: MS_PRIVATE, MS_SLAVE or MS_SHARED (mount(2)). */
int mnt_propagation(int fd, uint64_t propagation, bool recursive, struct err *e);

/* Attach a detached mount at (@dirfd, @path), @path "" for the descriptor itself; keeps @fd open. */
int mnt_attach(int fd, int dirfd, const char *path, struct err *e);
/* Move what is mounted at @name of the working directory there. */
int mnt_move(const char *name, int dirfd, const char *path, struct err *e);
