/*
 * sandbox_seccomp — the system calls that decompressing and extracting need, and no others.
 *
 * Anything else kills the process: a parser that asks for more has been taken over.
 */
#include <seccomp.h>
#include <sys/mman.h>

#include "base/auto.h"
#include "base/callfilter.h"
#include "image/sandbox_parts.h"

/* Both kinds: descriptors that are open. */
static const int pipe_calls[] = {
	SCMP_SYS(read),  SCMP_SYS(write),      SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(poll),  SCMP_SYS(ppoll),  SCMP_SYS(rt_sigaction),
};

/* Creating files below a directory. */
static const int write_calls[] = {
	SCMP_SYS(openat),    SCMP_SYS(openat2),    SCMP_SYS(mkdirat),   SCMP_SYS(mknodat),
	SCMP_SYS(symlinkat), SCMP_SYS(linkat),     SCMP_SYS(unlinkat),  SCMP_SYS(fchown),
	SCMP_SYS(fchownat),  SCMP_SYS(fchmod),     SCMP_SYS(fsetxattr), SCMP_SYS(utimensat),
	SCMP_SYS(statx),     SCMP_SYS(getdents64), SCMP_SYS(pread64),   SCMP_SYS(fcntl),
	SCMP_SYS(dup),       SCMP_SYS(umask),      SCMP_SYS(ftruncate),
};

int sandbox_seccomp(enum sandbox_kind k, struct err *e)
{
	auto_callfilter f = CALLFILTER_NONE;
	int r = callfilter_begin(&f, e);

	if (r == 0)
		r = callfilter_allow(&f, pipe_calls, ARRAY_LEN(pipe_calls), e);
	if (r == 0)
		r = callfilter_allow_if(&f, SCMP_SYS(mprotect), 2, PROT_EXEC, 0, e);
	if (r == 0 && k == SANDBOX_WRITE)
		r = callfilter_allow(&f, write_calls, ARRAY_LEN(write_calls), e);
	return r < 0 ? r : callfilter_load(&f, e);
}
