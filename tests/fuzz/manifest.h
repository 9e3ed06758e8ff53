/*
 * manifest — the fuzz target for a manifest of kind KIND (image, pod): parse, print, parse what was printed.
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MANIFEST(KIND)                                                                                  \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                                         \
	{                                                                                                    \
		struct err e = ERR_INIT;                                                                     \
		struct KIND##_manifest *m = KIND##_manifest_parse((const char *)data, size, &e);             \
                                                                                                             \
		if (!m) {                                                                                    \
			assert(e.code != 0 && e.text[0]);                                                    \
			return 0;                                                                            \
		}                                                                                            \
		json_t *j = KIND##_manifest_to_json(m);                                                      \
		auto_free char *text = json_text(j, JSON_LINE);                                              \
		struct KIND##_manifest *again = KIND##_manifest_parse(text, strlen(text), &e);               \
                                                                                                             \
		assert(again); /* what we print we accept */                                                 \
		KIND##_manifest_free(again);                                                                 \
		json_decref(j);                                                                              \
		KIND##_manifest_free(m);                                                                     \
		return 0;                                                                                    \
	}
