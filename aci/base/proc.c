/*
 * proc — start a helper, wait for it, signal it by pidfd.
 *
 * The child between fork and exec makes system calls only: everything that needs memory was made
 * before.  It tells a failed step through a pipe that a successful exec closes, so the parent knows
 * the outcome when proc_spawn returns.  Signals are blocked around fork, so that no handler of the
 * parent ever runs in the child.
 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/ticks.h"

#define NO_PIDFD_PAUSE_MS 5 /* between looks at a child, on kernels without pidfd_open (before 5.3) */
#define PROC_FILE_MAX     4096

enum spawn_step { STEP_PARENT, STEP_SESSION, STEP_DIRECTORY, STEP_FDS, STEP_CLOSE, STEP_SIGNALS, STEP_EXEC };

static const char *const step_names[] = {
	[STEP_PARENT] = "tie to its parent",
	[STEP_SESSION] = "begin a session",
	[STEP_DIRECTORY] = "enter its directory",
	[STEP_FDS] = "pass descriptors",
	[STEP_CLOSE] = "close descriptors",
	[STEP_SIGNALS] = "reset signals",
	[STEP_EXEC] = "execute",
};

struct failure {
	int step;
	int errnum;
};

/* What the child needs, all memory included. */
struct child {
	const struct spawn *s;
	int report;  /* write end of the failure pipe */
	int exec_fd; /* FD_NONE if by path */
	int *moved;  /* one for each s->fds */
	int *keep;   /* room for s->nfds + 2 */
	int floor;   /* above every target */
	pid_t parent;
};

/* A copy of @fd above every target number. */
static int move_up(int fd, int floor)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, floor);
}

/*
 * Sources may be numbers that are targets of others: copy all out of the way, then put each to its
 * place.  dup2(2) clears FD_CLOEXEC on the target.
 */
static int child_fds(struct child *c)
{
	c->report = move_up(c->report, c->floor);
	if (c->exec_fd >= 0)
		c->exec_fd = move_up(c->exec_fd, c->floor);
	if (c->report < 0 || (c->s->exec_fd > 0 && c->exec_fd < 0))
		return -1;
	for (size_t i = 0; i < c->s->nfds; i++) {
		int from = c->s->fds[i].from;
		int null = from < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

		c->moved[i] = move_up(from < 0 ? null : from, c->floor);
		if (c->moved[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < c->s->nfds; i++) {
		if (dup2(c->moved[i], c->s->fds[i].to) < 0)
			return -1;
	}
	return 0;
}

static int child_close(struct child *c)
{
	size_t n = 0;
	int r;

	for (size_t i = 0; i < c->s->nfds; i++)
		c->keep[n++] = c->s->fds[i].to;
	c->keep[n++] = c->report;
	c->keep[n++] = c->exec_fd;
	r = fd_close_all_but(c->keep, n);
	if (r < 0)
		errno = -r;
	return r;
}

static int child_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &dfl, NULL); /* KILL, STOP and libc's own refuse: fine */
	return sigemptyset(&none) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -1 : 0;
}

static int child_parent(const struct child *c)
{
	if (!c->s->death_signal)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, c->s->death_signal) < 0)
		return -1;
	if (getppid() != c->parent) { /* it died before the line above */
		errno = ESRCH;
		return -1;
	}
	return 0;
}

static int child_exec(const struct child *c)
{
	static char *const no_env[] = { NULL };
	char *const *env = c->s->env ? c->s->env : no_env;

	if (c->exec_fd >= 0)
		return (int)syscall(SYS_execveat, c->exec_fd, "", c->s->argv, env, AT_EMPTY_PATH);
	return execve(c->s->path, c->s->argv, env);
}

static int child_step(struct child *c, enum spawn_step step)
{
	switch (step) {
	case STEP_PARENT:
		return child_parent(c);
	case STEP_SESSION:
		return c->s->new_session && setsid() < 0 ? -1 : 0;
	case STEP_DIRECTORY:
		return c->s->cwd_fd > 0 ? fchdir(c->s->cwd_fd) : 0;
	case STEP_FDS:
		return child_fds(c);
	case STEP_CLOSE:
		return child_close(c);
	case STEP_SIGNALS:
		return child_signals();
	case STEP_EXEC:
		return child_exec(c);
	}
	return -1;
}

static _Noreturn void child_main(struct child *c)
{
	struct failure f = { STEP_PARENT, 0 };

	while (child_step(c, (enum spawn_step)f.step) == 0)
		f.step++;
	f.errnum = errno;
	(void)write_full(c->report, &f, sizeof(f)); /* the parent may be gone */
	_exit(127);
}

static pid_t fork_blocked(struct child *c)
{
	sigset_t all, old;
	int saved;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		child_main(c);
	saved = errno;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int proc_spawn(const struct spawn *s, struct proc *ret, struct err *e)
{
	const char *name = s->path ? s->path : s->argv[0];
	auto_free int *moved = xcalloc(s->nfds + 1, sizeof(int));
	auto_free int *keep = xcalloc(s->nfds + 2, sizeof(int));
	int pipe_fds[2];
	auto_close int out = FD_NONE, report = FD_NONE;
	struct child c = { .s = s,
			   .exec_fd = s->exec_fd > 0 ? s->exec_fd : FD_NONE,
			   .moved = moved,
			   .keep = keep,
			   .floor = 3,
			   .parent = getpid() };
	struct failure f;
	ssize_t n;
	pid_t pid;

	for (size_t i = 0; i < s->nfds; i++) {
		if (s->fds[i].to >= c.floor)
			c.floor = s->fds[i].to + 1;
	}
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "start %s: pipe", name);
	out = pipe_fds[0];
	report = pipe_fds[1];
	c.report = report;
	pid = fork_blocked(&c);
	if (pid < 0)
		return err_sys(e, errno, "start %s: fork", name);
	fd_close(&report);
	n = read_full(out, &f, sizeof(f));
	if (n != 0) {
		reap(pid);
		if (n != (ssize_t)sizeof(f) || f.step < 0 || f.step >= (int)ARRAY_LEN(step_names))
			return err_sys(e, n < 0 ? (int)-n : EPROTO, "start %s", name);
		return err_sys(e, f.errnum, "start %s: %s", name, step_names[f.step]);
	}
	ret->pid = pid;
	ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ret->pidfd < 0)
		ret->pidfd = FD_NONE; /* proc_wait does without */
	return 0;
}

/* Until the child has ended: 1, or 0 when the time is over, or -errno. */
static int wait_end(const struct proc *p, int timeout_ms)
{
	int64_t deadline = ticks_ms() + timeout_ms;

	if (timeout_ms < 0)
		return 1; /* waitpid does the waiting */
	for (;;) {
		struct pollfd pfd = { .fd = p->pidfd, .events = POLLIN };
		int64_t left = deadline - ticks_ms();
		siginfo_t si = { 0 };
		int r;

		if (left < 0)
			left = 0;
		if (p->pidfd < 0 && left > NO_PIDFD_PAUSE_MS)
			left = NO_PIDFD_PAUSE_MS;
		if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0 && errno != EINTR)
			return -errno;
		if (si.si_pid == p->pid)
			return 1;
		if (ticks_ms() >= deadline)
			return 0;
		r = poll(&pfd, p->pidfd >= 0, (int)left);
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

int proc_wait(struct proc *p, int timeout_ms, int *ret_status, struct err *e)
{
	int status = 0, r;

	if (p->pid <= 0)
		return err_set(e, ERR_STATE, ECHILD, "wait for a process that was not started");
	r = wait_end(p, timeout_ms);
	if (r < 0)
		return err_sys(e, -r, "wait for process %d", (int)p->pid);
	if (r == 0)
		return err_set(e, ERR_STATE, ETIMEDOUT, "process %d is still running after %d ms",
			       (int)p->pid, timeout_ms);
	while (waitpid(p->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_sys(e, errno, "wait for process %d", (int)p->pid);
	}
	p->pid = 0;
	fd_close(&p->pidfd);
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

void proc_kill(struct proc *p)
{
	if (p->pid > 0) {
		/* Not reaped yet, so the number is still its own. */
		(void)kill(p->pid, SIGKILL);
		reap(p->pid);
		fd_close(&p->pidfd);
	}
	p->pid = 0;
}

/* The beginning of a kernel file that is produced in one piece; the length, or -errno. */
static ssize_t read_kernel(const char *path, char *buf, size_t room)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, room - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

/* "PID (NAME) STATE …" (proc(5)). */
static int read_stat(const char *path, long *ret_pid, unsigned long long *ret_start)
{
	char text[PROC_FILE_MAX];
	const char *p;
	ssize_t r = read_kernel(path, text, sizeof(text));

	if (r < 0)
		return r == -ENOENT ? -ESRCH : (int)r;
	/* The name in parentheses may hold anything: count from the last one; "state" is field 3. */
	p = strrchr(text, ')');
	if (!p)
		return -EPROTO;
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -EPROTO;
	errno = 0;
	*ret_pid = strtol(text, NULL, 10);
	*ret_start = strtoull(p + 1, NULL, 10);
	return errno ? -errno : 0;
}

int proc_start_time(pid_t pid, unsigned long long *ret)
{
	char path[64];
	long same;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return read_stat(path, &same, ret);
}

int proc_self(pid_t *ret_pid, unsigned long long *ret_start)
{
	long pid = 0;
	int r = read_stat("/proc/self/stat", &pid, ret_start);

	*ret_pid = (pid_t)pid;
	return r;
}

int proc_boot_id(char out[37])
{
	char text[64];
	ssize_t r = read_kernel("/proc/sys/kernel/random/boot_id", text, sizeof(text));

	if (r < 0)
		return (int)r;
	if (r < 36)
		return -EPROTO;
	memcpy(out, text, 36);
	out[36] = '\0';
	return 0;
}
