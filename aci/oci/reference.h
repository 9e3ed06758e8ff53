/*
 * reference — where an OCI or docker image is (formats.md section 12.1).
 *
 *   docker://[HOST[:PORT]/]NAME[:TAG][@DIGEST]     docker:NAME…     oci:DIR[:REF]
 *   oci-archive:FILE[:REF]                         docker-archive:FILE[:REF]
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum oci_transport {
	OCI_REGISTRY,
	OCI_LAYOUT,
	OCI_ARCHIVE,
	OCI_DOCKER_ARCHIVE,
};

struct oci_reference {
	enum oci_transport transport;
	char *host; /* OCI_REGISTRY: HOST[:PORT]; registry-1.docker.io for Docker Hub, by any of its names */
	char *repository; /* OCI_REGISTRY: with "library/" where Docker Hub has it */
	char *tag; /* OCI_REGISTRY: "latest" unless the text says otherwise; NULL with a digest and no tag */
	char *digest; /* OCI_REGISTRY: valid, decides over the tag; or NULL */
	char *path;   /* others: as typed */
	char *ref;    /* others: which image of it; or NULL */
};

/* Does @text begin with one of the schemes above?  What does is never a file or an appc name. */
bool oci_reference_like(const char *text);
/* -EINVAL (ERR_USAGE) and nothing in *ret if it has not one of the forms above. */
int oci_reference_parse(const char *text, struct oci_reference *ret, struct err *e);
void oci_reference_done(struct oci_reference *r);
/* The one spelling of *r, which parses as the same reference; heap. */
char *oci_reference_text(const struct oci_reference *r);
