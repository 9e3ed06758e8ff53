/* inspect_try — what a process may do, by trying it (inspect.h). */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/functional/inspect.h"

/*
 * try=NAME: what the kernel answers.  Every call is harmless where it is permitted, because it would
 * change nothing or its arguments are wrong in a way that the kernel looks at after the permission.
 * The errno that means "permitted" stands beside each.
 */

/* ENODEV */
static long try_mount(void)
{
	return mount("none", "/", "inspect", 0, NULL);
}

/* EINVAL */
static long try_propagation(void)
{
	return mount(NULL, "/", NULL, MS_PRIVATE | MS_SHARED, NULL);
}

static long try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

/* the same by the call that a thread is made with */
static long try_clone_user(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid((pid_t)pid, NULL, 0);
}

static long try_unshare_net(void)
{
	return unshare(CLONE_NEWNET);
}

static long try_setns(void)
{
	int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : setns(fd, 0);
}

static long try_keyctl(void)
{
	return syscall(SYS_keyctl, 0, -3, 0); /* KEYCTL_GET_KEYRING_ID, session keyring */
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static long try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long try_reboot(void)
{
	return syscall(SYS_reboot, 0, 0, 0, NULL); /* wrong magic number: EINVAL */
}

static long try_module(void)
{
	return syscall(SYS_init_module, NULL, 0, ""); /* ENOEXEC or EFAULT */
}

static long try_sethostname(void)
{
	return syscall(SYS_sethostname, "inspect", -1); /* EINVAL */
}

static long try_chroot(void)
{
	return chroot("/");
}

static long try_mknod(void)
{
	long r = mknod("/inspect-node", S_IFBLK | 0600, makedev(7, 0));
	int saved = errno;
	(void)unlink("/inspect-node");
	errno = saved;
	return r;
}

static long try_setuid(void)
{
	return setresuid(12345, 12345, 12345);
}

static long try_rawsocket(void)
{
	return socket(AF_INET, SOCK_RAW, 1);
}

static long try_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0);
}

/* getpid(2) as a program of 32 bits calls it, with numbers that a filter of 64 bits takes for others */
static long try_int80(void)
{
#ifdef __x86_64__
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	errno = r < 0 ? (int)-r : 0;
	return r < 0 ? -1 : 0;
#else
	errno = ENOSYS;
	return -1;
#endif
}

static long try_iouring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL);
}

static long try_settime(void)
{
	return syscall(SYS_settimeofday, NULL, NULL); /* 0, and sets nothing */
}

static long try_tiocsti(void)
{
	return syscall(SYS_ioctl, 0, 0x5412, NULL); /* EFAULT, ENOTTY without a terminal */
}

/* the kernel looks at 32 bits of the request */
static long try_tiocsti_high(void)
{
	return syscall(SYS_ioctl, 0, 0x100005412, NULL);
}

static long try_tioclinux(void)
{
	return syscall(SYS_ioctl, 0, 0x541C, NULL);
}

static long try_killinit(void)
{
	return kill(1, 0);
}

static const struct {
	const char *name;
	long (*call)(void);
} tries[] = {
	{ "mount", try_mount },
	{ "propagation", try_propagation },
	{ "unshare", try_unshare },
	{ "unshare_net", try_unshare_net },
	{ "clone_user", try_clone_user },
	{ "setns", try_setns },
	{ "keyctl", try_keyctl },
	{ "ptrace", try_ptrace },
	{ "bpf", try_bpf },
	{ "reboot", try_reboot },
	{ "module", try_module },
	{ "sethostname", try_sethostname },
	{ "chroot", try_chroot },
	{ "mknod", try_mknod },
	{ "setuid", try_setuid },
	{ "rawsocket", try_rawsocket },
	{ "clone3", try_clone3 },
	{ "int80", try_int80 },
	{ "iouring", try_iouring },
	{ "settime", try_settime },
	{ "tiocsti", try_tiocsti },
	{ "tiocsti_high", try_tiocsti_high },
	{ "tioclinux", try_tioclinux },
	{ "killinit", try_killinit },
};

/* One try in a child of its own: a filter that kills shows as SIGSYS. */
static void try_one(const char *name, long (*call)(void))
{
	int status = 0;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		errno = 0;
		_exit(call() < 0 ? errno : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		printf("try_%s=%s\n", name, strerrorname_np(errno));
	else if (WIFSIGNALED(status))
		printf("try_%s=SIG%s\n", name, sigabbrev_np(WTERMSIG(status)));
	else
		printf("try_%s=%s\n", name, strerrorname_np(WEXITSTATUS(status)));
}

/* try=mount,bpf or try=all */
int act_try(const char *arg)
{
	size_t hits = 0;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		size_t n = strlen(tries[i].name);
		const char *at = arg;
		int wanted = strcmp(arg, "all") == 0;

		for (; !wanted && at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
			wanted = strncmp(at, tries[i].name, n) == 0 && (at[n] == ',' || at[n] == '\0');
		if (wanted)
			try_one(tries[i].name, tries[i].call);
		hits += wanted ? 1 : 0;
	}
	if (hits == 0)
		fprintf(stderr, "inspect: unknown try: %s\n", arg);
	return hits ? 0 : 2;
}
