/*
 * mounts — the mount points of this mount namespace below a directory.
 */
#pragma once

/* Paths strictly below @dir, in the order in which they were mounted (outer before inner); strv for
 * the caller to free.  0 or -errno.  Source: proc_pid_mountinfo(5). */
int mounts_below(const char *dir, char ***ret);
