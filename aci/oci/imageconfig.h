/*
 * imageconfig — what an OCI or docker image runs, and the digests of its unpacked layers (formats.md section 12.3).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "oci/document.h"
#include "schema/labels.h"

#define OCI_CONFIG_MAX (8u << 20) /* bytes */

struct oci_config {
	struct oci_platform platform;           /* os and architecture are set */
	char *created, *author;                 /* or NULL, as they stand */
	char **diff_ids;                        /* strv of valid digests, lowest layer first */
	bool runs;                              /* has "config": what follows */
	char *user, *working_dir, *stop_signal; /* or NULL; "" is NULL */
	char **env, **entrypoint, **cmd;        /* strv; an entrypoint of one empty string is none */
	char **ports, **volumes;                /* strv of keys, sorted */
	struct pairs labels;
	char *healthcheck; /* its JSON, or NULL */
};

/* NULL members are absent, unknown ones ignored.  -EINVAL (ERR_INPUT). */
int oci_config_parse(const char *text, size_t len, struct oci_config *ret, struct err *e);
void oci_config_done(struct oci_config *c);

/* Is @c the config of @manifest (as many layers), for Linux and @want?  -EINVAL (ERR_INPUT). */
int oci_config_check(const struct oci_config *c, const struct oci_document *manifest,
		     const struct oci_platform *want, struct err *e);
