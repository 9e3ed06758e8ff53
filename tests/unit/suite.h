/*
 * suite — what every unit test program shares: run a list of Check tests, children, a
 * scratch directory, and system calls that answer "not implemented".
 *
 * Include it after <check.h>-free code; it brings Check in.  Tests run in forked children, so a
 * blocked call or a changed working directory ends with its test.
 */
#pragma once

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/fsat.h"

/* Exit status of a program that runs @tests, each between @before and @after (NULL: nothing), in the same child. */
static inline int suite_run_between(const char *name, void (*before)(void), void (*after)(void),
				    const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr;
	int failed;

	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	tcase_add_checked_fixture(tc, before, after);
	tcase_set_timeout(tc, 300); /* the machine may be busy; nothing here waits for a clock */
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline int suite_run(const char *name, const TTest *const *tests, size_t n)
{
	return suite_run_between(name, NULL, NULL, tests, n);
}

#define SUITE_TESTS(...)                                                                                     \
	(const TTest *const[])                                                                               \
	{                                                                                                    \
		__VA_ARGS__                                                                                  \
	}
#define SUITE_RUN(name, ...)                                                                                 \
	suite_run(name, SUITE_TESTS(__VA_ARGS__), sizeof(SUITE_TESTS(__VA_ARGS__)) / sizeof(TTest *))
#define SUITE_RUN_BETWEEN(name, before, after, ...)                                                          \
	suite_run_between(name, before, after, SUITE_TESTS(__VA_ARGS__),                                     \
			  sizeof(SUITE_TESTS(__VA_ARGS__)) / sizeof(TTest *))

/* @call, which writes its error to a local "struct err e", returns 0. */
#define OK(call)                                                                                             \
	do {                                                                                                 \
		int _r = (call);                                                                             \
		ck_assert_msg(_r == 0, "%s: %s", #call, e.text);                                             \
	} while (0)

/* A child that cannot outlive the test: as fork(2). */
static inline pid_t suite_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* The child @pid ends by itself, with status 0. */
static inline void suite_ended(pid_t pid)
{
	int status = -1;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* A scratch directory below $TMPDIR: open descriptor; *@path is heap.  suite_drop_dir removes it. */
static inline int suite_make_dir(char **path)
{
	const char *base = getenv("TMPDIR");
	int fd;

	ck_assert_int_ge(asprintf(path, "%s/rkt-unit-XXXXXX", base && *base ? base : "/tmp"), 0);
	ck_assert_ptr_nonnull(mkdtemp(*path));
	fd = open(*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static inline void suite_drop_dir(int fd, char *path)
{
	struct err e = ERR_INIT;

	ck_assert_msg(rm_tree_at(AT_FDCWD, path, &e) == 0, "%s", e.text);
	ck_assert_int_eq(close(fd), 0);
	free(path);
}

/* From now on system call @nr fails with @errnum in this process. */
static inline void suite_block_call(int nr, int errnum)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)errnum),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), 0);
}
