/*
 * launch — the one constructor of processes: apps, their handlers, and whatever enter starts.
 *
 * Compiled into stage2/init, stage2/launch and nothing else that starts processes in a pod.  Runs
 * in a freshly cloned child; uses no heap; reports {step, errno} over @err_fd, which the final
 * execve closes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum launch_step {
	LAUNCH_CGROUP = 1,
	LAUNCH_SESSION,
	LAUNCH_STDIO,
	LAUNCH_OOM,
	LAUNCH_RLIMIT,
	LAUNCH_ROOT,
	LAUNCH_CWD,
	LAUNCH_PATHS,
	LAUNCH_GROUPS,
	LAUNCH_CAPS,
	LAUNCH_USER,
	LAUNCH_NNP,
	LAUNCH_SECCOMP,
	LAUNCH_FDS,
	LAUNCH_EXEC,
	LAUNCH_STEPS
};

/* "join the cgroup", "enter the root file system" … for messages; also used by stage1 (stage2/stepname.c,
 * archive "plan").  Knows enum init_step too; never NULL. */
const char *launch_step_name(int step);

enum launch_flag {
	LAUNCH_JOINED = 1,     /* already inside the app's mount namespace and root: no pivot_root */
	LAUNCH_SHELL_PATH = 2, /* argv[0] without "/" is looked up in PATH of the app's environment (enter) */
};

/* What a process of ours was born with, as /proc says; what could not be read is taken for the worst. */
struct launch_inherited {
	uint64_t ignored;  /* bit n - 1: signal n */
	uint32_t umask;    /* UINT32_MAX: unknown */
	bool root;         /* all four user ids and all four group ids are 0 */
	int pid;           /* in the pid namespace whose procfs it is; 0: unknown */
	uint64_t bounding; /* capabilities of the bounding set */
};

struct launch {
	const void *plan; /* checked */
	uint32_t app;
	const char *const *argv; /* NULL-terminated; what to run */
	const char *const *env;  /* NULL-terminated */
	unsigned int flags;
	int stdio[3];
	int tty;               /* 1: stdio[0] becomes the controlling terminal */
	const int32_t *listen; /* descriptors that become 3, 4 …; NULL: none */
	uint32_t nlisten;
	int cgroup_procs[16]; /* fds of cgroup.procs files to write "0" to, -1 = end */
	int proc_fd;          /* a procfs of our own (for oom_score_adj) */
	int err_fd;           /* CLOEXEC; receives {int step; int errnum} on failure */
	struct launch_inherited inherited;
};

/* One write to err_fd, shorter than PIPE_BUF. */
struct launch_failure {
	int step; /* enum launch_step */
	int errnum;
	char what
		[104]; /* path or name the step failed on, maybe cut, NUL-terminated; for a script or program whose
			 * interpreter is missing (step LAUNCH_EXEC, ENOENT) the path of the interpreter */
};

/* Ignored signals survive execve(2), so both mains undo what they have inherited before they launch anything.
 * @proc_fd as above; a descriptor of it stays open, marked for closing.  @ret: for struct launch. */
void launch_reset_signals(int proc_fd, struct launch_inherited *ret);

/* Build the process and execve; on failure report and _exit(254). */
_Noreturn void launch_exec(const struct launch *l);

/* Fill @ptrs (room for @max) with the strings of @v and a final NULL; returns 0 or -1 (too many).  (plan.c) */
struct plan_vec;
int launch_vec(const void *plan, const struct plan_vec *v, const char **ptrs, uint32_t max);
