/*
 * running — find the processes of a running pod from its directory, without mistaking a later process
 * with a recycled number for them (threats.md R38).
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* pidfd of the supervisor, and its number in *ret_pid: that, its start time and the boot id must match the record.
 * -ESRCH: gone; -ENOSYS, -EPERM: no pidfd_open(2) here. */
int running_supervisor(int pod_fd, pid_t *ret_pid, struct err *e);
/* Signal the supervisor (@sig 0: ask whether it lives) without a pidfd: the record is compared just before.  Only
 * where pidfds are missing, since between the two another process may get the number.  -ESRCH: gone. */
int running_kill(int pod_fd, int sig, struct err *e);
/* The supervisor's only child (stage2/init): its pid; *ret_pidfd owned by the caller. */
int running_init(int pod_fd, pid_t *ret_pid, int *ret_pidfd, struct err *e);
/* An O_PATH descriptor of the root directory of process @pid, which @pidfd holds; -ESRCH: it has gone. */
int running_root(pid_t pid, int pidfd);
/* The main process of @app below @init: pidfd, and an O_PATH descriptor of its root directory in
 * *ret_root; both the caller's.  -ESRCH: it does not run. */
int running_app(int pod_fd, pid_t init, const char *app, int *ret_root, struct err *e);
