/* fuzz_image_manifest — a manifest from anywhere: parse, print, parse what was printed. */
#include <assert.h>
#include <stdint.h>

#include "base/auto.h"
#include "schema/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct image_manifest *m = image_manifest_parse((const char *)data, size, &e);

	if (!m) {
		assert(e.code != 0 && e.text[0]);
		return 0;
	}
	json_t *j = image_manifest_to_json(m);
	auto_free char *text = json_text(j, JSON_LINE);
	struct image_manifest *again = image_manifest_parse(text, strlen(text), &e);

	assert(again); /* what we print we accept */
	image_manifest_free(again);
	json_decref(j);
	image_manifest_free(m);
	return 0;
}
