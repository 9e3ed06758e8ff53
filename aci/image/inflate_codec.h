/*
 * inflate_codec — what the decompressors of inflate.c share: buffered input, counted output.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/inflate.h"

enum { INFLATE_BUF = 128 << 10 };

struct inflate {
	int in, out;
	const struct inflate_limits *limits;
	unsigned char *ibuf, *obuf; /* INFLATE_BUF bytes each */
	size_t have;                /* bytes in ibuf that were read but not given to the codec yet */
	bool eof;
	uint64_t in_total, out_total;
};

/* Fill ibuf anew: bytes read, 0 at EOF, or -errno.  The first call gives what sniffing read. */
ssize_t inflate_fill(struct inflate *x, struct err *e);
/* Write obuf[0..n), after the limits have been checked. */
int inflate_emit(struct inflate *x, size_t n, struct err *e);
/* The three ways that compressed data is wrong; -EINVAL. */
int inflate_damaged(struct err *e, const char *codec, const char *detail);
int inflate_truncated(struct err *e, const char *codec);
int inflate_garbage(struct err *e, const char *codec);

/* Decompress everything up to EOF. */
int inflate_gzip(struct inflate *x, struct err *e);
int inflate_bzip2(struct inflate *x, struct err *e);
int inflate_xz(struct inflate *x, struct err *e);
int inflate_zstd(struct inflate *x, struct err *e);
