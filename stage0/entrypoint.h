/*
 * entrypoint — where the entrypoints of a stage1 are; shared by the files that call them.
 */
#pragma once

#include "base/proc.h"
#include "stage0/stage1.h"

/* Path of an entrypoint below @root; -ENOSYS when the image has none. */
int stage1_entrypoint(const struct stage1 *s, const char *annotation, const char *root, char **ret,
		      struct err *e);
/* The same where no pod can write. */
int stage1_safe_entrypoint(const struct stage1 *s, const char *annotation, char **ret, struct err *e);
/* Run one and wait; *ret_status is its exit status.  What it says on standard error is collected: when it failed, its last line without
 * @prefix is the error, so that the user sees one; everything else goes on to our standard error. */
int entrypoint_run(const struct spawn *how, const char *prefix, int *ret_status, struct err *e);
