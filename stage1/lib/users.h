/*
 * users — user and group fields of an app to numbers, by the image's own files (internals.md 5.7).
 *
 * No NSS: /etc/passwd and /etc/group are read inside the app's root (threats.md R19: regular file,
 * at most 1 MiB, never through a link out of the root, never blocking).
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * "root", a number, "/path" (owner of that file in the root) or a name.  @root_fd: the app's root.
 * -ENOENT `"NAME" user not found`; -EINVAL for numbers out of range.
 */
int users_uid(int root_fd, const char *user, uint32_t *ret, struct err *e);
int users_gid(int root_fd, const char *group, uint32_t *ret, struct err *e);
/* The whole of "etc/passwd" or "etc/group", under the same rules.  -ENOENT without a message. */
int users_read(int root_fd, const char *file, struct buf *out, struct err *e);
