/*
 * fuzz_sigpayload — what is accepted as a payload has a valid digest and a reference, and matches no image of another digest.
 *
 * The first byte says of which kind it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "oci/digest.h"
#include "stage0/sigpayload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char never[] =
		"sha512:00000000000000000000000000000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000000000";
	struct oci_reference ref = { .host = (char *)(uintptr_t) "r.example.com",
				     .repository = (char *)(uintptr_t) "a/b",
				     .tag = (char *)(uintptr_t) "v1" };
	const char *digests[2] = { never, NULL };
	struct sigpayload p = { NULL, NULL };
	struct err e = ERR_INIT;

	if (size == 0)
		return 0;
	enum sigpayload_kind kind = data[0] == 's' ? SIGPAYLOAD_SIMPLE : SIGPAYLOAD_COSIGN;
	if (sigpayload_parse(kind, (const char *)data + 1, size - 1, &p, &e) < 0) {
		if (e.cls != ERR_TRUST || e.code == 0 || p.digest || p.reference)
			abort();
		return 0;
	}
	if (!oci_digest_valid(p.digest) || !*p.reference)
		abort();
	if (strcmp(p.digest, never) != 0 && sigpayload_match(&p, kind, &ref, digests, &e) == 0)
		abort();
	digests[0] = p.digest;
	if (sigpayload_match(&p, kind, &ref, digests, &e) == 0 && !strstr(p.reference, "a/b"))
		abort();
	sigpayload_done(&p);
	return 0;
}
