/*
 * killat — runs a command and sends one SIGKILL to one process of it, at a system call that is counted or at a
 * step that is named (ptrace(2): the command itself is the one that users run).
 *
 *   killat ROLE COUNT -- COMMAND [ARG...]     kill ROLE when it enters its COUNTth system call (1…)
 *   killat ROLE step:NAME -- COMMAND [ARG...] … when it writes "step "NAME"" to its standard error (--debug)
 *   killat count FILE -- COMMAND [ARG...]     kill nobody; FILE gets "ROLE CALLS" for every role
 *
 * ROLE says who: how many programs a process and its ancestors have executed, one digit or more, and "f" for each
 * fork since the last of them.  The command itself is 1.  With `rkt run`: 2 the supervisor, 2f the child that
 * builds the pod, 3 init, 3f what init cloned, 4 the app's launch.  The first process with a role is counted.
 *
 * Exit status: that of the command, 128+n for signal n; 98 when nobody was killed; 99 for a mistake of the caller.
 */
#include "tests/functional/tracer.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define TRACED_MAX 1024
#define ROLE_MAX   16

struct traced {
	pid_t pid;
	int execs, forks; /* forks: since the last exec */
	long calls;
	bool known; /* its parent has told who it is */
};

static struct traced all[TRACED_MAX];
static size_t nall;
static struct {
	char role[ROLE_MAX];
	long calls;
} counted[64];
static size_t ncounted;

static const char *want_role, *want_step;
static long want_count;
static pid_t victim;
static bool killed;

static struct traced *find(pid_t pid)
{
	for (size_t i = 0; i < nall; i++) {
		if (all[i].pid == pid)
			return &all[i];
	}
	if (nall == TRACED_MAX) {
		fprintf(stderr, "killat: too many processes\n");
		exit(99);
	}
	all[nall] = (struct traced){ .pid = pid };
	return &all[nall++];
}

static void role_of(const struct traced *t, char out[ROLE_MAX])
{
	int n = snprintf(out, ROLE_MAX, "%d", t->execs);

	for (int i = 0; i < t->forks && n < ROLE_MAX - 1; i++)
		out[n++] = 'f';
	out[n] = '\0';
}

static void count(const char *role)
{
	for (size_t i = 0; i < ncounted; i++) {
		if (strcmp(counted[i].role, role) == 0) {
			counted[i].calls++;
			return;
		}
	}
	if (ncounted < sizeof(counted) / sizeof(counted[0])) {
		(void)snprintf(counted[ncounted].role, ROLE_MAX, "%s", role);
		counted[ncounted++].calls = 1;
	}
}

/* The call that @t is entering writes the name of the step we wait for. */
static bool writes_step(const struct traced *t)
{
	struct __ptrace_syscall_info in;
	char text[512];

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(in), &in) <= 0 ||
	    in.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if ((in.entry.nr != SYS_write && in.entry.nr != SYS_writev) || in.entry.args[0] != 2)
		return false;
	struct iovec to = { text, sizeof(text) - 1 };
	struct iovec from = { (void *)(uintptr_t)in.entry.args[1], sizeof(text) - 1 };
	if (in.entry.nr == SYS_write && in.entry.args[2] < from.iov_len)
		from.iov_len = in.entry.args[2];
	ssize_t n = process_vm_readv(t->pid, &to, 1, &from, 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, want_step) != NULL;
}

static bool entering(pid_t pid)
{
	struct __ptrace_syscall_info in;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(in), &in) > 0 &&
	       in.op == PTRACE_SYSCALL_INFO_ENTRY;
}

static void on_call(struct traced *t)
{
	char role[ROLE_MAX];

	if (!entering(t->pid))
		return;
	role_of(t, role);
	t->calls++;
	if (!want_role) {
		count(role);
		return;
	}
	if (killed || strcmp(role, want_role) != 0 || (victim && victim != t->pid))
		return;
	victim = t->pid;
	if (want_step ? writes_step(t) : t->calls == want_count) {
		killed = true;
		(void)kill(t->pid, SIGKILL);
	}
}

static void on_event(struct traced *t, int event)
{
	unsigned long child = 0;

	if (event == PTRACE_EVENT_EXEC) {
		t->execs++;
		t->forks = 0;
		t->calls = 0;
		if (victim == t->pid)
			victim = 0;
	} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
		if (ptrace(PTRACE_GETEVENTMSG, t->pid, 0, &child) < 0)
			return;
		struct traced parent = *t;
		struct traced *c = find((pid_t)child);
		c->execs = parent.execs;
		c->forks = parent.forks + 1;
		c->known = true;
		/* it may have stopped before we knew it */
		(void)ptrace(PTRACE_SYSCALL, c->pid, 0, 0);
	}
}

/* Let @pid go on; what it stopped for decides how. */
static void go_on(pid_t pid, int st)
{
	struct traced *t = find(pid);
	int sig = WSTOPSIG(st), event = st >> 16;

	if (sig == (SIGTRAP | 0x80)) {
		on_call(t);
		sig = 0;
	} else if (event == PTRACE_EVENT_STOP) {
		/* born, or stopped by a signal: a newborn waits for its parent's word */
		if (!t->known)
			return;
		if (sig != SIGTRAP) {
			(void)ptrace(PTRACE_LISTEN, t->pid, 0, 0);
			return;
		}
		sig = 0;
	} else if (event) {
		on_event(t, event);
		sig = 0;
	}
	/* who has done his work need not be slow any longer */
	(void)ptrace(killed ? PTRACE_CONT : PTRACE_SYSCALL, t->pid, 0, sig);
}

static void forget(pid_t pid)
{
	find(pid)->pid = -1;
}

int main(int argc, char **argv)
{
	static char step[128];

	if (argc < 5 || strcmp(argv[3], "--") != 0) {
		fprintf(stderr, "usage: killat ROLE COUNT|step:NAME -- COMMAND...\n       killat count FILE "
				"-- COMMAND...\n");
		return 99;
	}
	if (strcmp(argv[1], "count") != 0) {
		want_role = argv[1];
		if (strncmp(argv[2], "step:", 5) == 0) {
			(void)snprintf(step, sizeof(step), "step \"%s\"", argv[2] + 5);
			want_step = step;
		}
		want_count = want_step ? 0 : strtol(argv[2], NULL, 10);
	}
	const pid_t command = tracer_begin("killat", argv + 4, 0);
	if (command < 0)
		return 99;
	find(command)->known = true;
	/* the rest goes on by itself when we end */
	int result = tracer_watch(command, false, &(const struct tracer_calls){ go_on, forget });
	if (want_role && !killed)
		return 98;
	if (!want_role) {
		FILE *f = fopen(argv[2], "we");

		if (!f)
			return 99;
		for (size_t i = 0; i < ncounted; i++)
			fprintf(f, "%s %ld\n", counted[i].role, counted[i].calls);
		if (fclose(f) != 0)
			return 99;
	}
	return result;
}
