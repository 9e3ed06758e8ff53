/*
 * lock — flock(2) on open files and directories.
 *
 * The lock belongs to the open file description: it survives rename, fork and exec and ends when
 * the last duplicate of the descriptor is closed.
 */
#pragma once

enum lock_mode { LOCK_SHARED, LOCK_EXCL };

/* Take the lock; @wait false: -EWOULDBLOCK when somebody holds it.  0 or -errno. */
int lock_fd(int fd, enum lock_mode mode, int wait);
/* Is an exclusive lock held by somebody else?  1, 0 or -errno; leaves no lock behind.  @fd must not
 * hold a lock itself (it would lose it), and takes a shared lock for an instant: a try-lock of
 * somebody else can fail because of it, so those who must have a lock wait. */
int lock_probe(int fd);
/* Drop. */
int unlock_fd(int fd);

/* Open or create the lock file @name (0600) below @dirfd and lock it.  The file may be deleted by
 * others while we wait, so device and inode are compared afterwards and the call starts over.
 * Returns the locked fd or -errno. */
int lock_file_at(int dirfd, const char *name, enum lock_mode mode, int wait);
