/*
 * document — index and manifest of an OCI or docker image: parse and validate (formats.md sections 12.2 and 12.3).
 *
 * The digest of a document is the caller's business and comes first: hash the bytes, then parse those bytes, keep them as they
 * are (threats.md R29).  Messages name the place: `.layers[3].digest: "sha1:…" is not a digest by sha256 or sha512`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/media.h"
#include "schema/labels.h"

#define OCI_DOCUMENT_MAX (4u << 20) /* bytes of an index or a manifest */
#define OCI_ENTRIES_MAX  4096       /* in one index */
#define OCI_LAYERS_MAX   500        /* in one image: overlayfs stacks no more */
#define OCI_NESTING_MAX  4          /* of indexes in indexes; who follows them counts */

struct oci_platform {
	char *os, *architecture, *variant; /* each may be NULL */
};
void oci_platform_done(struct oci_platform *p);

struct oci_descriptor {
	char *media_type;
	enum oci_media media;
	char *digest; /* valid */
	int64_t size; /* bytes, not negative */
	char **urls;  /* strv: other places of a layer, or NULL */
	struct pairs annotations;
	struct oci_platform platform; /* in an index */
};
void oci_descriptor_done(struct oci_descriptor *d);

struct oci_document {
	enum oci_media media; /* OCI_MEDIA_INDEX or OCI_MEDIA_MANIFEST: which of the two below is set */
	struct oci_descriptor *entries; /* of the index, or the layers, lowest first */
	size_t n;
	struct oci_descriptor config; /* of a manifest */
};

/*
 * Parse an index or a manifest.  @media_type is what the descriptor or the registry called it, NULL when nobody said; it must not be
 * another role than the document's, nor its "mediaType".  -EINVAL (ERR_INPUT): also a document that could be both, schema 1,
 * a config or a layer that is not one of a container image, too many entries.
 */
int oci_document_parse(const char *text, size_t len, const char *media_type, struct oci_document *ret,
		       struct err *e);
/* The same for a manifest whose config and layers are not those of a container image, such as what signatures are kept in; not for an index. */
int oci_artifact_parse(const char *text, size_t len, const char *media_type, struct oci_document *ret,
		       struct err *e);
void oci_document_done(struct oci_document *d);
