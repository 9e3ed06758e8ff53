/* fuzz_oci_document — any bytes as an index or a manifest: what is taken is one of the two, and every digest in it is one. */
#include <stdint.h>
#include <stdlib.h>

#include "oci/digest.h"
#include "oci/document.h"
#include "oci/platform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct oci_descriptor *d)
{
	if (!oci_digest_valid(d->digest) || d->size < 0)
		abort();
}

static void check_index(const struct oci_document *d)
{
	struct oci_platform want;
	struct err e = ERR_INIT;
	size_t i = d->n;

	if (oci_platform_make("amd64", &want, &e) < 0)
		abort();
	if (oci_platform_pick(d, &want, &i, &e) == 0 && i >= d->n)
		abort();
	oci_platform_done(&want);
}

static void check_artifact(const uint8_t *data, size_t size)
{
	struct oci_document d;
	struct err e = ERR_INIT;

	if (oci_artifact_parse((const char *)data, size, NULL, &d, &e) < 0)
		return;
	if (d.media != OCI_MEDIA_MANIFEST)
		abort();
	check(&d.config);
	for (size_t i = 0; i < d.n; i++)
		check(&d.entries[i]);
	oci_document_done(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oci_document d;
	struct err e = ERR_INIT;

	check_artifact(data, size);
	if (oci_document_parse((const char *)data, size, NULL, &d, &e) < 0) {
		if (e.code == 0 || d.n || d.entries)
			abort();
		return 0;
	}
	if (d.media == OCI_MEDIA_MANIFEST)
		check(&d.config);
	else
		check_index(&d);
	for (size_t i = 0; i < d.n; i++) {
		check(&d.entries[i]);
		if (d.media == OCI_MEDIA_MANIFEST && d.entries[i].media != OCI_MEDIA_LAYER)
			abort();
	}
	oci_document_done(&d);
	return 0;
}
