/* fuzz_oci_reference — any text as a reference: what is taken has one spelling that means the same, and no part that could lead elsewhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "oci/digest.h"
#include "oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_free char *first = NULL, *second = NULL;
	struct oci_reference r, again;
	struct err e = ERR_INIT;

	if (oci_reference_parse(text, &r, &e) < 0) {
		if (e.code == 0 || r.path || r.host)
			abort();
		return 0;
	}
	if (r.transport == OCI_REGISTRY && (strstr(r.repository, "..") || strpbrk(r.host, "/@") ||
					    (r.digest && !oci_digest_valid(r.digest))))
		abort();
	first = oci_reference_text(&r);
	oci_reference_done(&r);
	if (oci_reference_parse(first, &again, &e) < 0) {
		/* Written out in full it may be longer than what was typed. */
		if (strlen(first) <= strlen(text))
			abort();
		return 0;
	}
	second = oci_reference_text(&again);
	oci_reference_done(&again);
	if (strcmp(first, second) != 0)
		abort();
	return 0;
}
