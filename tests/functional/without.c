/*
 * without — runs a command for which system calls are missing, as on an older kernel or below a strict filter.
 *
 *   without CALL[=ERRNO]... -- COMMAND [ARG...]       ERRNO: ENOSYS (default), EPERM, EACCES, EINVAL
 *
 * The filter is inherited by everything that the command starts.  An unknown call is an error: a test that
 * takes nothing away would prove nothing.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int number;
} errnos[] = { { "ENOSYS", ENOSYS }, { "EPERM", EPERM }, { "EACCES", EACCES }, { "EINVAL", EINVAL } };

static int errno_of(const char *name)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].number;
	}
	fprintf(stderr, "without: unknown error %s\n", name);
	exit(99);
}

static void take(scmp_filter_ctx c, char *what)
{
	char *equals = strchr(what, '=');
	int error = ENOSYS;

	if (equals) {
		*equals = '\0';
		error = errno_of(equals + 1);
	}
	int call = seccomp_syscall_resolve_name(what);
	if (call == __NR_SCMP_ERROR ||
	    seccomp_rule_add(c, SCMP_ACT_ERRNO((unsigned int)error), call, 0) < 0) {
		fprintf(stderr, "without: cannot take %s away\n", what);
		exit(99);
	}
}

int main(int argc, char **argv)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	int i = 1;

	if (!c)
		return 99;
	/* As root no_new_privs is not needed, and would change what is tested. */
	if (geteuid() == 0)
		(void)seccomp_attr_set(c, SCMP_FLTATR_CTL_NNP, 0);
	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		take(c, argv[i]);
	if (i == 1 || i + 1 >= argc) {
		fprintf(stderr, "usage: without CALL[=ERRNO]... -- COMMAND [ARG...]\n");
		return 99;
	}
	if (seccomp_load(c) < 0) {
		fprintf(stderr, "without: cannot load the filter\n");
		return 99;
	}
	seccomp_release(c);
	(void)execvp(argv[i + 1], argv + i + 1);
	fprintf(stderr, "without: %s: %s\n", argv[i + 1], strerror(errno));
	return 99;
}
