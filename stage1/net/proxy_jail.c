/*
 * proxy_jail — what a process may do that talks to everybody: pass bytes between sockets, and nothing else.
 *
 * It stays in the host's network namespace, since there its sockets are; everything else that it could reach goes: user and
 * groups, capabilities, descriptors, children, and all system calls but those of the loop.
 */
#include "stage1/net/proxy_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/callfilter.h"
#include "base/fd.h"

#define NOBODY 65534

struct jail {
	const int *keep;
	size_t nkeep;
	pid_t parent;
};

/* 0 to 2 become /dev/null: whoever reads what the pod writes must see its end, and no socket may ever be "standard output". */
static int step_fds(const struct jail *j, struct err *e)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r;

	if (null < 0)
		return err_sys(e, errno, "open /dev/null");
	for (int fd = 0; fd <= 2; fd++)
		if (null != fd && dup2(null, fd) < 0)
			return err_sys(e, errno, "put /dev/null in the place of descriptor %d", fd);
	r = fd_close_all_but(j->keep, j->nkeep);
	return r < 0 ? err_sys(e, -r, "close descriptors") : 0;
}

static int step_place(const struct jail *j, struct err *e)
{
	(void)j;
	return chdir("/") < 0 ? err_sys(e, errno, "change to /") : 0;
}

/* ^C and a service manager's SIGTERM are for the supervisor, which still needs us while the pod ends; SIGKILL is the end. */
static int step_signals(const struct jail *j, struct err *e)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };

	(void)j;
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			return err_sys(e, errno, "ignore signal %d", ignored[i]);
	(void)setsid(); /* fails for the leader of a group; the terminal is then still somebody else's to use */
	return 0;
}

static int step_limits(const struct jail *j, struct err *e)
{
	static const __rlimit_resource_t none[] = { RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_MEMLOCK };

	(void)j;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (setrlimit(none[i], &(const struct rlimit){ 0, 0 }) < 0)
			return err_sys(e, errno, "set resource limit %d", (int)none[i]);
	return 0;
}

static int step_bounding(const struct jail *j, struct err *e)
{
	(void)j;
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 && errno != EPERM)
			return err_sys(e, errno, "drop capability %lu", c);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_sys(e, errno, "clear the ambient capabilities");
	return 0;
}

static int step_user(const struct jail *j, struct err *e)
{
	(void)j;
	if (setgroups(0, NULL) < 0)
		return err_sys(e, errno, "drop the supplementary groups");
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0)
		return err_sys(e, errno, "become group %d", NOBODY);
	if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return err_sys(e, errno, "become user %d", NOBODY);
	return 0;
}

/* Gone with the user, unless a securebit says otherwise. */
static int step_caps(const struct jail *j, struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	(void)j;
	return syscall(SYS_capset, &head, none) < 0 ? err_sys(e, errno, "drop all capabilities") : 0;
}

/* The change of user has cleared the signal; who died in between is noticed by the new parent. */
static int step_parent(const struct jail *j, struct err *e)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(e, errno, "ask for SIGKILL when the supervisor dies");
	if (getppid() != j->parent)
		return err_set(e, ERR_STATE, ESRCH, "the supervisor has died");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, errno, "forbid to be traced");
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? err_sys(e, errno, "set no_new_privs") : 0;
}

/* The sockets that are there, and new ones of the two families. */
static int step_calls(const struct jail *j, struct err *e)
{
	static const int calls[] = {
		SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),  SCMP_SYS(accept4),
		SCMP_SYS(connect),    SCMP_SYS(sendto),      SCMP_SYS(recvfrom),   SCMP_SYS(sendmsg),
		SCMP_SYS(recvmsg),    SCMP_SYS(shutdown),    SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
	};
	static const uint64_t families[] = { AF_INET, AF_INET6 };
	auto_callfilter f = CALLFILTER_NONE;
	int r = callfilter_begin(&f, e);

	(void)j;
	if (r == 0)
		r = callfilter_allow(&f, calls, ARRAY_LEN(calls), e);
	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++)
		r = callfilter_allow_if(&f, SCMP_SYS(socket), 0, UINT64_MAX, families[i], e);
	return r < 0 ? r : callfilter_load(&f, e);
}

/* The order matters: limits and the bounding set need privilege, the filter forbids all the rest. */
static int (*const steps[])(const struct jail *j, struct err *e) = {
	step_fds,  step_place, step_signals, step_limits, step_bounding,
	step_user, step_caps,  step_parent,  step_calls,
};

int jail_enter(const int *keep, size_t nkeep, struct err *e)
{
	const struct jail j = { keep, nkeep, getppid() };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i](&j, e) < 0)
			return err_ctx(e, "publish ports");
	return 0;
}
