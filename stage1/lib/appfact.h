/*
 * appfact — what is recorded of an app in the pod directory, in either of two places: for our own stage0, and for that of
 * rkt 1.30 or whoever else reads its files (contract.h).
 */
#pragma once

#include "base/err.h"

struct app_fact {
	const char *ours, *classic;
};

extern const struct app_fact app_fact_status, app_fact_pid, app_fact_restarts;

/* Where it is, relative to the pod directory; heap. */
char *app_fact_ours(const struct app_fact *f, const char *app);
char *app_fact_classic(const struct app_fact *f, const char *app);

/* Remove its status and its pid, in both places; what is not there is no error.  What cannot be removed is told, the rest
 * is removed nevertheless. */
int app_facts_remove(int pod_fd, const char *app, struct err *e);
