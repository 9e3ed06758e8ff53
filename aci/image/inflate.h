/*
 * inflate — compressed image bytes to the tar stream, by magic number (formats.md section 2).
 *
 * gzip (all members), bzip2, xz (all streams, 256 MiB of memory at most), zstd (all frames, skippable
 * frames ignored, window at most 128 MiB) and plain tar.  Truncation, bad checksums and trailing
 * garbage are errors.  Runs in a sandboxed child (image/sandbox.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum compression { COMP_PLAIN, COMP_GZIP, COMP_BZIP2, COMP_XZ, COMP_ZSTD };

struct inflate_limits {
	uint64_t out_max;   /* bytes, 0 = none */
	uint32_t ratio_max; /* output per input byte once out > INFLATE_RATIO_FLOOR, 0 = none */
};

/* Defaults that real images never meet. */
#define INFLATE_RATIO       256u
#define INFLATE_RATIO_FLOOR (64ull << 20)
extern const struct inflate_limits inflate_limits_default;

/* Decide from the first @n bytes (512 suffice); -EINVAL "unknown image filetype". */
int compression_sniff(const unsigned char *head, size_t n, enum compression *ret, struct err *e);

/* Decompress @in to @out until EOF; @ret_bytes (may be NULL) is what came out.
 * Errors: -EPIPE the reader of @out is gone; -EINVAL malformed; -E2BIG a limit. */
int inflate_stream(int in, int out, const struct inflate_limits *l, uint64_t *ret_bytes, struct err *e);
