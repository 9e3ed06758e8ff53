/*
 * uuidarg — pods named on the command line: UUIDs, beginnings of them, or a file with one.
 */
#pragma once

#include "base/err.h"
#include "rkt/cli.h"
#include "rkt/host.h"

/* The UUIDs that a verb is about: all of c->rest, or the content of @uuid_file without the white space
 * around it; both or neither is a usage error, and so is more than one unless @many.  strv. */
int uuid_args(struct cli *c, const char *uuid_file, bool many, char ***ret, struct err *e);

/* @act on every pod of uuid_args(), one after the other; what fails is told as an error line and the others still
 * have their turn.  Exit status for run(), or -errno when nothing was tried.  Source: cli.md sections 9.7 and 9.8. */
int uuid_args_each(struct cli *c, const char *uuid_file,
		   int (*act)(const struct cli *c, const struct host *h, const char *uuid, struct err *e),
		   struct err *e);
