/* fuzz_pod_manifest — a manifest from anywhere: parse, print, parse what was printed. */
#include <assert.h>
#include <stdint.h>

#include "base/auto.h"
#include "schema/pod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct pod_manifest *m = pod_manifest_parse((const char *)data, size, &e);

	if (!m) {
		assert(e.code != 0 && e.text[0]);
		return 0;
	}
	json_t *j = pod_manifest_to_json(m);
	auto_free char *text = json_text(j, JSON_LINE);
	struct pod_manifest *again = pod_manifest_parse(text, strlen(text), &e);

	assert(again); /* what we print we accept */
	pod_manifest_free(again);
	json_decref(j);
	pod_manifest_free(m);
	return 0;
}
