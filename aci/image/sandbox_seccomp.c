/*
 * sandbox_seccomp — the system calls that decompressing and extracting need, and no others.
 *
 * Anything else kills the process: a parser that asks for more has been taken over.
 */
#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "base/auto.h"
#include "image/sandbox_parts.h"

/* Both kinds: descriptors that are open, memory, the end. */
static const int pipe_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill), /* abort(3) */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Creating files below a directory. */
static const int write_calls[] = {
	SCMP_SYS(openat),    SCMP_SYS(openat2),    SCMP_SYS(mkdirat),   SCMP_SYS(mknodat),
	SCMP_SYS(symlinkat), SCMP_SYS(linkat),     SCMP_SYS(unlinkat),  SCMP_SYS(fchown),
	SCMP_SYS(fchownat),  SCMP_SYS(fchmod),     SCMP_SYS(fsetxattr), SCMP_SYS(utimensat),
	SCMP_SYS(statx),     SCMP_SYS(getdents64), SCMP_SYS(pread64),   SCMP_SYS(fcntl),
	SCMP_SYS(dup),       SCMP_SYS(umask),      SCMP_SYS(ftruncate),
};

static int allow(scmp_filter_ctx f, const int *calls, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
		if (r < 0)
			return err_sys(e, -r, "allow system call %d", calls[i]);
	}
	return 0;
}

/* Memory, but none that is executable. */
static int allow_memory(scmp_filter_ctx f, struct err *e)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 1,
					 SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (r < 0)
			return err_sys(e, -r, "allow system call %d", calls[i]);
	}
	return 0;
}

int sandbox_seccomp(enum sandbox_kind k, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!f)
		return err_set(e, ERR_SYS, ENOMEM, "make a seccomp filter");
	/* no_new_privs is set; the load must not try to set it by itself. */
	r = seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0);
	if (r < 0)
		r = err_sys(e, -r, "configure the seccomp filter");
	if (r == 0)
		r = allow(f, pipe_calls, ARRAY_LEN(pipe_calls), e);
	if (r == 0)
		r = allow_memory(f, e);
	if (r == 0 && k == SANDBOX_WRITE)
		r = allow(f, write_calls, ARRAY_LEN(write_calls), e);
	if (r == 0) {
		r = seccomp_load(f);
		if (r < 0)
			r = err_sys(e, -r, "load the seccomp filter");
	}
	seccomp_release(f);
	return r;
}
