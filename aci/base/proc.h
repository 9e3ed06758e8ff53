/*
 * proc — start a helper, wait for it, signal it by pidfd.
 *
 * The child gets default signals, an empty mask and exactly the descriptors that are listed.
 * Failure to start is reported by the parent with the step that failed.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct proc_fd {
	int from; /* ours; FD_NONE = /dev/null */
	int to;   /* number in the child */
};

struct spawn {
	const char *path; /* absolute path of the program, or NULL when @exec_fd is set */
	int exec_fd;      /* program as an open file (execveat); 0 = unset */
	char *const *argv;
	char *const *env;          /* NULL = empty environment */
	const struct proc_fd *fds; /* everything else above 2 is closed; 0-2 are ours unless listed */
	size_t nfds;
	int cwd_fd;       /* 0 = unset */
	int death_signal; /* PR_SET_PDEATHSIG, 0 = none */
	bool new_session; /* setsid(2): no terminal, and kill(-pid) reaches whom it starts */
};

struct proc {
	pid_t pid;
	int pidfd; /* FD_NONE before Linux 5.3 */
};

int proc_spawn(const struct spawn *s, struct proc *ret, struct err *e);
/* Wait; *ret_status is exit code, or 128 + signal.  @timeout_ms < 0 = for ever; -ETIMEDOUT leaves it
 * running.  After success ->pid is 0 and ->pidfd closed. */
int proc_wait(struct proc *p, int timeout_ms, int *ret_status, struct err *e);
/* SIGKILL and reap, if still there. */
void proc_kill(struct proc *p);

/* Start time of @pid in clock ticks since boot (field 22 of /proc/PID/stat); -ESRCH if gone. */
int proc_start_time(pid_t pid, unsigned long long *ret);
/* Our own pid and start time, at one look. */
int proc_self(pid_t *ret_pid, unsigned long long *ret_start);
/* Kernel boot id, 36 characters and NUL. */
int proc_boot_id(char out[37]);
