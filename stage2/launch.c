/*
 * launch — the sequence that turns a fresh child into the app; see launch.h.
 *
 * The table at the end is the order, and the order matters: the cgroup comes first, so that everything
 * that follows is already accounted and limited; whatever needs the host's view or root's rights comes
 * before the root file system and the user change; descriptors are marked for closing when nothing is
 * opened any more; the filter is the last thing before execve.
 */
#include "stage2/launch.h"

#include <linux/keyctl.h>
#include <signal.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "stage2/launch_steps.h"
#include "stage2/sys.h"

#define EXIT_LAUNCH 254

/* What follows @key, "\nName:\t", in the text of a status file; NULL if it is not there. */
static const char *field(const char *text, const char *key)
{
	const char *s = strstr(text, key);

	return s ? s + strlen(key) : NULL;
}

/* A number up to the next character that is none; @base 8, 10 or 16. */
static uint64_t digits(const char *s, unsigned int base)
{
	uint64_t v = 0;

	for (;; s++) {
		unsigned int d = *s >= '0' && *s <= '9'   ? (unsigned int)(*s - '0')
				 : *s >= 'a' && *s <= 'f' ? (unsigned int)(*s - 'a' + 10)
							  : 16;

		if (d >= base)
			return v;
		v = v * base + d;
	}
}

/* "0\t0\t0\t0": the real, effective, saved and file system ids. */
static bool all_root(const char *s)
{
	return s && strncmp(s, "0\t0\t0\t0\n", 8) == 0;
}

/* What cannot be read is taken for the worst. */
static struct launch_inherited inherited(int proc_fd)
{
	struct launch_inherited in = { .ignored = UINT64_MAX, .umask = UINT32_MAX, .bounding = UINT64_MAX };
	char buf[4096];
	int fd = openat(proc_fd, "self/status", O_RDONLY | O_CLOEXEC); /* closed with the others */
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	const char *s;

	if (n < 0)
		return in;
	buf[n] = '\0';
	if ((s = field(buf, "\nSigIgn:\t")))
		in.ignored = digits(s, 16);
	if ((s = field(buf, "\nUmask:\t")))
		in.umask = (uint32_t)digits(s, 8);
	if ((s = field(buf, "\nPid:\t")))
		in.pid = (int)digits(s, 10);
	if ((s = field(buf, "\nCapBnd:\t")))
		in.bounding = digits(s, 16);
	in.root = all_root(field(buf, "\nUid:\t")) && all_root(field(buf, "\nGid:\t"));
	return in;
}

/* Not through libc, which keeps 32 and 33 for its threads: posix_spawn of our caller may have left them ignored. */
void launch_reset_signals(int proc_fd, struct launch_inherited *ret)
{
	static const uint64_t by_default[8]; /* the kernel's sigaction: SIG_DFL, no flags, empty mask */
	uint64_t ignored;

	*ret = inherited(proc_fd);
	ignored = ret->ignored;
	for (int sig = 1; sig <= 64; sig++) {
		if (ignored >> (sig - 1) & 1)
			(void)syscall(SYS_rt_sigaction, sig, by_default, NULL,
				      8); /* fails for KILL and STOP */
	}
}

static int step_cgroup(struct launch_ctx *c)
{
	for (size_t i = 0; i < 16 && c->l->cgroup_procs[i] >= 0; i++) {
		if (write(c->l->cgroup_procs[i], "0", 1) != 1)
			return -errno;
	}
	return 0;
}

static int step_session(struct launch_ctx *c)
{
	(void)c;
	/* Already a leader (EPERM) is what we want. */
	if (setsid() < 0 && getsid(0) != getpid())
		return -errno;
	/* Keys of the caller's session keyring are not the pod's.  A kernel without keys, or an outer sandbox that
	 * forbids keyctl, has none to leak. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS && errno != EPERM)
		return -errno;
	return 0;
}

/* Descriptors may be permuted (stdout = 0, stdin = 1): move those out of the way that a dup2 would overwrite. */
static int step_stdio(struct launch_ctx *c)
{
	int from[3];

	for (int i = 0; i < 3; i++) {
		from[i] = c->l->stdio[i];
		if (from[i] != i && from[i] < 3)
			from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
		if (from[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++) {
		/* one that is in its place came through our own execve, so it is not marked for closing */
		if (from[i] != i && dup2(from[i], i) < 0)
			return -errno;
	}
	if (c->l->tty && ioctl(0, TIOCSCTTY, 0) < 0)
		return -errno;
	return 0;
}

static int step_oom(struct launch_ctx *c)
{
	char text[16] = "";
	int32_t v = c->app->oom_score_adj;
	size_t n = v < 0 ? text_put(text, sizeof(text), 0, "-") : 0;
	int fd;

	if (!c->app->has_oom)
		return 0;
	n = text_put_uint(text, sizeof(text), n, (uint64_t)(v < 0 ? -v : v));
	fd = openat(c->l->proc_fd, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, n) < 0 || close(fd) < 0 ? -errno : 0;
}

static int step_rlimit(struct launch_ctx *c)
{
	const struct plan_rlimit *v = (const struct plan_rlimit *)(const void *)((const char *)c->l->plan +
										 c->app->rlimits_off);

	for (uint32_t i = 0; i < c->app->nrlimits; i++) {
		struct rlimit lim = { .rlim_cur = v[i].soft, .rlim_max = v[i].hard };

		if (setrlimit((__rlimit_resource_t)v[i].resource, &lim) < 0)
			return -errno;
	}
	return 0;
}

/* Dispositions were reset by launch_reset_signals; handlers go by themselves at execve. */
static int step_signals(struct launch_ctx *c)
{
	sigset_t none;

	if (c->l->inherited.umask != c->app->umask)
		(void)umask(c->app->umask);
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/* Sockets from 3 on, everything else of ours above them first.  Nothing but the error descriptor is needed any more. */
static int place_listen(struct launch_ctx *c)
{
	int from[PLAN_LISTEN_MAX], above = 3 + (int)c->l->nlisten;

	if (c->err_fd >= 0 && (c->err_fd = fcntl(c->err_fd, F_DUPFD_CLOEXEC, above)) < 0)
		return -errno;
	for (uint32_t i = 0; i < c->l->nlisten; i++) {
		from[i] = fcntl(c->l->listen[i], F_DUPFD_CLOEXEC, above);
		if (from[i] < 0)
			return -errno;
	}
	for (uint32_t i = 0; i < c->l->nlisten; i++) {
		if (dup2(from[i], 3 + (int)i) < 0)
			return -errno;
	}
	return 0;
}

/* The error descriptor is marked too: its closing by execve is the good news. */
static int step_fds(struct launch_ctx *c)
{
	int keep[1 + PLAN_LISTEN_MAX], r = c->l->nlisten ? place_listen(c) : 0;
	size_t n = 0;

	if (r < 0)
		return r;
	r = sys_close_range(3 + c->l->nlisten, ~0u, SYS_CLOSE_RANGE_CLOEXEC);
	if (r == 0)
		return 0;
	for (uint32_t i = 0; i < c->l->nlisten; i++)
		keep[n++] = 3 + (int)i;
	if (c->err_fd >= 0)
		keep[n++] = c->err_fd;
	r = fds_close_but(c->l->proc_fd, keep, n);
	if (r == 0 && c->err_fd >= 0 && fcntl(c->err_fd, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	return r;
}

static const struct {
	int id;
	int (*run)(struct launch_ctx *c);
} steps[] = {
	{ LAUNCH_CGROUP, step_cgroup },
	{ LAUNCH_SESSION, step_session },
	{ LAUNCH_STDIO, step_stdio },
	{ LAUNCH_OOM, step_oom },       /* our own procfs: the pod's may be anything */
	{ LAUNCH_RLIMIT, step_rlimit }, /* raising needs CAP_SYS_RESOURCE */
	{ LAUNCH_ROOT, launch_root },
	{ LAUNCH_CWD, launch_cwd },
	{ LAUNCH_PATHS, launch_paths }, /* needs CAP_SYS_ADMIN or no_new_privs */
	{ LAUNCH_SESSION, step_signals },
	{ LAUNCH_CAPS, launch_bounding }, /* needs CAP_SETPCAP */
	{ LAUNCH_GROUPS, launch_groups },
	{ LAUNCH_USER, launch_user },
	{ LAUNCH_CAPS, launch_caps },
	{ LAUNCH_NNP, launch_nnp },
	{ LAUNCH_FDS, step_fds },
	{ LAUNCH_SECCOMP, launch_seccomp },
	{ LAUNCH_EXEC, launch_program },
};

static _Noreturn void fail(const struct launch_ctx *c, int step, int errnum)
{
	struct launch_failure f = { .step = step, .errnum = errnum };

	if (c->what)
		(void)text_put(f.what, sizeof(f.what), 0, c->what);
	if (c->err_fd >= 0 && write(c->err_fd, &f, sizeof(f)) < 0)
		_exit(EXIT_LAUNCH); /* the reader is gone; so are we */
	_exit(EXIT_LAUNCH);
}

_Noreturn void launch_exec(const struct launch *l)
{
	struct launch_ctx c;

	c.l = l;
	c.err_fd = l->err_fd;
	c.app = plan_app(l->plan, l->app);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int r;

		c.what = NULL;
		r = steps[i].run(&c);
		if (r < 0)
			fail(&c, steps[i].id, -r);
	}
	fail(&c, LAUNCH_EXEC, EINVAL);
}
