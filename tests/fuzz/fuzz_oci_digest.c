/* fuzz_oci_digest — any text as a digest: what is taken is an algorithm we know and hex digits, nothing that leads elsewhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "oci/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	bool good = oci_digest_valid(text);
	struct err e = ERR_INIT;

	if (good != (oci_digest_check(text, ".digest", &e) == 0))
		abort();
	if (!good)
		return 0;
	if (strlen(text) >= OCI_DIGEST_MAX || strncmp(text, oci_digest_algo(text), 6) != 0)
		abort();
	if (oci_digest_hex(text)[strspn(oci_digest_hex(text), "0123456789abcdef")])
		abort();
	return 0;
}
