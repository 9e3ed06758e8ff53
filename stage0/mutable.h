/*
 * mutable — apps that are added to a running pod, started, stopped and removed (cli.md section 9.19).
 *
 * A mutable pod's manifest says so.  Add, start and remove hold the lock file CONTRACT_FILE_LOCK of the pod, so they
 * come one after the other; stop, which may take long, does not.
 */
#pragma once

#include "base/err.h"
#include "stage0/pod.h"
#include "stage0/prepare.h"
#include "stage0/stage1.h"
#include "stage0/store.h"

/* Was the pod made to be mutable?  Its manifest @m says so, and so does its lock file: the manifest alone may be
 * somebody's copy of another pod's (--pod-manifest). */
bool pod_is_mutable(const struct pod *p, const struct pod_manifest *m);

/* Add the one app of @q (its volumes and environment of the pod do not count) to the running pod; its name, heap,
 * in *ret_name.  What fails leaves nothing of it.  -EEXIST: the name is in use. */
int mutable_add(struct pod *p, const struct pod_request *q, const struct store *s, bool debug,
		char **ret_name, struct err *e);
/* Start an app, the first time or again; returns when its program was executed.  -ENOENT: no such app. */
int mutable_start(struct pod *p, const char *app, bool debug, struct err *e);
/* Stop it and wait for its end; 1: it did not run, or the pod has ended. */
int mutable_stop(struct pod *p, const char *app, bool debug, struct err *e);
/* Remove an app that does not run, also from a pod that has ended. */
int mutable_rm(struct pod *p, const char *app, bool debug, struct err *e);
