/*
 * compression — which compression an image has, by magic number alone.
 */
#include "image/inflate.h"

#include <errno.h>
#include <string.h>

int compression_sniff(const unsigned char *head, size_t n, enum compression *ret, struct err *e)
{
	static const struct {
		size_t offset, len;
		const char *magic;
		enum compression c;
	} magics[] = {
		{ 0, 2, "\x1f\x8b", COMP_GZIP },
		{ 0, 3, "BZh", COMP_BZIP2 },
		{ 0, 6,
		  "\xfd"
		  "7zXZ\0",
		  COMP_XZ },
		{ 0, 4, "\x28\xb5\x2f\xfd", COMP_ZSTD },
		{ 257, 5, "ustar", COMP_PLAIN },
	};

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (n >= magics[i].offset + magics[i].len &&
		    memcmp(head + magics[i].offset, magics[i].magic, magics[i].len) == 0) {
			*ret = magics[i].c;
			return 0;
		}
	}
	/* A skippable frame of zstd may come first: 0x50..0x5f 2a 4d 18. */
	if (n >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0) {
		*ret = COMP_ZSTD;
		return 0;
	}
	/* A tar without entries: its end marker alone. */
	if (n == 512 && !*head && memcmp(head, head + 1, n - 1) == 0) {
		*ret = COMP_PLAIN;
		return 0;
	}
	return err_set(e, ERR_INPUT, EINVAL, "unknown image filetype");
}
