/*
 * podstart — what run and prepare have in common: from parsed options to a prepared pod directory.
 */
#pragma once

#include "base/err.h"
#include "rkt/cli.h"
#include "rkt/host.h"
#include "rkt/podflags.h"
#include "stage0/pod.h"
#include "stage0/stage1.h"

/*
 * Choose the stage1, obtain the images, make the pod and fill it; @a gives its app requests away.
 * On success @pod is in prepare/ and locked.  On failure nothing of the pod is left, but the file
 * of --uuid-file-save is.
 */
int podstart_prepare(struct cli *c, struct pod_args *a, struct host *h, struct stage1 *ret_stage1,
		     struct pod *ret_pod, struct err *e);

/* run() of run and app sandbox, whose arguments are looked at: prepare the pod and become its supervisor.  Returns on failure only;
 * nothing of the pod is left then, as above. */
int podstart_run(struct cli *c, struct pod_args *a, struct err *e);

/* Delete a pod that is being prepared by us; what cannot be deleted is left to gc. */
void podstart_abandon(struct pod *p);

/* --interactive is for pods of one app: look into the manifest. */
int podstart_check_interactive(const struct pod *p, bool interactive, struct err *e);

/* The same for pods that publish ports, which --net=none and --net=host cannot (cli.md section 9.2: rkt 1.30 did not look). */
int podstart_check_ports(const struct pod *p, char *const *net, struct err *e);

/* What run and run-prepared tell the stage1. */
struct run_options podstart_options(const struct cli *c, const struct pod_args *a);
