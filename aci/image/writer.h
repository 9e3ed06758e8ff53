/*
 * writer — make an ACI from a directory that holds "manifest" and "rootfs/".
 *
 * Deterministic: sorted entries, parents first, hard links after their first name, pax format,
 * numeric owners, no user names; manifest first.  Sockets are left out, as tar(1) does.
 */
#pragma once

#include "base/err.h"
#include "image/inflate.h"

/* Write to @out (any descriptor); @c COMP_PLAIN, COMP_GZIP, COMP_BZIP2, COMP_XZ or COMP_ZSTD.  The
 * manifest is validated first.  Errors: -EINVAL the manifest or the layout is wrong, else errno. */
int aci_write(int dirfd, int out, enum compression c, struct err *e);

/* The same of the tree @name in @dirfd alone, as a layer of an OCI image; @see gets the bytes of the tar before they are compressed. */
int layer_write(int dirfd, const char *name, int out, enum compression c,
		void (*see)(void *arg, const void *p, size_t n), void *arg, struct err *e);
