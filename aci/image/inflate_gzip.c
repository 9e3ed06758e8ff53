/*
 * inflate_gzip — gzip by zlib: every member, each with its checksum.
 */
#include <errno.h>
#include <zlib.h>

#include "image/inflate_codec.h"

/* Room for a gzip header of any window, and no other format. */
enum { GZIP_ONLY = 15 + 16, GZIP_MAGIC = 0x1f };

/* Everything that the input at hand yields; *ended is set at the end of a member. */
static int pump(struct inflate *x, z_stream *z, bool *ended, struct err *e)
{
	do {
		int zr, r;

		if (*ended) {
			if (*z->next_in != GZIP_MAGIC)
				return inflate_garbage(e, "gzip");
			(void)inflateReset(z);
			*ended = false;
		}
		z->next_out = x->obuf;
		z->avail_out = INFLATE_BUF;
		zr = inflate(z, Z_NO_FLUSH);
		if (zr != Z_OK && zr != Z_STREAM_END && zr != Z_BUF_ERROR)
			return inflate_damaged(e, "gzip", z->msg ? z->msg : "cannot be decompressed");
		r = inflate_emit(x, INFLATE_BUF - z->avail_out, e);
		if (r < 0)
			return r;
		*ended = zr == Z_STREAM_END;
	} while (z->avail_in > 0 || (!*ended && z->avail_out == 0));
	return 0;
}

int inflate_gzip(struct inflate *x, struct err *e)
{
	z_stream z = { 0 };
	bool ended = false;
	ssize_t n;
	int r = 0;

	if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return err_set(e, ERR_SYS, ENOMEM, "start the gzip decompressor");
	while (r == 0 && (n = inflate_fill(x, e)) != 0) {
		if (n < 0) {
			r = (int)n;
			break;
		}
		z.next_in = x->ibuf;
		z.avail_in = (unsigned int)n;
		r = pump(x, &z, &ended, e);
	}
	if (r == 0 && !ended)
		r = inflate_truncated(e, "gzip");
	(void)inflateEnd(&z);
	return r;
}
