/*
 * inflate_bzip2 — bzip2 by libbz2: every stream, as parallel compressors write many.
 */
#include <bzlib.h>
#include <errno.h>

#include "image/inflate_codec.h"

static int start(bz_stream *z, struct err *e)
{
	*z = (bz_stream){ .next_in = z->next_in, .avail_in = z->avail_in };
	if (BZ2_bzDecompressInit(z, 0, 0) != BZ_OK)
		return err_set(e, ERR_SYS, ENOMEM, "start the bzip2 decompressor");
	return 0;
}

/* Everything that the input at hand yields.  *open: a stream is under way. */
static int pump(struct inflate *x, bz_stream *z, bool *open, bool *first, struct err *e)
{
	int zr, r;

	do {
		if (!*open) {
			r = start(z, e);
			if (r < 0)
				return r;
			*open = true;
		}
		z->next_out = (char *)x->obuf;
		z->avail_out = INFLATE_BUF;
		zr = BZ2_bzDecompress(z);
		if (zr == BZ_DATA_ERROR_MAGIC && !*first)
			return inflate_garbage(e, "bzip2");
		if (zr == BZ_MEM_ERROR)
			return err_set(e, ERR_SYS, ENOMEM, "decompress bzip2 data");
		if (zr != BZ_OK && zr != BZ_STREAM_END)
			return inflate_damaged(e, "bzip2", "checksum or structure is wrong");
		r = inflate_emit(x, INFLATE_BUF - z->avail_out, e);
		if (r < 0)
			return r;
		if (zr == BZ_STREAM_END) {
			(void)BZ2_bzDecompressEnd(z);
			*open = *first = false;
		}
	} while (z->avail_in > 0 || (*open && z->avail_out == 0));
	return 0;
}

int inflate_bzip2(struct inflate *x, struct err *e)
{
	bz_stream z = { 0 };
	bool open = false, first = true;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = inflate_fill(x, e)) != 0) {
		if (n < 0) {
			r = (int)n;
			break;
		}
		z.next_in = (char *)x->ibuf;
		z.avail_in = (unsigned int)n;
		r = pump(x, &z, &open, &first, e);
	}
	if (r == 0 && open)
		r = inflate_truncated(e, "bzip2");
	if (open)
		(void)BZ2_bzDecompressEnd(&z);
	return r;
}
