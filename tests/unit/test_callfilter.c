/* test_callfilter — what a filter leaves and what it forbids, each tried in a child of its own. */
#include "suite.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/callfilter.h"

/* The filter of these tests: what every one allows, getppid, and sockets of one family. */
static int confine(void)
{
	static const int calls[] = { SCMP_SYS(getppid) };
	auto_callfilter f = CALLFILTER_NONE;
	struct err e = ERR_INIT;
	int r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	if (r == 0)
		r = callfilter_begin(&f, &e);
	if (r == 0)
		r = callfilter_allow(&f, calls, 1, &e);
	if (r == 0)
		r = callfilter_allow_if(&f, SCMP_SYS(socket), 0, UINT64_MAX, AF_UNIX, &e);
	if (r == 0)
		r = callfilter_load(&f, &e);
	return r;
}

static bool memory(void)
{
	size_t size = 1u << 20;
	char *p = malloc(size); /* a mapping of its own */
	bool ok = p != NULL;

	if (p)
		(void)memset(p, 1, size);
	free(p);
	return ok;
}

static bool executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool parent(void)
{
	return syscall(SYS_getppid) > 0;
}

static bool user(void)
{
	return syscall(SYS_getuid) >= 0;
}

static bool local_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool far_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static const struct {
	const char *name;
	bool (*act)(void);
	bool allowed;
} rows[] = {
	{ "memory", memory, true },
	{ "executable memory", executable, false },
	{ "a call that was named", parent, true },
	{ "one that was not", user, false },
	{ "an argument that was named", local_socket, true },
	{ "another argument", far_socket, false },
};

START_TEST(only_what_is_named_goes_on)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int st = 0;
		pid_t pid = suite_fork();

		if (pid == 0)
			_exit(confine() < 0 ? 2 : rows[i].act() ? 0 : 1);
		ck_assert_int_eq(waitpid(pid, &st, 0), pid);
		if (rows[i].allowed || CALLFILTER_MISSING)
			ck_assert_msg(WIFEXITED(st) && WEXITSTATUS(st) == 0, "%s: wait status %#x",
				      rows[i].name, (unsigned int)st);
		else
			ck_assert_msg(WIFSIGNALED(st) && WTERMSIG(st) == SIGSYS, "%s: wait status %#x",
				      rows[i].name, (unsigned int)st);
	}
}
END_TEST

START_TEST(bad_rules_are_errors)
{
	static const int no_call[] = { -1 };
	auto_callfilter f = CALLFILTER_NONE;
	struct err e = ERR_INIT;

	if (CALLFILTER_MISSING)
		return;
	OK(callfilter_begin(&f, &e));
	ck_assert_int_lt(callfilter_allow(&f, no_call, 1, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "allow system call -1: "));
	err_clear(&e);
	ck_assert_int_lt(callfilter_allow_if(&f, SCMP_SYS(socket), 6, 0, 0, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "allow system call"));
}
END_TEST

int main(void)
{
	return SUITE_RUN("callfilter", only_what_is_named_goes_on, bad_rules_are_errors);
}
