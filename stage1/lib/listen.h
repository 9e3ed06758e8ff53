/*
 * listen — sockets that a service manager opened for the pod (sd_listen_fds(3)).
 *
 * They are ours when LISTEN_PID is our process id.  The only app of a pod gets them all; of several each gets
 * those whose port is that of one of its ports marked socketActivated.  The app finds them from descriptor 3 on, with
 * LISTEN_FDS, LISTEN_FDNAMES and, being what it is in the pod, LISTEN_PID.
 */
#pragma once

#include "base/err.h"
#include "stage2/plan.h"

struct sandbox;

struct listen_fds {
	int fd[PLAN_LISTEN_MAX];
	uint32_t n;
	char *names; /* of these, joined by ":"; NULL unless there are names */
};

/* Give each app its sockets.  -EINVAL: one that nobody takes; more than PLAN_LISTEN_MAX. */
int listen_share(struct sandbox *s, struct err *e);
/* In the supervisor, after the clone: they are the pod's. */
void listen_hand_over(struct sandbox *s);
