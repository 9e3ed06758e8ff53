/*
 * supervise — the life of the process that was rkt: forward signals in, records out, exit with the
 * pod's status.  It holds the pod's lock and nothing else that the pod needs; its death, by any
 * signal, closes the control socket, which init takes as its own end.
 */
#pragma once

#include "base/err.h"
#include "stage1/lib/sandbox.h"

/* Block the signals that supervise handles; call before the clone.  signalfd or -errno. */
int supervise_signals(struct err *e);

/* Did a signal come that ends a pod?  0, or -EINTR with an error that names it; others are for nobody before there is a pod. */
int supervise_called_off(int signal_fd, struct err *e);

/* Wait for the child's execve (or its error), send MSG_GO, then stay until the pod has ended.
 * *ret_status: exit status of the pod.  Error: the pod never started. */
int supervise(struct sandbox *s, int signal_fd, int *ret_status, struct err *e);
