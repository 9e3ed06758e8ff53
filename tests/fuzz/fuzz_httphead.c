/* fuzz_httphead — header lines of a server that means no good. */
#include <stdint.h>
#include <string.h>

#include "stage0/httphead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head h;
	const char *p = (const char *)data, *stop = p + size;

	http_head_init(&h);
	while (p < stop) {
		const char *nl = memchr(p, '\n', (size_t)(stop - p));
		size_t n = nl ? (size_t)(nl - p) + 1 : (size_t)(stop - p);

		http_head_line(&h, p, n);
		p += n;
	}
	(void)http_head_redirects(&h);
	http_head_done(&h);
	return 0;
}
