/*
 * sweep — remains of processes that died at work: embryos, temporary files, lock files.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "stage0/dirs.h"

/*
 * Delete what nobody has locked: directories of pods/embryo, everything in cas/tmp and tmp, and the
 * files of locks/.  Interrupted transfers (cas/tmp/dl-*, ul-*; partial.h), which the next fetch or push continues, stay until
 * nothing was written to them for @keep_partial_ns.  What cannot be deleted is passed over.
 */
int sweep(const struct datadir *d, int64_t keep_partial_ns, struct err *e);
