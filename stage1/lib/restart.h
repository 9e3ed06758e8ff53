/*
 * restart — the annotation "rkt.io/restart" of an app: whether stage2 starts it again when it has ended.
 *
 * "no", "on-failure" or "always", the last two with ":N" for at most N times.  Only what the caller writes into
 * the pod manifest counts (`--annotation`), never an annotation of the image.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "stage1/lib/podctx.h"

/* The bits of enum plan_app_flag, and the limit above PLAN_RESTART_SHIFT; -EINVAL for any other value. */
int restart_flags(const struct pod_app *a, uint32_t *ret, struct err *e);
