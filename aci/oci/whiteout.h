/*
 * whiteout — names in a layer that take something away from the layers below (formats.md section 12.4).
 */
#pragma once

#include "base/err.h"

enum oci_whiteout {
	OCI_NO_WHITEOUT, /* an ordinary entry */
	OCI_REMOVE,      /* ".wh.NAME": NAME of lower layers is gone */
	OCI_OPAQUE,      /* ".wh..wh..opq": all that lower layers have in this directory is gone */
	OCI_SKIP,        /* other names of aufs itself, ".wh..wh.plnk": no entry at all */
};

/*
 * What does an entry with the cleaned path @path (image/entryname.h) mean?  By its last component; *ret_name is the name that goes
 * (borrowed, the end of @path) for OCI_REMOVE, else NULL.  -EINVAL (ERR_INPUT): it names nothing, "." or "..", or a directory above
 * it has the form of a whiteout.
 */
int oci_whiteout_of(const char *path, enum oci_whiteout *ret, const char **ret_name, struct err *e);
