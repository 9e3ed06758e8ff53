/*
 * userns — ranges of user and group ids for pods with --private-users.
 *
 * A range is 65536 ids from SHIFT on.  It is recorded in the pod (POD_FILE_USERNS, "SHIFT:COUNT") while the lock of ranges is
 * held, and free again when the pod's directory has gone: there is no other list.
 */
#pragma once

#include "base/err.h"
#include "stage0/pod.h"

#define USERNS_COUNT 65536u

/* Choose a range that no pod of the data directory has and record it in @p.  *ret_shift its first id.
 * -EUSERS: every range is taken. */
int userns_allocate(const struct pod *p, uint32_t *ret_shift, struct err *e);
/* What was recorded, "SHIFT:COUNT", heap; *ret NULL for a pod without. */
int userns_of_pod(const struct pod *p, char **ret, struct err *e);
