/*
 * entryname — names in archives, made into paths that are safe to use (formats.md sections 2 and 16.1).
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Clean @raw into @out: "./" and doubled or trailing slashes go; "" is the root entry.
 * Errors: -EINVAL empty, absolute, with a ".." component or one over 255 bytes; -E2BIG more than
 * @path_len bytes or @depth components.  Texts do not repeat the name.
 */
int entryname_clean(const char *raw, uint32_t path_len, uint32_t depth, struct buf *out, struct err *e);

/* Append @raw for a message: quoted, escaped, at most some 160 bytes of it. */
void entryname_quote(struct buf *out, const char *raw);
