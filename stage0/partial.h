/*
 * partial — directories of cas/tmp that outlive who made them: half of a download, where an upload goes on.
 *
 * Whoever has one locked works with it.  `image gc` takes away those that nobody has locked and nobody has changed for the grace period.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage0/store.h"

#define PARTIAL_DOWNLOAD "dl-"
#define PARTIAL_UPLOAD   "ul-"

/* Is that the name of one? */
bool partial_is(const char *name);
/* Make and lock @name, without waiting: 1 and *ret, 0 when somebody else has it or has just taken it away, -errno. */
int partial_lock(const struct store *s, const char *name, int *ret, struct err *e);
