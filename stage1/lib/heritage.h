/*
 * heritage — what the processes of a pod have from whoever called rkt, and those that enter must not have from their own
 * caller instead: resource limits and the out-of-memory score.  What a plan says of either comes on top.
 */
#pragma once

#include <sys/resource.h>

#include "base/err.h"

struct heritage {
	struct rlimit limits[RLIM_NLIMITS];
	int oom_score;
};

/* Of the pod's supervisor, in which nobody of the pod can change them.  -ESRCH: it has gone. */
int heritage_read(int pod_fd, struct heritage *ret, struct err *e);

/*
 * Take them on; where only CAP_SYS_RESOURCE could give more than we have, we keep the less: a higher score, lower limits.  The
 * score on the host, since a user namespace has no say in it; limits as late as possible, since they are narrow for some.
 */
int heritage_take_score(const struct heritage *h, int proc_fd, struct err *e);
int heritage_take_limits(const struct heritage *h);
