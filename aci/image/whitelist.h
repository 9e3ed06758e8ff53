/*
 * whitelist — reduce an extracted tree to the image's own pathWhitelist (formats.md section 5.3).
 */
#pragma once

#include "base/err.h"

/*
 * Delete every non-directory below "rootfs" of @dirfd whose absolute path in the image is not in
 * @paths (a strv of cleaned absolute paths, sorted here).  Directories stay, as in rkt 1.30.
 */
int whitelist_apply(int dirfd, char **paths, struct err *e);
