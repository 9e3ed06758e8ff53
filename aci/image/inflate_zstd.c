/*
 * inflate_zstd — zstd: every frame, within a window of 128 MiB, without dictionaries.
 */
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "image/inflate_codec.h"

enum { WINDOW_LOG_MAX = 27 };

static int failed(size_t zr, bool first, struct err *e)
{
	ZSTD_ErrorCode code = ZSTD_getErrorCode(zr);

	if (code == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(e, ERR_INPUT, E2BIG,
			       "zstd data needs a window larger than the limit of 128 MiB");
	if (code == ZSTD_error_memory_allocation)
		return err_set(e, ERR_SYS, ENOMEM, "decompress zstd data");
	if (code == ZSTD_error_prefix_unknown && !first)
		return inflate_garbage(e, "zstd");
	return inflate_damaged(e, "zstd", ZSTD_getErrorName(zr));
}

/* Everything that the input at hand yields; *left is 0 at the end of a frame. */
static int pump(struct inflate *x, ZSTD_DCtx *z, size_t n, size_t *left, bool *first, struct err *e)
{
	ZSTD_inBuffer in = { x->ibuf, n, 0 };
	ZSTD_outBuffer out;

	do {
		int r;

		out = (ZSTD_outBuffer){ x->obuf, INFLATE_BUF, 0 };
		*left = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(*left))
			return failed(*left, *first, e);
		if (*left == 0)
			*first = false;
		r = inflate_emit(x, out.pos, e);
		if (r < 0)
			return r;
	} while (in.pos < in.size || (*left && out.pos == out.size));
	return 0;
}

int inflate_zstd(struct inflate *x, struct err *e)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	size_t left = 1;
	bool first = true;
	ssize_t n;
	int r = 0;

	if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		r = err_set(e, ERR_SYS, ENOMEM, "start the zstd decompressor");
	while (r == 0 && (n = inflate_fill(x, e)) != 0)
		r = n < 0 ? (int)n : pump(x, z, (size_t)n, &left, &first, e);
	if (r == 0 && left != 0)
		r = inflate_truncated(e, "zstd");
	(void)ZSTD_freeDCtx(z);
	return r;
}
