/*
 * fuzz_pubkey — a key that is taken is taken again from its own spelling, as the same key, and verifies no nonsense.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stage0/pubkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	auto_pubkey *k = pubkey_parse(data, size, &e);

	if (!k) {
		if (e.code == 0 || e.cls != ERR_TRUST)
			abort();
		return 0;
	}
	auto_pubkey *again = pubkey_parse(pubkey_pem(k), strlen(pubkey_pem(k)), &e);
	if (!again || strcmp(pubkey_fingerprint(k), pubkey_fingerprint(again)) != 0 ||
	    strlen(pubkey_fingerprint(k)) != PUBKEY_FINGERPRINT_LEN || !pubkey_like(data, size))
		abort();
	if (pubkey_verify(k, "x", 1, data, size < PUBKEY_SIGNATURE_MAX ? size : PUBKEY_SIGNATURE_MAX))
		abort();
	return 0;
}
