/* test_sandbox — what is forbidden inside is tried, each in a child of its own. */
#include "suite.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/callfilter.h"
#include "image/sandbox.h"

static const bool filtered = !CALLFILTER_MISSING;

enum { DENIED = 0, ALLOWED = 1, NOT_CONFINED = 2 };

static int try_open(int dirfd)
{
	(void)dirfd;
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? ALLOWED : DENIED;
}

static int try_socket(int dirfd)
{
	(void)dirfd;
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? ALLOWED : DENIED;
}

static int try_mount(int dirfd)
{
	(void)dirfd;
	return mount("none", "/", "tmpfs", 0, NULL) == 0 ? ALLOWED : DENIED;
}

static int try_fork(int dirfd)
{
	pid_t pid = fork();

	(void)dirfd;
	if (pid == 0)
		_exit(0);
	return pid > 0 ? ALLOWED : DENIED;
}

static int try_exec(int dirfd)
{
	char *const argv[] = { (char *)"true", NULL };

	(void)dirfd;
	(void)execv("/bin/true", argv);
	return DENIED;
}

static int try_parent(int dirfd)
{
	struct stat here, up;

	/* ".." of the root is the root. */
	if (fstat(dirfd, &here) < 0 || fstatat(dirfd, "..", &up, 0) < 0)
		return DENIED;
	return here.st_ino != up.st_ino ? ALLOWED : DENIED;
}

static int try_create(int dirfd)
{
	return openat(dirfd, "file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0 ? ALLOWED : DENIED;
}

/* DENIED also if the attempt was the end of the process. */
static int attempt(enum sandbox_kind kind, int (*act)(int dirfd))
{
	char dir[] = "/tmp/rkt-unit-sandbox-XXXXXX";
	struct err e = ERR_INIT;
	int status = 0;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (sandbox_enter(kind, &dirfd, &e) < 0)
			_exit(NOT_CONFINED);
		_exit(act(dirfd));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(rm_tree_at(AT_FDCWD, dir, &e), 0);
	if (WIFSIGNALED(status)) {
		ck_assert_int_eq(WTERMSIG(status), SIGSYS);
		return DENIED;
	}
	return WEXITSTATUS(status);
}

START_TEST(a_writer_reaches_only_its_directory)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(attempt(SANDBOX_WRITE, try_create), ALLOWED);
	ck_assert_int_eq(attempt(SANDBOX_WRITE, try_open), DENIED);
	ck_assert_int_eq(attempt(SANDBOX_WRITE, try_parent), DENIED);
	ck_assert_int_eq(attempt(SANDBOX_WRITE, try_mount), DENIED);
	ck_assert_int_eq(attempt(SANDBOX_WRITE, try_exec), DENIED);
}
END_TEST

START_TEST(a_pipe_reaches_no_file)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(attempt(SANDBOX_PIPE, try_open), DENIED);
	ck_assert_int_eq(attempt(SANDBOX_PIPE, try_mount), DENIED);
	ck_assert_int_eq(attempt(SANDBOX_PIPE, try_exec), DENIED);
}
END_TEST

/* Sockets and processes are the filter's business, which sanitizer and coverage builds do without. */
START_TEST(no_socket_and_no_process)
{
	if (geteuid() != 0 || !filtered)
		return;
	ck_assert_int_eq(attempt(SANDBOX_WRITE, try_socket), DENIED);
	ck_assert_int_eq(attempt(SANDBOX_PIPE, try_socket), DENIED);
	ck_assert_int_eq(attempt(SANDBOX_WRITE, try_fork), DENIED);
	ck_assert_int_eq(attempt(SANDBOX_PIPE, try_fork), DENIED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { a_writer_reaches_only_its_directory, a_pipe_reaches_no_file,
				       no_socket_and_no_process };

	return suite_run("sandbox", tests, ARRAY_LEN(tests));
}
