/*
 * writer — make an ACI from a directory that holds "manifest" and "rootfs/", or of the layers of an OCI image; or a layer.
 *
 * Deterministic: sorted entries, parents first, hard links after their first name, pax format,
 * numeric owners, no user names; manifest first.  Sockets are left out, as tar(1) does.
 */
#pragma once

#include "base/err.h"
#include "image/inflate.h"
#include "image/merge.h"

/* Gets the bytes of the tar before they are compressed; ends the work by -errno with @e set. */
typedef int writer_see(void *arg, const void *p, size_t n, struct err *e);

/* Write to @out (any descriptor); @c COMP_PLAIN, COMP_GZIP, COMP_BZIP2, COMP_XZ or COMP_ZSTD.  The
 * manifest is validated first.  Errors: -EINVAL the manifest or the layout is wrong, else errno. */
int aci_write(int dirfd, int out, enum compression c, struct err *e);

/* The same of the text @manifest and the root that @tree shows; @see may be NULL.  A name stands for one file with others if they are one in one
 * tree: what layers keep as copies is copies. */
int aci_write_merged(const struct merge *tree, const char *manifest, int out, enum compression c,
		     writer_see *see, void *arg, struct err *e);

/* The tree @name in @dirfd alone, as a layer of an OCI image. */
int layer_write(int dirfd, const char *name, int out, enum compression c, writer_see *see, void *arg,
		struct err *e);
