/*
 * uuidarg — pods named on the command line: UUIDs, beginnings of them, or a file with one.
 */
#pragma once

#include "base/err.h"
#include "rkt/cli.h"

/* The UUIDs that a verb is about: all of c->rest, or the content of @uuid_file without the white space
 * around it; both or neither is a usage error, and so is more than one unless @many.  strv. */
int uuid_args(struct cli *c, const char *uuid_file, bool many, char ***ret, struct err *e);
