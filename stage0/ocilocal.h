/*
 * ocilocal — OCI and docker images that lie on disk: a layout, or an archive of one, or what `docker save` writes (formats.md section 12.5).
 *
 * The same two questions as to a registry, with the same answers: a document, and blobs.  An archive is taken apart by the sandboxed
 * child first.  Nothing is believed that has not the digest it is asked for by.
 */
#pragma once

#include "oci/platform.h"
#include "oci/reference.h"
#include "stage0/registry.h"

struct oci_local;

/*
 * Open what @ref means, whose path is absolute.  @tmp_fd: an empty directory for the contents of an archive; @unpack: path of that program.  NULL and
 * @e: ERR_INPUT if it is not what it should be.
 */
struct oci_local *oci_local_open(const struct oci_reference *ref, int tmp_fd, const char *unpack,
				 struct err *e);
void oci_local_free(struct oci_local *l);

/*
 * Document @digest; with NULL the one that the reference means, of several without names that for @want.  *ret as of registry_manifest.
 * -ENOENT: it is not there, or there is no such name, with the names; -EBADMSG other bytes.
 */
int oci_local_document(struct oci_local *l, const char *digest, const struct oci_platform *want,
		       struct registry_document *ret, struct err *e);
/* As registry_blobs, one after the other. */
int oci_local_blobs(struct oci_local *l, const struct store *s, const struct registry_blob *v, size_t n,
		    const struct registry_sink *sink, struct err *e);

/* ---- for the files of this ---- */

struct docker_archive {
	struct buf manifest;     /* an OCI manifest, made for what the archive has none for */
	char **digests, **paths; /* strv: where which blob is */
};
void docker_archive_done(struct docker_archive *a);
/* The image that @name means, NULL the only one, of the docker archive in @root. */
int docker_archive_read(int root, const char *name, struct docker_archive *ret, struct err *e);
/* A regular file below @root, whatever links there are inside it; fd, or -errno with @e. */
int oci_local_open_file(int root, const char *path, struct err *e);
