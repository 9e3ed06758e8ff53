/*
 * layer — one layer of an OCI or docker image into a directory (formats.md section 12.4, threats.md R15–R18).
 *
 * The same strict reading as an ACI's (extract.h), but a layer is no whole: it takes away what layers below it have, may put a
 * file into a directory that only they have, and may link to their files.  Layers are extracted side by side, without
 * those below at hand; what depends on these is told in notes, for who stacks them (stage0/stack.h).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "image/extract.h"
#include "image/layernote.h"

/*
 * Read the tar stream from @in up to EOF into "rootfs" below the empty directory @dirfd.  The last of two entries of one name
 * wins.  Errors as extract_aci.
 */
int extract_layer(int in, int dirfd, const struct extract_limits *l, struct buf *notes,
		  struct extract_result *ret, struct err *e);
