/*
 * bundle — an archive of plain files: images that were saved as one file (formats.md section 12.5).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "image/extract.h"

/*
 * Read the tar stream from @in up to EOF into "rootfs" below the empty directory @dirfd: directories, regular files and symbolic links,
 * all ours and without what else the archive says of them.  Anything else is refused; @tail stays empty.  Errors as extract_aci.
 */
int extract_bundle(int in, int dirfd, const struct extract_limits *l, struct buf *tail,
		   struct extract_result *ret, struct err *e);
