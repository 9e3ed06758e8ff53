/*
 * requests — what the supervisor of a mutable pod is asked for: start an app, stop it, forget it; keep its devpts.
 *
 * The supervisor listens on CONTRACT_FILE_SOCKET in the pod directory, which only root can reach and which no pod
 * sees.  A client sends one struct app_call, with a start the sealed plan of the app, and gets one struct
 * plan_msg back.  The supervisor passes the plan on to init and never looks into it.  With it go the app's ends of its
 * streams, made anew for each start; ours go to the relay, and are gone when init says that the app is over.
 *
 * Terminals are on the devpts of the app's own /dev (threats.md R11), whose root app/add hands over when it has mounted it:
 * a directory in which only the kernel makes names.  No path that an app can change is looked up for one.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "stage2/plan.h"

enum app_op {
	APP_START =
		1,  /* answered by MSG_STARTED, or by MSG_FAILED when the app is over and its end recorded */
	APP_STOP,   /* by MSG_OVER; value 1: it did not run */
	APP_FORGET, /* by MSG_OVER; MSG_FAILED with EBUSY: it runs */
	APP_TERMINALS, /* a descriptor of the app's devpts comes with it; by MSG_OVER */
};

struct app_call {
	uint32_t op; /* enum app_op */
	uint32_t slot;
	uint8_t mode[3];  /* APP_START: enum stream_mode */
	uint8_t handlers; /* APP_START: 1: something runs before its program, and may write lines */
	char name[244];
};

#define REQUESTS_MAX 32 /* clients at a time */
#define REQUESTS_FDS (REQUESTS_MAX + 1)

struct requests {
	int listen_fd; /* FD_NONE: not a mutable pod */
	struct {
		int fd;
		uint32_t op, slot;      /* op 0: has not asked yet */
		struct plan_msg failed; /* why the start failed that it waits for; type 0: it has not */
	} client[REQUESTS_MAX];
	struct relay *relay;         /* the supervisor's, or NULL: nobody has use for streams */
	char *name[PLAN_APPS_MAX];   /* of the app that was started last in a slot */
	int pts[PLAN_APPS_MAX];      /* its devpts + 1; 0: none */
	bool active[PLAN_APPS_MAX];  /* started and not over */
	bool started[PLAN_APPS_MAX]; /* its program was executed */
};

#define REQUESTS_INIT                                                                                        \
	{                                                                                                    \
		.listen_fd = -EBADF                                                                          \
	}

/* Listen in the working directory, which is the pod's. */
int requests_open(struct requests *q, struct err *e);
/* Fill @p with what to poll for; returns how many, at most REQUESTS_FDS, 0 when not open. */
nfds_t requests_poll(const struct requests *q, struct pollfd *p);
/* React to what poll said; @control is the socket to init, @pod_fd where the records of a start are cleared. */
void requests_react(struct requests *q, const struct pollfd *p, nfds_t n, int control, int pod_fd);
/* A message of init about slot m->app, with its text ended: answer who waits for it. */
void requests_tell(struct requests *q, const struct plan_msg *m);
/* Name of the app in @slot, or NULL. */
const char *requests_name(const struct requests *q, int32_t slot);
/* Everybody who still waits sees the end of the connection. */
void requests_close(struct requests *q);
