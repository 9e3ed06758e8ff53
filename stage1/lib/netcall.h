/*
 * netcall — the supervisor's side of the program net: a pod's networks, while it begins, lives and ends.
 *
 * `net add` runs beside the child that builds the trees, which waits for its result only before the last mounts. If ports are
 * published it stays and serves them until the pod has ended. It dies with us, by any signal; what it has made is then undone
 * by the gc entrypoint, from the record in the pod directory.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/proc.h"
#include "stage1/net/answer.h"

struct sandbox;

struct netcall {
	bool begun;             /* there may be something to undo */
	bool ends;              /* the program has answered and ends by itself */
	bool heard;             /* in the child: it knows the above */
	enum net_resolv resolv; /* in the supervisor: the networks brought a resolv.conf */
	int netns_fd;           /* the pod's network namespace, which lives as long as this */
	int answer_fd;
	struct proc proc;
};

#define NETCALL_INIT                                                                                         \
	{                                                                                                    \
		.netns_fd = FD_NONE, .answer_fd = FD_NONE, .proc = { 0, FD_NONE }                            \
	}

/* Does the pod have networks beyond the loopback interface and the host's? */
bool netcall_wanted(const struct sandbox *s);

/* After the clone: begin to connect the pod. */
int netcall_begin(struct sandbox *s, struct err *e);
/* Its result lets the child go on.  -EINTR: a signal that calls the pod off came first. */
int netcall_await(struct sandbox *s, int signal_fd, struct err *e);
/* In the child: wait for that, and put the resolv.conf among the files of every app.  Once; later calls return at once. */
int netcall_hear(struct sandbox *s, struct err *e);
/* When every process of the pod has ended: stop serving, undo.  What fails is logged and stays for gc. */
void netcall_end(struct sandbox *s);

/* For the gc entrypoint, in the pod directory @pod_fd of pod @uuid: undo what a crash left.  Nothing recorded is success. */
int netcall_undo(int pod_fd, const char *uuid, const char *local_config, struct err *e);
