/*
 * fuzz_extract — archives of any content, below a directory that is emptied after each.
 *
 * Checksums are put right first: otherwise hardly an input would come past the first header.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "image/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 512, CHECKSUM = 148, MAGIC = 257, INPUT_MAX = 1 << 16 };

static void seal(unsigned char *h)
{
	unsigned int sum = 0;

	memset(h + CHECKSUM, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += h[i];
	(void)snprintf((char *)h + CHECKSUM, 8, "%06o", sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char image[INPUT_MAX];
	const struct extract_limits limits = {
		.bytes = 1 << 20, .entries = 64, .depth = 70, .path_len = 1024, .xattr_bytes = 4096
	};
	struct extract_result result = { 0 };
	struct err e = ERR_INIT;
	auto_buf manifest = BUF_INIT;
	char top[] = "/tmp/rkt-fuzz-extract-XXXXXX";

	if (size > sizeof(image) || !mkdtemp(top))
		return 0;
	memcpy(image, data, size);
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
		if (memcmp(image + at + MAGIC, "ustar", 5) == 0)
			seal(image + at);
	}
	auto_close int in = memfd_new("in");
	auto_close int outer = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int dir = FD_NONE;
	struct stat st;

	if (mkdirat(outer, "in", 0700) == 0)
		dir = openat(outer, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0 && write_full(in, image, size) == 0 && lseek(in, 0, SEEK_SET) == 0)
		(void)extract_aci(in, dir, &limits, &manifest, &result, &e);
	/* Nothing but "in", which has no further directory beside it, may be in the directory above. */
	if (fstat(outer, &st) < 0 || st.st_nlink > 3 || result.entries > limits.entries ||
	    result.bytes > limits.bytes)
		abort();
	if (rm_tree_at(AT_FDCWD, top, &e) < 0)
		abort();
	return 0;
}
