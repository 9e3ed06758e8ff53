/*
 * rlimits — the isolator rkt.io/rlimits of an app, for the plan.
 */
#pragma once

#include "base/err.h"
#include "schema/app.h"
#include "stage2/plan.h"

/* How many limits were put into @ret; -EPERM: a hard limit above the caller's, which only CAP_SYS_RESOURCE could raise
 * (getrlimit(2)); asked here, so that nothing has been made yet. */
int rlimits_of_app(const struct app *a, struct plan_rlimit ret[PLAN_RLIMITS_MAX], struct err *e);
