/* tracer — see tracer.h. */
#include "tests/functional/tracer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                                                              \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |            \
	 PTRACE_O_TRACEEXEC)

/* The command waits at the gate until we trace it. */
pid_t tracer_begin(const char *self, char **argv, unsigned int options)
{
	int gate[2];
	char c = 0;

	if (pipe(gate) < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(gate[1]);
		if (read(gate[0], &c, 1) != 1)
			_exit(99);
		(void)close(gate[0]);
		(void)execvp(argv[0], argv);
		_exit(99);
	}
	(void)close(gate[0]);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0, OPTIONS | options) < 0) {
		fprintf(stderr, "%s: cannot trace: %s\n", self, strerror(errno));
		(void)close(gate[1]); /* the end of who waits there */
		return -1;
	}
	/* stops at system calls begin at once, so that the exec is seen */
	(void)ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	bool open = write(gate[1], &c, 1) == 1;
	(void)close(gate[1]);
	return open ? pid : -1;
}

int tracer_watch(pid_t command, bool to_the_last, const struct tracer_calls *calls)
{
	int result = 99;

	for (;;) {
		int st = 0;
		pid_t pid = waitpid(-1, &st, __WALL);

		if (pid < 0)
			return result;
		if (WIFSTOPPED(st)) {
			calls->stopped(pid, st);
			continue;
		}
		calls->ended(pid);
		if (pid != command)
			continue;
		result = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
		if (!to_the_last)
			return result;
	}
}
