/*
 * pathrule — what an app may do with a path of its own root, "PATH:rwx" or the JSON of rkt.io/landlock.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

enum pathrule_access { PATHRULE_READ = 1, PATHRULE_WRITE = 2, PATHRULE_EXEC = 4 };

struct pathrule {
	const char *path;    /* absolute; borrowed from the JSON */
	unsigned int access; /* enum pathrule_access, not 0; the same numbers as enum plan_access of stage2 */
};

/* {"path": PATH, "access": "rwx"}.  -EINVAL: not absolute, letters that are not of "rwx". */
int pathrule_from_json(const json_t *o, const char *where, struct pathrule *ret, struct err *e);

/* The option's text to that JSON (a new reference), or NULL and @e.  The last colon separates; without one the access is
 * "r". */
json_t *pathrule_json_from_arg(const char *arg, struct err *e);
