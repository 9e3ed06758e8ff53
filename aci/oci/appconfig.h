/*
 * appconfig — an ImageManifest as the config of an OCI image: the way back of appview.h, as far as there is one.
 *
 * Isolators, event handlers and dependencies have no place there; who converts is told which are left out.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "schema/image.h"

/* The config of @m with the one layer @diff_id; lines about what is left out go to *warnings (strv).  NULL and @e (ERR_INPUT): it cannot be one. */
json_t *oci_config_of(const struct image_manifest *m, const char *diff_id, char ***warnings, struct err *e);
