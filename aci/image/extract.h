/*
 * extract — one ACI's tar stream into a directory (formats.md sections 2, 16, 17; threats.md R15–R18).
 *
 * The result has manifest bytes in @manifest and the tree at "rootfs" below @dirfd, reduced to the
 * image's own pathWhitelist.  Nothing is ever created through a link; budgets stop bombs; every
 * refusal names the entry and the rule.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct extract_limits {
	uint64_t bytes; /* file data, sum */
	uint64_t entries;
	uint32_t depth;       /* path components */
	uint32_t path_len;    /* bytes */
	uint64_t xattr_bytes; /* sum over one entry */
};

/* Defaults that real images never meet; no ACI is written that does not keep to them. */
#define EXTRACT_BYTES   (32ull << 30)
#define EXTRACT_ENTRIES 1000000u
#define EXTRACT_DEPTH   1024u
#define EXTRACT_PATH    4095u
extern const struct extract_limits extract_limits_default;

struct extract_result {
	uint64_t entries, bytes;
	uint64_t xattrs_skipped; /* extended attributes that the file system of the target cannot hold */
};

/*
 * Read the tar stream from @in up to EOF (also past the end-of-archive marker, so that whoever
 * feeds us can hash all of it).  @dirfd: existing empty directory.
 * Errors: -EINVAL hostile or malformed, -E2BIG a budget (the message names it), else errno.
 */
int extract_aci(int in, int dirfd, const struct extract_limits *l, struct buf *manifest,
		struct extract_result *ret, struct err *e);
