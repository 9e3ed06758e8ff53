/*
 * clockshift — runs a command, and whatever it starts, under a clock that is set wrong (threats.md T62).
 *
 *   clockshift SECONDS -- COMMAND [ARG...]     SECONDS are added to what the kernel says of the time of day
 *
 * Times of files remain the kernel's: to the command they are as before the clock was set.  A program that the kernel maps its clock into would
 * never ask it, so each is told at its start that there is no such page (AT_SYSINFO_EHDR); after that clock_gettime, gettimeofday and time are
 * system calls, also of static programs, and their results are changed (ptrace(2)).
 *
 * Exit status: that of the command, 128+n for signal n; 99 for a mistake of the caller.
 */
#include "tests/functional/tracer.h"

#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#define TRACED_MAX 4096

/* The call that a thread is in. */
static struct traced {
	pid_t pid;
	uint64_t nr, args[2];
} all[TRACED_MAX];
static int64_t shift;

static struct traced *find(pid_t pid)
{
	size_t free_one = TRACED_MAX;

	for (size_t i = 0; i < TRACED_MAX; i++) {
		if (all[i].pid == pid)
			return &all[i];
		if (!all[i].pid && free_one == TRACED_MAX)
			free_one = i;
	}
	if (free_one == TRACED_MAX)
		exit(99);
	all[free_one] = (struct traced){ .pid = pid };
	return &all[free_one];
}

/* The seconds at @at, which timespec and timeval begin with. */
static void add_at(pid_t pid, uint64_t at)
{
	int64_t s = 0;
	struct iovec here = { &s, sizeof(s) }, there = { (void *)(uintptr_t)at, sizeof(s) };

	if (!at || process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)sizeof(s))
		return;
	s += shift;
	(void)process_vm_writev(pid, &here, 1, &there, 1, 0);
}

#ifdef SYS_time
static void add_to_result(pid_t pid)
{
	struct user_regs_struct regs;
	struct iovec v = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v) < 0)
		return;
	regs.rax += (uint64_t)shift;
	(void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v);
}
#endif

static void on_call(struct traced *t)
{
	struct __ptrace_syscall_info in;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(in), &in) <= 0)
		return;
	if (in.op == PTRACE_SYSCALL_INFO_ENTRY) {
		t->nr = in.entry.nr;
		t->args[0] = in.entry.args[0];
		t->args[1] = in.entry.args[1];
		return;
	}
	if (in.op != PTRACE_SYSCALL_INFO_EXIT || in.exit.is_error)
		return;
	if (t->nr == SYS_clock_gettime &&
	    (t->args[0] == CLOCK_REALTIME || t->args[0] == CLOCK_REALTIME_COARSE))
		add_at(t->pid, t->args[1]);
	else if (t->nr == SYS_gettimeofday)
		add_at(t->pid, t->args[0]);
#ifdef SYS_time
	else if (t->nr == SYS_time)
		add_to_result(t->pid);
#endif
}

static uint64_t word_at(pid_t pid, uint64_t at)
{
	uint64_t w = 0;
	struct iovec here = { &w, sizeof(w) }, there = { (void *)(uintptr_t)at, sizeof(w) };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)sizeof(w) ? w : 0;
}

/* On its stack a new program finds argc, argv, its environment and then what the kernel tells it. */
static void hide_clock_page(pid_t pid)
{
	struct __ptrace_syscall_info in;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(in), &in) <= 0)
		return;
	uint64_t at = in.stack_pointer + 8 * (word_at(pid, in.stack_pointer) + 2);
	while (word_at(pid, at))
		at += 8;
	for (at += 8; word_at(pid, at) != AT_NULL; at += 16) {
		if (word_at(pid, at) == AT_SYSINFO_EHDR)
			(void)ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)at, (void *)AT_IGNORE);
	}
}

static void go_on(pid_t pid, int st)
{
	struct traced *t = find(pid);
	int sig = WSTOPSIG(st), event = st >> 16;

	if (sig == (SIGTRAP | 0x80)) {
		on_call(t);
		sig = 0;
	} else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		(void)ptrace(PTRACE_LISTEN, t->pid, 0, 0);
		return;
	} else if (event) {
		if (event == PTRACE_EVENT_EXEC)
			hide_clock_page(t->pid);
		sig = 0;
	}
	(void)ptrace(PTRACE_SYSCALL, t->pid, 0, sig);
}

static void forget(pid_t pid)
{
	find(pid)->pid = 0;
}

int main(int argc, char **argv)
{
	char *end = NULL;

	if (argc > 3)
		shift = strtoll(argv[1], &end, 10);
	if (argc < 4 || *end || strcmp(argv[2], "--") != 0) {
		fprintf(stderr, "usage: clockshift SECONDS -- COMMAND [ARG...]\n");
		return 99;
	}
	const pid_t command = tracer_begin("clockshift", argv + 3, PTRACE_O_EXITKILL);
	if (command < 0)
		return 99;
	return tracer_watch(command, true, &(const struct tracer_calls){ go_on, forget });
}
