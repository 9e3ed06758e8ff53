/*
 * rlimits — the isolator rkt.io/rlimits of an app, for the plan.
 */
#pragma once

#include "base/err.h"
#include "schema/app.h"
#include "stage2/plan.h"

/* How many limits were put into @ret; -EPERM: a hard limit above the caller's: neither an image nor an
 * option gets an app more than rkt itself was given, with or without CAP_SYS_RESOURCE. */
int rlimits_of_app(const struct app *a, struct plan_rlimit ret[PLAN_RLIMITS_MAX], struct err *e);
