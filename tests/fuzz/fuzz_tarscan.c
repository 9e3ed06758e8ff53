/* fuzz_tarscan — any bytes, in portions of any size; the verdict must not depend on the portions. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/tarscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int scan(const uint8_t *data, size_t size, size_t portion)
{
	struct tarscan *s = tarscan_new();
	struct err e = ERR_INIT;
	int r = 0;

	uint8_t *own = malloc(size + 1); /* it may be written to */

	assert(own);
	memcpy(own, data, size);
	for (size_t at = 0; at < size && r == 0; at += portion)
		r = tarscan_feed(s, own + at, size - at < portion ? size - at : portion, &e);
	if (r == 0)
		r = tarscan_end(s, &e);
	assert(r == 0 || e.text[0]);
	tarscan_free(s);
	free(own);
	return r < 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	assert(scan(data, size, 512) == scan(data, size, 4096));
	assert(scan(data, size, 77) == scan(data, size, size ? size : 1));
	return 0;
}
