/*
 * fsat — file system work relative to directory descriptors.
 *
 * Whatever somebody else made (image trees, pod roots, volumes) is reached only through
 * open_in_root / open_beneath: openat2(2) with RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS (Linux 5.6),
 * and a component-by-component walk where the kernel lacks it.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Open @path with @rootfd as "/": absolute paths, symlinks and ".." stay inside; magic links are
 * refused.  O_CLOEXEC is added.  fd or -errno (-ELOOP, -ENOENT, -EXDEV …). */
int open_in_root(int rootfd, const char *path, int flags, mode_t mode);
/* Like open_in_root but every symlink is an error (-ELOOP) and so is leaving @dirfd (-EXDEV). */
int open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/* mkdir -p below a root made by others: existing symlinks are resolved inside the root; the new
 * components get @mode and belong to root.  Returns an O_PATH fd of the last one, or -errno. */
int mkdir_in_root(int rootfd, const char *path, mode_t mode);

/* mkdir -p relative to our own directory @dirfd; 0 or -errno. */
int mkdir_p_at(int dirfd, const char *path, mode_t mode);

enum { FS_SYNC = 1 }; /* fsync the file and its directory */

/* Replace @name atomically (temporary file ".tmp-*" beside it + rename) with @len bytes, permission
 * exactly @mode as long as the umask is at most 022, which our programs see to.  0 or -errno.  A crash can
 * leave the temporary file, never half of @name. */
int write_file_at(int dirfd, const char *name, const void *data, size_t len, mode_t mode, unsigned int flags);
/* Append the contents of a regular file to @out; -EFBIG above @max, -EINVAL if not regular.  Opens
 * with O_NOFOLLOW|O_NONBLOCK so that links and FIFOs cannot hurt. */
int read_file_at(int dirfd, const char *name, size_t max, struct buf *out);

/* The same for a file that one of our own programs wrote where nobody else can: what it is need not be asked. */
int read_own_file_at(int dirfd, const char *name, size_t max, struct buf *out);

/*
 * A record: a short text without NUL that is there as a whole or not at all.  It is the target of a symbolic link that leads
 * nowhere, which one call makes and one reads; a text that no link can hold becomes a file.  record_write replaces an
 * earlier one atomically.  record_read also takes a file of the name, as others write it (read_file_at).  0 or -errno.
 */
int record_write_at(int dirfd, const char *name, const char *text);
int record_read_at(int dirfd, const char *name, size_t max, struct buf *out);

/* Delete @name and everything below it, never following links and never crossing into a mount
 * (-EBUSY then).  Missing is success; "." and ".." are -EINVAL.  Uses a bounded number of descriptors at any depth. */
int rm_tree_at(int dirfd, const char *name, struct err *e);

/* Copy the tree below @srcfd into the existing directory @dstfd: types, modes, owners, times,
 * hard links and xattrs; file data by reflink (FICLONE), then copy_file_range, then read/write. */
int copy_tree_at(int srcfd, int dstfd, struct err *e);

/* One object that is no directory (-EISDIR), as copy_tree_at copies it, to a name that is free (-EEXIST).  0 or -errno. */
int copy_entry_at(int srcfd, const char *name, int dstfd, const char *as);
/* Owner, mode, times and xattrs of what is open as @srcfd to what is open as @dstfd.  0 or -errno. */
int copy_attributes(int srcfd, int dstfd);

/* Names of the regular files of @dir that @want takes, appended to *ret (strv) and sorted, so that what comes of them does not depend on
 * the file system.  Links are no regular files.  0 or -errno. */
int files_in(DIR *dir, bool (*want)(const char *name), char ***ret);

/* Bytes used by the tree (st_blocks * 512, hard links once). */
int tree_size_at(int dirfd, const char *name, uint64_t *ret_bytes);

/* fsync a directory by descriptor; 0 or -errno. */
int fsync_dir(int dirfd);
