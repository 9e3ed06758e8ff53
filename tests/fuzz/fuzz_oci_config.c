/* fuzz_oci_config — any bytes as the config of an image: what is taken has a platform and valid digests, and its app view, if it
 * has one, is a manifest that is read back. */
#include <stdint.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/strv.h"
#include "oci/appview.h"
#include "oci/digest.h"
#include "oci/imageconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_view(const struct oci_config *c)
{
	static const struct oci_origin origin = { .name = "example.com/a", .repository = "a" };
	auto_strv warnings = NULL;
	struct err e = ERR_INIT;
	auto_image_manifest m = oci_app_view(c, &origin, &warnings, &e);

	if (!m && e.code == 0)
		abort();
	if (!m)
		return;
	auto_json doc = image_manifest_to_json(m);
	auto_image_manifest again = image_manifest_from_json(doc, &e);

	if (!again)
		abort();
}

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
	check_view(&c);
	oci_config_done(&c);
	return 0;
}
