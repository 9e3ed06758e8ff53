/* fuzz_oci_config — any bytes as the config of an image: what is taken has a platform and valid digests. */
#include <stdint.h>
#include <stdlib.h>

#include "oci/digest.h"
#include "oci/imageconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oci_config c;
	struct err e = ERR_INIT;

	if (oci_config_parse((const char *)data, size, &c, &e) < 0) {
		if (e.code == 0 || c.diff_ids || c.env)
			abort();
		return 0;
	}
	if (!c.platform.os || !c.platform.architecture)
		abort();
	for (char **d = c.diff_ids; d && *d; d++) {
		if (!oci_digest_valid(*d))
			abort();
	}
	oci_config_done(&c);
	return 0;
}
