/*
 * appverb — what the verbs of `rkt app` share: a pod, and mostly an app of it.
 */
#pragma once

#include "base/err.h"
#include "rkt/cli.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "stage0/pod.h"
#include "stage0/status.h"

struct appverb_args {
	char *app;
	char *format;
	bool no_legend;
};

/* The manifest of a pod that runs and, in *ret_app, its app @want, or its only one, borrowed from it; NULL on failure. */
struct pod_manifest *appverb_running(const struct pod *p, const char *want, const char **ret_app,
				     struct err *e);
/* --app of start, stop, rm and status. */
extern const struct opt appverb_app[];
extern const struct opt *const appverb_app_tables[];

/* The one pod of c->rest; usage error for none or several. */
int appverb_pod(struct cli *c, unsigned int need, struct host *h, struct pod *p, struct err *e);
/* What is known of it; pod_snapshot_done. */
int appverb_snapshot(struct cli *c, struct pod_snapshot *ret, struct err *e);
/* run() of start, stop and rm: --app is mandatory; @act does it, 1 meaning "nothing to do", and prints @done or @idle
 * with the app's name. */
int appverb_run(struct cli *c, int (*act)(struct pod *p, const char *app, bool debug, struct err *e),
		const char *done, const char *idle, struct err *e);
