/*
 * addedplan — plans of apps that were added to a mutable pod: one file an app in CONTRACT_DIR_PLANS, encoded as the
 * pod's own (stage2/plan.h).
 *
 * The file is also the record of where the app's tree is attached: its root is "/a<slot>".
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Read and check the plan of @app; -ENOENT: the app is not (or not wholly) added.  @ret_slot may be NULL. */
int addedplan_load(int pod_fd, const char *app, struct buf *ret, uint32_t *ret_slot, struct err *e);
/* Write it, replacing what is there. */
int addedplan_save(int pod_fd, const char *app, const struct buf *b, struct err *e);
/* Forget it; missing is success. */
int addedplan_remove(int pod_fd, const char *app, struct err *e);
/* The lowest slot that no plan has, or -E2BIG.  The caller holds the pod's CONTRACT_FILE_LOCK. */
int addedplan_free_slot(int pod_fd, uint32_t *ret, struct err *e);
/* The bytes in a sealed memfd, as the launcher and init want them; fd or -errno. */
int addedplan_seal(const struct buf *b, struct err *e);
