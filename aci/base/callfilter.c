/* callfilter — see callfilter.h. */
#include "base/callfilter.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "base/auto.h"

static const int always[] = {
	SCMP_SYS(close),
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
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill), /* abort(3) */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

int callfilter_begin(struct callfilter *ret, struct err *e)
{
	int r = 0;

	if (CALLFILTER_MISSING)
		return 0;
	ret->rules = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!ret->rules)
		return err_set(e, ERR_SYS, ENOMEM, "make a filter of system calls");
	/* no_new_privs is set; the load must not try to set it by itself. */
	r = seccomp_attr_set(ret->rules, SCMP_FLTATR_CTL_NNP, 0);
	if (r < 0)
		return err_sys(e, -r, "configure the filter of system calls");
	r = callfilter_allow(ret, always, ARRAY_LEN(always), e);
	return r < 0 ? r : callfilter_allow_if(ret, SCMP_SYS(mmap), 2, PROT_EXEC, 0, e);
}

int callfilter_allow(struct callfilter *f, const int *calls, size_t n, struct err *e)
{
	for (size_t i = 0; f->rules && i < n; i++) {
		int r = seccomp_rule_add(f->rules, SCMP_ACT_ALLOW, calls[i], 0);

		if (r < 0)
			return err_sys(e, -r, "allow system call %d", calls[i]);
	}
	return 0;
}

int callfilter_allow_if(struct callfilter *f, int call, unsigned int arg, uint64_t mask, uint64_t value,
			struct err *e)
{
	int r = f->rules ? seccomp_rule_add(f->rules, SCMP_ACT_ALLOW, call, 1,
					    SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value))
			 : 0;

	return r < 0 ? err_sys(e, -r, "allow system call %d", call) : 0;
}

int callfilter_load(struct callfilter *f, struct err *e)
{
	int r = f->rules ? seccomp_load(f->rules) : 0;

	return r < 0 ? err_sys(e, -r, "load the filter of system calls") : 0;
}

void callfilter_done(struct callfilter *f)
{
	if (f->rules)
		seccomp_release(f->rules);
	f->rules = NULL;
}
