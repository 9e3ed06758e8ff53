/*
 * inflate_xz — xz by liblzma: every stream and the padding between them, within a memory limit.
 */
#include <errno.h>
#include <lzma.h>

#include "image/inflate_codec.h"

static const uint64_t memory_max = 256 << 20;

static int failed(lzma_ret lr, struct err *e)
{
	if (lr == LZMA_MEMLIMIT_ERROR)
		return err_set(e, ERR_INPUT, E2BIG, "xz data needs more memory than the limit of %llu MiB",
			       (unsigned long long)(memory_max >> 20));
	if (lr == LZMA_MEM_ERROR)
		return err_set(e, ERR_SYS, ENOMEM, "decompress xz data");
	if (lr == LZMA_BUF_ERROR)
		return inflate_truncated(e, "xz");
	if (lr == LZMA_FORMAT_ERROR)
		return inflate_garbage(e, "xz");
	if (lr == LZMA_UNSUPPORTED_CHECK || lr == LZMA_OPTIONS_ERROR)
		return inflate_damaged(e, "xz", "unsupported check or filter");
	return inflate_damaged(e, "xz", "checksum or structure is wrong");
}

int inflate_xz(struct inflate *x, struct err *e)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_action action = LZMA_RUN;
	lzma_ret lr = lzma_stream_decoder(&z, memory_max, LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK);
	int r = lr == LZMA_OK ? 0 : failed(lr, e);

	while (r == 0 && lr != LZMA_STREAM_END) {
		if (z.avail_in == 0 && action == LZMA_RUN) {
			ssize_t n = inflate_fill(x, e);
			if (n < 0) {
				r = (int)n;
				break;
			}
			z.next_in = x->ibuf;
			z.avail_in = (size_t)n;
			if (n == 0)
				action = LZMA_FINISH;
		}
		z.next_out = x->obuf;
		z.avail_out = INFLATE_BUF;
		lr = lzma_code(&z, action);
		r = lr == LZMA_OK || lr == LZMA_STREAM_END ? inflate_emit(x, INFLATE_BUF - z.avail_out, e)
							   : failed(lr, e);
	}
	lzma_end(&z);
	return r;
}
