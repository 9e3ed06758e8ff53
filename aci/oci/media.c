#include "oci/media.h"

#include <string.h>
#include <strings.h>

#include "base/auto.h"

#define OCI    "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

static const struct {
	const char *type;
	enum oci_media media;
} types[] = {
	{ OCI "index.v1+json", OCI_MEDIA_INDEX },
	{ DOCKER "distribution.manifest.list.v2+json", OCI_MEDIA_INDEX },
	{ OCI "manifest.v1+json", OCI_MEDIA_MANIFEST },
	{ DOCKER "distribution.manifest.v2+json", OCI_MEDIA_MANIFEST },
	{ DOCKER "distribution.manifest.v1+json", OCI_MEDIA_SCHEMA1 },
	{ DOCKER "distribution.manifest.v1+prettyjws", OCI_MEDIA_SCHEMA1 },
	{ OCI "config.v1+json", OCI_MEDIA_CONFIG },
	{ DOCKER "container.image.v1+json", OCI_MEDIA_CONFIG },
	{ OCI "layer.v1.tar", OCI_MEDIA_LAYER },
	{ OCI "layer.v1.tar+gzip", OCI_MEDIA_LAYER },
	{ OCI "layer.v1.tar+zstd", OCI_MEDIA_LAYER },
	{ OCI "layer.nondistributable.v1.tar", OCI_MEDIA_LAYER },
	{ OCI "layer.nondistributable.v1.tar+gzip", OCI_MEDIA_LAYER },
	{ OCI "layer.nondistributable.v1.tar+zstd", OCI_MEDIA_LAYER },
	{ DOCKER "image.rootfs.diff.tar", OCI_MEDIA_LAYER },
	{ DOCKER "image.rootfs.diff.tar.gzip", OCI_MEDIA_LAYER },
	{ DOCKER "image.rootfs.diff.tar.zstd", OCI_MEDIA_LAYER },
	{ DOCKER "image.rootfs.foreign.diff.tar", OCI_MEDIA_LAYER },
	{ DOCKER "image.rootfs.foreign.diff.tar.gzip", OCI_MEDIA_LAYER },
};

enum oci_media oci_media_of(const char *type)
{
	size_t n = strcspn(type, "; \t");

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strlen(types[i].type) == n && strncasecmp(types[i].type, type, n) == 0)
			return types[i].media;
	}
	return OCI_MEDIA_UNKNOWN;
}
