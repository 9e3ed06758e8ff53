/* proc: what a child gets, how a failed start is told, waiting and killing. */
#include "tests/unit/suite.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/strv.h"

#define SH "/bin/sh"

/* Run `sh -c @script` with its output captured in @out; exit status. */
static int sh(const char *script, char *const *env, struct buf *out)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct err e = ERR_INIT;
	struct proc p;
	int pipe_fds[2], status = -1;

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	const struct proc_fd fds[] = { { FD_NONE, 0 }, { pipe_fds[1], 1 } };
	const struct spawn s = { .path = SH, .argv = (char *const *)argv, .env = env, .fds = fds, .nfds = 2 };

	ck_assert_msg(proc_spawn(&s, &p, &e) == 0, "%s", e.text);
	ck_assert_int_eq(close(pipe_fds[1]), 0);
	ck_assert_int_eq(fd_read_all(pipe_fds[0], 65536, out), 0);
	ck_assert_int_eq(close(pipe_fds[0]), 0);
	ck_assert_int_eq(proc_wait(&p, -1, &status, &e), 0);
	ck_assert_int_eq(p.pid, 0);
	ck_assert_int_eq(p.pidfd, FD_NONE);
	return status;
}

START_TEST(status_of_exit_and_signal)
{
	auto_buf out = BUF_INIT;

	ck_assert_int_eq(sh("exit 7", NULL, &out), 7);
	ck_assert_int_eq(sh("kill -TERM $$", NULL, &out), 128 + SIGTERM);
	ck_assert_int_eq(sh("exit 0", NULL, &out), 0);
	ck_assert_str_eq(buf_str(&out), "");
}
END_TEST

START_TEST(environment_is_only_what_is_given)
{
	auto_buf out = BUF_INIT;
	auto_strv env = NULL;

	ck_assert_int_eq(setenv("LEAK", "1", 1), 0);
	strv_push(&env, "A=b c");
	ck_assert_int_eq(sh("echo \"$A:$LEAK\"", env, &out), 0);
	ck_assert_str_eq(buf_str(&out), "b c:\n");
	buf_clear(&out);
	ck_assert_int_eq(sh("echo \"$A:$LEAK\"", NULL, &out), 0);
	ck_assert_str_eq(buf_str(&out), ":\n");
}
END_TEST

START_TEST(descriptors_are_only_what_is_given)
{
	auto_buf out = BUF_INIT;

	for (int fd = 20; fd < 25; fd++)
		ck_assert_int_eq(dup2(0, fd), fd);
	/* 0 is the null device. */
	ck_assert_int_eq(sh("ls /proc/$$/fd; readlink /proc/$$/fd/0", NULL, &out), 0);
	ck_assert_str_eq(buf_str(&out), "0\n1\n2\n/dev/null\n");
}
END_TEST

/* 3 -> 4, 4 -> 5, 5 -> 3: a ring.  0 when the child sees it turned; the line of what failed otherwise. */
static int turn_ring(void)
{
	const char *argv[] = { "sh", "-c", "read a <&3; read b <&4; read c <&5; [ $a$b$c = 534 ]", NULL };
	const struct proc_fd ring[] = { { 3, 4 }, { 4, 5 }, { 5, 3 } };
	const struct spawn s = { .path = SH, .argv = (char *const *)argv, .fds = ring, .nfds = 3 };
	struct err e = ERR_INIT;
	struct proc p;
	int status = -1;

	if (fd_close_all_but(NULL, 0) != 0)
		return __LINE__;
	for (int n = 3; n <= 5; n++) {
		char line[2] = { (char)('0' + n), '\n' };

		if (memfd_new("n") != n || write_full(n, line, 2) != 0 || lseek(n, 0, SEEK_SET) != 0)
			return __LINE__;
	}
	if (proc_spawn(&s, &p, &e) != 0 || proc_wait(&p, -1, &status, &e) != 0)
		return __LINE__;
	return status;
}

START_TEST(numbers_may_overlap)
{
	int status;
	pid_t pid = fork(); /* Check's own descriptors are among those numbers */

	if (pid == 0)
		_exit(turn_ring());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static pid_t session_of_child(bool new_session)
{
	const char *argv[] = { "sleep", "60", NULL };
	const struct spawn s = { .path = "/bin/sleep",
				 .argv = (char *const *)argv,
				 .death_signal = SIGKILL,
				 .new_session = new_session };
	struct err e = ERR_INIT;
	struct proc p;
	pid_t sid;

	OK(proc_spawn(&s, &p, &e));
	sid = getsid(p.pid);
	ck_assert_int_eq(sid == p.pid, new_session);
	proc_kill(&p);
	return sid;
}

START_TEST(session_is_new_when_asked_for)
{
	ck_assert_int_eq(session_of_child(false), getsid(0));
	ck_assert_int_ne(session_of_child(true), getsid(0));
}
END_TEST

START_TEST(signals_are_reset)
{
	/* libc keeps 32 and 33 for its threads and lets nobody touch them; posix_spawn of our parent may leave them ignored. */
	static const char filter[] =
		"sed -n -E 's/^Sig(Blk|Ign):\t//p' /proc/self/status | while read -r m; do "
		"printf '%x ' $((0x$m & ~0x180000000)); done";
	auto_buf out = BUF_INIT;
	sigset_t set;

	ck_assert_ptr_ne(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	ck_assert_ptr_ne(signal(SIGUSR1, SIG_IGN), SIG_ERR);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	ck_assert_int_eq(sh(filter, NULL, &out), 0);
	ck_assert_str_eq(buf_str(&out), "0 0 ");
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	ck_assert_int_eq(sigismember(&set, SIGTERM), 1); /* ours is as it was */
	ck_assert_int_eq(sigismember(&set, SIGINT), 0);
}
END_TEST

START_TEST(failed_start_names_the_step)
{
	const char *argv[] = { "x", NULL };
	const struct proc_fd bad[] = { { 999, 1 } };
	struct spawn s = { .path = "/nonexistent/x", .argv = (char *const *)argv };
	struct err e = ERR_INIT;
	struct proc p;

	ck_assert_int_eq(proc_spawn(&s, &p, &e), -ENOENT);
	ck_assert_str_eq(e.text, "start /nonexistent/x: execute: No such file or directory");
	s.path = "/";
	ck_assert_int_eq(proc_spawn(&s, &p, &e), -EACCES);
	s.fds = bad;
	s.nfds = 1;
	ck_assert_int_eq(proc_spawn(&s, &p, &e), -EBADF);
	ck_assert_str_eq(e.text, "start /: pass descriptors: Bad file descriptor");
	s.nfds = 0;
	s.cwd_fd = 999;
	ck_assert_int_eq(proc_spawn(&s, &p, &e), -EBADF);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(program_by_descriptor_in_a_directory)
{
	const char *argv[] = { "sh", "-c", "[ \"$(pwd)\" = / ] && exit 5", NULL };
	int exec_fd = open(SH, O_RDONLY | O_CLOEXEC), root = open("/", O_PATH | O_CLOEXEC), status = -1;
	const struct spawn s = {
		.exec_fd = exec_fd, .argv = (char *const *)argv, .cwd_fd = root, .death_signal = SIGKILL
	};
	struct err e = ERR_INIT;
	struct proc p;

	ck_assert_int_eq(chdir("/usr"), 0);
	ck_assert_msg(proc_spawn(&s, &p, &e) == 0, "%s", e.text);
	ck_assert_int_eq(proc_wait(&p, -1, &status, &e), 0);
	ck_assert_int_eq(status, 5);
}
END_TEST

static void time_out_and_kill(void)
{
	const char *argv[] = { "sh", "-c", "read x", NULL };
	struct err e = ERR_INIT;
	struct proc p;
	int block[2], status = -1;

	ck_assert_int_eq(pipe2(block, O_CLOEXEC), 0);
	const struct proc_fd fds[] = { { block[0], 0 } };
	const struct spawn s = { .path = SH, .argv = (char *const *)argv, .fds = fds, .nfds = 1 };

	ck_assert_msg(proc_spawn(&s, &p, &e) == 0, "%s", e.text);
	ck_assert_int_eq(proc_wait(&p, 0, &status, &e), -ETIMEDOUT);
	ck_assert_int_eq(proc_wait(&p, 20, &status, &e), -ETIMEDOUT);
	ck_assert_int_eq(status, -1);
	proc_kill(&p);
	ck_assert_int_eq(p.pid, 0);
	proc_kill(&p);
	ck_assert_int_eq(proc_wait(&p, 0, &status, &e), -ECHILD);
	ck_assert_msg(proc_spawn(&s, &p, &e) == 0, "%s", e.text);
	ck_assert_int_eq(write_full(block[1], "x\n", 2), 0);
	ck_assert_int_eq(proc_wait(&p, 20000, &status, &e), 0);
	ck_assert_int_eq(status, 0);
}

START_TEST(deadline)
{
	time_out_and_kill();
}
END_TEST

START_TEST(deadline_without_pidfd)
{
	suite_block_call(SYS_pidfd_open, ENOSYS);
	time_out_and_kill();
}
END_TEST

START_TEST(identity_of_processes)
{
	unsigned long long a = 0, b = 0;
	char boot[37];
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "a) R 1 2 (b", 0, 0, 0);
		(void)pause();
	}
	ck_assert_int_eq(proc_start_time(getpid(), &a), 0);
	ck_assert_int_eq(proc_start_time(pid, &b), 0);
	ck_assert_uint_gt(a, 0);
	ck_assert_uint_ge(b, a);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(proc_start_time(pid, &b), -ESRCH);
	ck_assert_int_eq(proc_boot_id(boot), 0);
	ck_assert_uint_eq(strlen(boot), 36);
	ck_assert_uint_eq(strspn(boot, "0123456789abcdef-"), 36);
}
END_TEST

int main(void)
{
	return SUITE_RUN("proc", status_of_exit_and_signal, environment_is_only_what_is_given,
			 descriptors_are_only_what_is_given, numbers_may_overlap,
			 session_is_new_when_asked_for, signals_are_reset, failed_start_names_the_step,
			 program_by_descriptor_in_a_directory, deadline, deadline_without_pidfd,
			 identity_of_processes);
}
