/*
 * libc — the functions of the C library that stage2 uses, and no more: system calls as they are, and strings.
 *
 * One thread, no heap, no streams, no locale.  Declared by the headers of the system's C library, with its types; errno is
 * a plain variable.  A function that is missing here fails the link.  Elsewhere than on the machines below the C
 * library itself is linked.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- system calls ---- */

__attribute__((no_stack_protector)) static long call(long n, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#endif
}

static int the_errno;

int *__errno_location(void)
{
	return &the_errno;
}

__attribute__((no_stack_protector)) static long result(long r)
{
	if (r < 0 && r >= -4095) {
		the_errno = (int)-r;
		return -1;
	}
	return r;
}

#define P(p)                   ((long)(uintptr_t)(p))
#define CALL(n, a, b, c, d, e) result(call(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0))

/* Also used before there is a value for the stack protector to compare. */
__attribute__((no_stack_protector)) long syscall(long n, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return result(call(n, a[0], a[1], a[2], a[3], a[4], a[5]));
}

void _exit(int status)
{
	for (;;)
		(void)call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

int close(int fd)
{
	return (int)CALL(close, fd, 0, 0, 0, 0);
}

ssize_t read(int fd, void *buf, size_t n)
{
	return CALL(read, fd, P(buf), n, 0, 0);
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
	return CALL(pread64, fd, P(buf), n, at, 0);
}

ssize_t write(int fd, const void *buf, size_t n)
{
	return CALL(write, fd, P(buf), n, 0, 0);
}

off_t lseek(int fd, off_t at, int whence)
{
	return CALL(lseek, fd, at, whence, 0, 0);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	long mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? (long)va_arg(ap, mode_t) : 0;
	va_end(ap);
	return (int)CALL(openat, dir, P(path), flags, mode, 0);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return openat(AT_FDCWD, path, flags, mode);
}

int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	long arg;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	return (int)CALL(fcntl, fd, cmd, arg, 0, 0);
}

int ioctl(int fd, unsigned long cmd, ...)
{
	va_list ap;
	long arg;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	return (int)CALL(ioctl, fd, cmd, arg, 0, 0);
}

int prctl(int option, ...)
{
	va_list ap;
	long a[4];

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return (int)CALL(prctl, option, a[0], a[1], a[2], a[3]);
}

int dup2(int from, int to)
{
	if (from == to)
		return fcntl(from, F_GETFD) < 0 ? -1 : to;
	return (int)CALL(dup3, from, to, 0, 0, 0);
}

int pipe2(int fds[2], int flags)
{
	return (int)CALL(pipe2, P(fds), flags, 0, 0, 0);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct timespec t = { timeout / 1000, timeout % 1000 * 1000000L };

	return (int)CALL(ppoll, P(fds), n, timeout < 0 ? 0 : P(&t), 0, 0);
}

int access(const char *path, int mode)
{
	return (int)CALL(faccessat, AT_FDCWD, P(path), mode, 0, 0);
}

int fstat(int fd, struct stat *st)
{
	return (int)CALL(fstat, fd, P(st), 0, 0, 0);
}

int fstatfs(int fd, struct statfs *st)
{
	return (int)CALL(fstatfs, fd, P(st), 0, 0, 0);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	return (int)CALL(mkdirat, dir, P(path), mode, 0, 0);
}

int unlinkat(int dir, const char *path, int flags)
{
	return (int)CALL(unlinkat, dir, P(path), flags, 0, 0);
}

int chdir(const char *path)
{
	return (int)CALL(chdir, P(path), 0, 0, 0, 0);
}

int fchdir(int fd)
{
	return (int)CALL(fchdir, fd, 0, 0, 0, 0);
}

mode_t umask(mode_t mask)
{
	return (mode_t)CALL(umask, mask, 0, 0, 0, 0);
}

int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
	return (int)CALL(mount, P(source), P(target), P(type), flags, P(data));
}

int umount2(const char *target, int flags)
{
	return (int)CALL(umount2, P(target), flags, 0, 0, 0);
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t from)
{
	return (void *)(uintptr_t)result(
		call(SYS_mmap, P(at), (long)size, (long)prot, (long)flags, (long)fd, (long)from));
}

int munmap(void *at, size_t size)
{
	return (int)CALL(munmap, P(at), size, 0, 0, 0);
}

int mprotect(void *at, size_t size, int prot)
{
	return (int)CALL(mprotect, P(at), size, prot, 0, 0);
}

pid_t getpid(void)
{
	return (pid_t)CALL(getpid, 0, 0, 0, 0, 0);
}

pid_t setsid(void)
{
	return (pid_t)CALL(setsid, 0, 0, 0, 0, 0);
}

pid_t getsid(pid_t pid)
{
	return (pid_t)CALL(getsid, pid, 0, 0, 0, 0);
}

int kill(pid_t pid, int sig)
{
	return (int)CALL(kill, pid, sig, 0, 0, 0);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return (pid_t)CALL(wait4, pid, P(status), options, 0, 0);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)CALL(execve, P(path), P(argv), P(envp), 0, 0);
}

int setgroups(size_t n, const gid_t *groups)
{
	return (int)CALL(setgroups, n, P(groups), 0, 0, 0);
}

int setresuid(uid_t r, uid_t e, uid_t s)
{
	return (int)CALL(setresuid, r, e, s, 0, 0);
}

int setresgid(gid_t r, gid_t e, gid_t s)
{
	return (int)CALL(setresgid, r, e, s, 0, 0);
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return (int)CALL(prlimit64, 0, resource, P(limit), 0, 0);
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	return result(call(SYS_sendto, fd, P(buf), (long)n, flags, 0, 0));
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	return CALL(recvmsg, fd, P(m), flags, 0, 0);
}

/* As an ordinary call: nobody here asks often. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	return (int)CALL(clock_gettime, clock, P(t), 0, 0, 0);
}

/* ---- signals: the kernel's set is the first 64 bits of libc's ---- */

#define SET_BYTES 8

int sigemptyset(sigset_t *set)
{
	(void)memset(set, 0, sizeof(*set));
	return 0;
}

int sigfillset(sigset_t *set)
{
	(void)memset(set, 0xff, sizeof(*set));
	return 0;
}

int sigaddset(sigset_t *set, int sig)
{
	set->__val[0] |= 1ul << (sig - 1);
	return 0;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)CALL(rt_sigprocmask, how, P(set), P(old), SET_BYTES, 0);
}

int signalfd(int fd, const sigset_t *set, int flags)
{
	return (int)CALL(signalfd4, fd, P(set), SET_BYTES, flags, 0);
}

int __libc_current_sigrtmax(void)
{
	return 64;
}

/* ---- memory and strings; the barriers keep the compiler from making a call to the function itself ---- */

#define BARRIER() __asm__ volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		((char *)to)[i] = ((const char *)from)[i];
		BARRIER();
	}
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	if ((uintptr_t)to <= (uintptr_t)from)
		return memcpy(to, from, n);
	for (size_t i = n; i > 0; i--) {
		((char *)to)[i - 1] = ((const char *)from)[i - 1];
		BARRIER();
	}
	return to;
}

void *memset(void *at, int c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		((char *)at)[i] = (char)c;
		BARRIER();
	}
	return at;
}

int memcmp(const void *a, const void *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int d = ((const unsigned char *)a)[i] - ((const unsigned char *)b)[i];

		if (d)
			return d;
		BARRIER();
	}
	return 0;
}

void *memchr(const void *at, int c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (((const unsigned char *)at)[i] == (unsigned char)c)
			return (char *)(uintptr_t)at + i;
		BARRIER();
	}
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++)
		BARRIER();
	return n;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i] != b[i] || !a[i])
			return (unsigned char)a[i] - (unsigned char)b[i];
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && strchr(set, s[n]))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && !strchr(set, s[n]))
		n++;
	return n;
}

char *strstr(const char *s, const char *what)
{
	size_t n = strlen(what);

	for (; *s; s++) {
		if (strncmp(s, what, n) == 0)
			return (char *)(uintptr_t)s;
	}
	return n ? NULL : (char *)(uintptr_t)s;
}

/* What the headers make of them under _FORTIFY_SOURCE, where the size of the target is known. */
void *__memcpy_chk(void *to, const void *from, size_t n, size_t room);
void *__memmove_chk(void *to, const void *from, size_t n, size_t room);
void *__memset_chk(void *at, int c, size_t n, size_t room);

static void must_fit(size_t n, size_t room)
{
	if (n > room)
		__builtin_trap();
}

void *__memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
	must_fit(n, room);
	return memcpy(to, from, n);
}

void *__memmove_chk(void *to, const void *from, size_t n, size_t room)
{
	must_fit(n, room);
	return memmove(to, from, n);
}

void *__memset_chk(void *at, int c, size_t n, size_t room)
{
	must_fit(n, room);
	return memset(at, c, n);
}

/* The stack protector's last word. */
__attribute__((noreturn)) void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
	__builtin_trap();
}
