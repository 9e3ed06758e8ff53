/*
 * libcbox — stage2's own start and C library (stage2/start.c, stage2/libc.c), function by function, from inside.
 *
 *	libcbox [smash | write-relro]
 *
 * Linked as stage2 is, for this machine and by t404 for arm64.  Prints what is wrong, a line each; status 0 if nothing is.  With an
 * argument it does what must kill it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "stage2/sys.h"

static int wrong;

static void check(bool good, const char *what)
{
	if (good)
		return;
	say("libcbox", what);
	wrong++;
}
#define CHECK(x) check(x, #x)

/* Not known to the compiler, which would compute the answer by itself. */
static const char *hide(const char *s)
{
	__asm__ volatile("" : "+r"(s));
	return s;
}

static char *text(const char *s)
{
	static char buf[8][64];
	static size_t n;
	char *p = buf[n++ % 8];

	(void)memset(p, 0, sizeof(buf[0]));
	(void)text_put(p, sizeof(buf[0]), 0, s);
	return p;
}

/* ---- memory and strings ---- */

static void strings(void)
{
	const char *s = hide("abc,def");

	CHECK(strlen(s) == 7 && strlen(hide("")) == 0);
	CHECK(strcmp(s, hide("abc,def")) == 0 && strcmp(s, hide("abc")) > 0 && strcmp(hide("abc"), s) < 0);
	CHECK(strcmp(hide("\x7f"), hide("\x80")) < 0); /* as unsigned; plain char is unsigned on arm64 only */
	CHECK(strncmp(s, hide("abx"), 2) == 0 && strncmp(s, hide("abx"), 3) < 0);
	CHECK(strchr(s, ',') == s + 3 && strchr(s, 'x') == NULL && strchr(s, '\0') == s + 7);
	CHECK(strchr(hide("a\xe9"), '\xe9') && strchr(hide("a\xe9"), 0xe9));
	CHECK(strspn(s, "cba") == 3 && strcspn(s, ",;") == 3 && strcspn(s, "x") == 7);
	CHECK(strstr(s, hide("c,d")) == s + 2 && strstr(s, hide("")) == s && strstr(s, hide("cd")) == NULL);
	CHECK(memchr(s, 'd', 4) == NULL && memchr(s, 'd', 5) == s + 4);
	CHECK(memcmp(s, hide("abd"), 2) == 0 && memcmp(s, hide("abd"), 3) < 0);
	CHECK(memcmp(hide("\x80"), hide("\x7f"), 1) > 0);
}

static void memory(void)
{
	char *p = text("0123456789"), *q = text("");

	CHECK(memcpy(q, p, 4) == q && strcmp(q, "0123") == 0);
	(void)memmove(p + 2, p, 8);
	CHECK(strcmp(p, "0101234567") == 0);
	(void)memmove(p, p + 2, 8);
	CHECK(strcmp(p, "0123456767") == 0);
	(void)memset(p + 1, 0x1ff & 'x', 3);
	CHECK(strcmp(p, "0xxx456767") == 0);
}

static void numbers(void)
{
	char b[32];

	CHECK(text_put_uint(b, sizeof(b), 0, 0) == 1 && strcmp(b, "0") == 0);
	CHECK(text_put_uint(b, sizeof(b), 0, UINT64_MAX) == 20 && strcmp(b, "18446744073709551615") == 0);
	CHECK(text_put_uint(b, 4, 0, 123456) == 3 && strcmp(b, "123") == 0);
	CHECK(text_put(b, sizeof(b), text_put(b, sizeof(b), 0, "a"), "bc") == 3 && strcmp(b, "abc") == 0);
}

/* ---- the kernel ---- */

static void files(void)
{
	struct stat st = { 0 };
	struct statfs fs = { 0 };
	char b[8] = "";
	char name[64];

	(void)text_put_uint(name, sizeof(name), text_put(name, sizeof(name), 0, "/tmp/libcbox."),
			    (uint64_t)getpid());
	int fd = openat(AT_FDCWD, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0640);

	CHECK(fd >= 0 && open(name, O_CREAT | O_EXCL, 0640) < 0 && errno == EEXIST);
	CHECK(unlinkat(AT_FDCWD, name, 0) == 0 && access(name, F_OK) < 0);
	CHECK(write(fd, "12345678", 8) == 8 && lseek(fd, 2, SEEK_SET) == 2 && read(fd, b, 3) == 3 &&
	      memcmp(b, "345", 3) == 0);
	CHECK(pread(fd, b, 8, 6) == 2 && memcmp(b, "78", 2) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 8 && (st.st_mode & 0777) == 0640 && S_ISREG(st.st_mode) &&
	      st.st_uid == (uid_t)syscall(SYS_geteuid));
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_SETFD, 0) == 0 && fcntl(fd, F_GETFD) == 0);
	char *m = mmap(NULL, 8, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(m != MAP_FAILED && memcmp(m, "12345678", 8) == 0 && munmap(m, 8) == 0);
	CHECK(close(fd) == 0 && close(fd) < 0 && errno == EBADF);
	fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC && close(fd) == 0);
	CHECK(open("/proc/self/status", O_RDONLY | O_DIRECTORY) < 0 && errno == ENOTDIR);
	CHECK(open("/proc/self/cwd", O_RDONLY | O_NOFOLLOW) < 0 && errno == ELOOP);
	CHECK(access("/", F_OK) == 0 && access("/no/such", F_OK) < 0 && errno == ENOENT);
	CHECK(mkdirat(AT_FDCWD, "/", 0700) < 0 && errno == EEXIST);
	CHECK(unlinkat(AT_FDCWD, "/no/such", 0) < 0 && errno == ENOENT);
	CHECK(umask(027) == 022 && umask(022) == 027);
	CHECK(chdir("/proc") == 0 && access("self/stat", R_OK) == 0 && chdir("/") == 0);
}

static void descriptors(void)
{
	int p[2] = { -1, -1 };
	char b[8];
	struct timespec t0, t1;

	CHECK(pipe2(p, O_CLOEXEC | O_NONBLOCK) == 0 && fcntl(p[0], F_GETFL) & O_NONBLOCK);
	CHECK(read(p[0], b, 1) < 0 && errno == EAGAIN);
	struct pollfd fds[2] = { { .fd = p[0], .events = POLLIN }, { .fd = p[1], .events = POLLOUT } };
	CHECK(poll(fds, 1, 0) == 0 && fds[0].revents == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &t0) == 0 && poll(fds, 1, 20) == 0 &&
	      clock_gettime(CLOCK_MONOTONIC, &t1) == 0);
	CHECK((t1.tv_sec - t0.tv_sec) * 1000000000 + t1.tv_nsec - t0.tv_nsec >= 20000000);
	CHECK(write(p[1], "x", 1) == 1 && poll(fds, 2, -1) == 2 && fds[0].revents == POLLIN &&
	      fds[1].revents == POLLOUT);
	CHECK(dup2(p[1], p[1]) == p[1] && dup2(99, 99) < 0 && errno == EBADF);
	CHECK(dup2(p[1], 50) == 50 && fcntl(50, F_GETFD) == 0 && write(50, "y", 1) == 1);
	CHECK(read(p[0], b, 8) == 2 && memcmp(b, "xy", 2) == 0);
	CHECK(fcntl(p[0], F_DUPFD_CLOEXEC, 60) == 60 && close(60) == 0 && close(50) == 0);
	CHECK(ioctl(p[0], TIOCSCTTY, 0) < 0 && errno == ENOTTY);
	CHECK(close(p[0]) == 0 && close(p[1]) == 0);
}

/* Messages with a descriptor, as MSG_APP_START has it. */
static void sockets(void)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
			  .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS } };
	char b[8] = "abc";
	int s[2], fd = 1;
	struct iovec v = { b, 3 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };

	CHECK(sys_ret(syscall(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s)) == 0);
	(void)memcpy(CMSG_DATA(&c.head), &fd, sizeof(fd));
	CHECK(syscall(SYS_sendmsg, s[0], &m, MSG_NOSIGNAL) == 3 && send(s[0], "de", 2, MSG_NOSIGNAL) == 2);
	(void)memset(&c, 0, sizeof(c));
	v.iov_len = sizeof(b);
	m.msg_controllen = sizeof(c);
	CHECK(recvmsg(s[1], &m, MSG_CMSG_CLOEXEC) == 3 && memcmp(b, "abc", 3) == 0);
	CHECK(m.msg_controllen >= CMSG_LEN(sizeof(int)) && c.head.cmsg_type == SCM_RIGHTS);
	(void)memcpy(&fd, CMSG_DATA(&c.head), sizeof(fd));
	CHECK(fd > 2 && fcntl(fd, F_GETFD) == FD_CLOEXEC && close(fd) == 0);
	CHECK(recvmsg(s[1], &m, 0) == 2 && close(s[1]) == 0);
	CHECK(send(s[0], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE && close(s[0]) == 0);
}

static void processes(void)
{
	static const char *const argv[] = { "/no/such", NULL };
	struct signalfd_siginfo si = { 0 };
	struct rlimit lim = { 0, 0 };
	sigset_t set, old;
	int status = 0, fd, pid;

	CHECK(sigemptyset(&set) == 0 && sigaddset(&set, SIGCHLD) == 0);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0 && read(fd, &si, sizeof(si)) < 0 && errno == EAGAIN);
	/* as clone_app does when there is no clone3, but for the namespace */
	pid = sys_ret(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	if (pid == 0)
		_exit(setsid() == getpid() && getsid(0) == getpid() && setrlimit(RLIMIT_CORE, &lim) == 0 &&
				      execve("/no/such", (char *const *)(uintptr_t)argv, NULL) < 0 &&
				      errno == ENOENT
			      ? 42
			      : 1);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	CHECK(pid > 0 && poll(&p, 1, 10000) == 1 && read(fd, &si, sizeof(si)) == sizeof(si));
	CHECK(si.ssi_signo == SIGCHLD && (int)si.ssi_pid == pid);
	CHECK(waitpid(-1, &status, WNOHANG) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
	CHECK(waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD);
	CHECK(sigfillset(&set) == 0 && sigprocmask(SIG_SETMASK, &set, &old) == 0);
	CHECK(kill(getpid(), SIGCHLD) == 0 && read(fd, &si, sizeof(si)) == sizeof(si) && close(fd) == 0);
	CHECK(kill(getpid(), 0) == 0 && kill(getpid(), 65) < 0 && errno == EINVAL && SIGRTMAX == 64);
	CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

/* ---- what the start has done ---- */

static int twice(int v)
{
	return 2 * v;
}
static int (*const table[])(int) = { twice, NULL }; /* relocated, then read-only */

/* Fills more than it has. */
__attribute__((noinline)) static void smash(size_t n)
{
	char b[16];
	char *p = b;

	__asm__ volatile("" : "+r"(p));
	for (size_t i = 0; i < n; i++)
		((volatile char *)p)[i] = 'x';
}

/* The stack protector's value: random, but for the first byte. */
static bool guarded(void)
{
	uintptr_t v = 256;
#if defined(__x86_64__)
	__asm__("mov %%fs:40, %0" : "=r"(v));
#elif defined(__aarch64__)
	extern uintptr_t __stack_chk_guard;

	v = __stack_chk_guard;
#endif
	return v && !(v & 0xff);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "strings", strings },     { "memory", memory },           { "numbers", numbers },
	{ "files", files },         { "descriptors", descriptors }, { "sockets", sockets },
	{ "processes", processes },
};

int main(int argc, char **argv, char **envp)
{
	int (*const volatile *through)(int) = table;

	if (argc > 1 && strcmp(argv[1], "smash") == 0)
		smash(64);
	if (argc > 1 && strcmp(argv[1], "write-relro") == 0) {
		*(volatile char *)(uintptr_t)table = 0;
		return 0;
	}
	CHECK(argc == 1 && argv[0] && !argv[1] && envp == argv + 2);
	CHECK(guarded());
	CHECK(through[0](21) == 42 && !through[1]);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		parts[i].run();
	return wrong ? 1 : 0;
}
