/*
 * media — the media types of OCI and docker documents and layers (formats.md section 12.2).
 */
#pragma once

enum oci_media {
	OCI_MEDIA_UNKNOWN,
	OCI_MEDIA_INDEX,
	OCI_MEDIA_MANIFEST,
	OCI_MEDIA_SCHEMA1, /* obsolete, refused by name */
	OCI_MEDIA_CONFIG,
	OCI_MEDIA_LAYER, /* compressed or not: the bytes say how, types are often wrong about it */
};

/* Parameters behind ';' and case do not count. */
enum oci_media oci_media_of(const char *type);
