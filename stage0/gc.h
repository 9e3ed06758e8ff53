/*
 * gc — mark, expire and delete pods (cli.md section 10.1); delete one pod (rm).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "stage0/pod.h"

enum gc_event { GC_MARKED, GC_ABORTED, GC_EXPIRED, GC_IN_GRACE, GC_DELETING, GC_FAILED };

struct gc_options {
	int64_t grace_ns, expire_prepared_ns;
	bool mark_only, debug;
	const char *local_config;
	/* Called for each thing done, so that the caller can print; @e only for GC_FAILED. */
	void (*report)(void *arg, enum gc_event ev, const char *uuid, const struct err *e);
	void *arg;
};

/* One pass: exited → exited-garbage, aborted → garbage, expired prepared → garbage, delete what is
 * past its grace, dead embryos, unlocked leftovers of cas/tmp and tmp.  Locked pods are skipped,
 * never waited for; uses a bounded number of descriptors. */
int gc_run(const struct datadir *d, const struct gc_options *o, struct err *e);

/* Delete a pod now (rm): prepared, aborted, exited or exited garbage.  -EBUSY otherwise, saying its state. */
int gc_remove_pod(struct pod *p, bool debug, const char *local_config, struct err *e);
