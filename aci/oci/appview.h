/*
 * appview — an OCI or docker image as an ImageManifest (formats.md section 14).
 *
 * That is what rkt prepares pods from; the documents of the image stay as they came beside it.
 */
#pragma once

#include "base/err.h"
#include "oci/imageconfig.h"
#include "schema/image.h"

/* Where the image came from; nothing of it is believed to be more than text.  NULL members are left out. */
struct oci_origin {
	const char *name;          /* "HOST/REPOSITORY", or what else the image is to be called; not NULL */
	const char *tag;           /* label "version" */
	const char *original;      /* the reference as typed */
	const char *host;          /* of the registry */
	const char *repository;    /* not NULL: its annotation marks the image as one of docker's kind */
	const char *config_digest; /* docker's image id */
	const char *manifest_digest;
};

/*
 * The manifest of the image with config @c.  Variables that cannot be set are left out, and a line about each
 * goes to *warnings (strv).  NULL and @e (ERR_INPUT): an architecture that appc has no name for, a port or a volume that is none.
 */
struct image_manifest *oci_app_view(const struct oci_config *c, const struct oci_origin *o, char ***warnings,
				    struct err *e);
