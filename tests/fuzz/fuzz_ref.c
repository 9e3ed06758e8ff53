/* fuzz_ref — image references as users type them, in every mode. */
#include <assert.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage0/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int modes[] = { 0, REF_NO_HASH, REF_STORE_ONLY };
	auto_free char *text = xstrndup((const char *)data, size);

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct err e = ERR_INIT;
		struct image_ref r = { .text = NULL };

		if (image_ref_parse(text, modes[i], &r, &e) == 0)
			image_ref_done(&r);
		else
			assert(e.text[0]);
	}
	return 0;
}
