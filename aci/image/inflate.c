/*
 * inflate — compressed image bytes to the tar stream, by magic number.
 */
#include "image/inflate.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "image/inflate_codec.h"

enum { SNIFF = 512 };

const struct inflate_limits inflate_limits_default = {
	.out_max = 40ull << 30,
	.ratio_max = INFLATE_RATIO,
};

ssize_t inflate_fill(struct inflate *x, struct err *e)
{
	ssize_t n = (ssize_t)x->have;

	x->have = 0;
	if (n > 0 || x->eof)
		return n;
	do
		n = read(x->in, x->ibuf, INFLATE_BUF);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "read the image");
	x->eof = n == 0;
	x->in_total += (uint64_t)n;
	return n;
}

int inflate_emit(struct inflate *x, size_t n, struct err *e)
{
	const struct inflate_limits *l = x->limits;
	int r;

	x->out_total += n;
	if (l->out_max && x->out_total > l->out_max)
		return err_set(e, ERR_INPUT, E2BIG,
			       "image holds more than the limit of %llu bytes when decompressed",
			       (unsigned long long)l->out_max);
	if (l->ratio_max && x->out_total > INFLATE_RATIO_FLOOR && x->out_total / l->ratio_max > x->in_total)
		return err_set(e, ERR_INPUT, E2BIG,
			       "image decompresses to more than the limit of %u times its size",
			       l->ratio_max);
	r = write_full(x->out, x->obuf, n);
	return r < 0 ? err_sys(e, -r, "pass on decompressed data") : 0;
}

int inflate_damaged(struct err *e, const char *codec, const char *detail)
{
	return err_set(e, ERR_INPUT, EINVAL, "damaged %s data: %s", codec, detail);
}

int inflate_truncated(struct err *e, const char *codec)
{
	return err_set(e, ERR_INPUT, EINVAL, "truncated %s data", codec);
}

int inflate_garbage(struct err *e, const char *codec)
{
	return err_set(e, ERR_INPUT, EINVAL, "trailing garbage after the %s data", codec);
}

static int copy_plain(struct inflate *x, struct err *e)
{
	/* What is read is what is written. */
	unsigned char *obuf = x->obuf;
	ssize_t n;
	int r = 0;

	x->obuf = x->ibuf;
	while (r == 0 && (n = inflate_fill(x, e)) != 0)
		r = n < 0 ? (int)n : inflate_emit(x, (size_t)n, e);
	x->obuf = obuf;
	return r;
}

static int (*const codecs[])(struct inflate *x, struct err *e) = {
	[COMP_PLAIN] = copy_plain, [COMP_GZIP] = inflate_gzip, [COMP_BZIP2] = inflate_bzip2,
	[COMP_XZ] = inflate_xz,    [COMP_ZSTD] = inflate_zstd,
};

int inflate_stream(int in, int out, const struct inflate_limits *l, uint64_t *ret_bytes, struct err *e)
{
	auto_free unsigned char *ibuf = xmalloc(INFLATE_BUF), *obuf = xmalloc(INFLATE_BUF);
	struct inflate x = { .in = in, .out = out, .limits = l, .ibuf = ibuf, .obuf = obuf };
	ssize_t n = read_full(in, ibuf, SNIFF);
	enum compression c;
	int r;

	if (n < 0)
		return err_sys(e, (int)-n, "read the image");
	r = compression_sniff(ibuf, (size_t)n, &c, e);
	if (r < 0)
		return r;
	x.have = (size_t)n;
	x.in_total = (uint64_t)n;
	r = codecs[c](&x, e);
	if (r == 0 && ret_bytes)
		*ret_bytes = x.out_total;
	return r;
}
