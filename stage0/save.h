/*
 * save — a stored image into a file or directory, from which others, and rkt, can load it (formats.md section 12.5).
 *
 * It gets its name when it is complete and on disk; what is there already is never replaced.  Until then a file has no name at all, or, where the
 * file system knows no such files, and a directory always, a hidden one beside it.
 */
#pragma once

#include "stage0/outgoing.h"

/*
 * Image @i, or what is made of @parts; @format "oci" (a layout: a directory), "oci-archive", "docker-archive" (also a layout, for those who
 * prefer that) or, of a stored image, "aci"; -EEXIST.
 */
int save_image(struct job *j, const struct image_info *i, const struct outgoing_parts *parts,
	       const char *format, const char *path, struct err *e);
