/*
 * tracer — a command and whatever it starts under ptrace(2), for test programs that look at system calls.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Start @argv, traced from before its exec on, with stops at system calls, forks of every kind and execs; @options: further ones
 * (PTRACE_O_EXITKILL).  @self: our name, for errors.  Its pid, whose first stop has still to be heard of; -1: it cannot be traced. */
pid_t tracer_begin(const char *self, char **argv, unsigned int options);

struct tracer_calls {
	void (*stopped)(pid_t pid, int wait_status); /* lets it go on */
	void (*ended)(pid_t pid);
};

/* Until @command has ended, or, with @to_the_last, everybody.  The status of @command as shells say it: 128+n for signal n. */
int tracer_watch(pid_t command, bool to_the_last, const struct tracer_calls *calls);
