/* seccomp — see seccomp.h: from lists of calls to BPF, by libseccomp. */
#include "stage1/lib/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "stage1/lib/seccomp_policy.h"
#include "stage1/lib/seccomp_sets.h"

#define BPF_BYTES_MAX (4096 * sizeof(struct sock_filter))
#define CLONE_NS_FLAGS                                                                                       \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |        \
	 CLONE_NEWNET)

static const uint32_t ns_flags[] = {
	CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET,
};

void bpf_done(struct bpf *b)
{
	free(b->owned);
	*b = (struct bpf){ NULL, 0, NULL };
}

static void release_ctx(scmp_filter_ctx *c)
{
	if (*c)
		seccomp_release(*c);
}
#define auto_ctx __attribute__((cleanup(release_ctx))) scmp_filter_ctx

/* libseccomp writes to a descriptor only. */
static int export_bpf(scmp_filter_ctx ctx, struct bpf *ret, struct err *e)
{
	auto_close int fd = memfd_new("bpf");
	auto_buf b = BUF_INIT;
	int r;

	if (fd < 0)
		return err_sys(e, -fd, "memory for the system call filter");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_sys(e, -r, "compile the system call filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "read the system call filter");
	r = fd_read_all(fd, BPF_BYTES_MAX, &b);
	if (r < 0)
		return err_sys(e, -r, "system call filter too large");
	ret->n = b.len / sizeof(struct sock_filter);
	ret->owned = xmemdup(b.data, b.len);
	ret->insn = ret->owned;
	return 0;
}

static int new_ctx(uint32_t action, scmp_filter_ctx *ret, struct err *e)
{
	scmp_filter_ctx c = seccomp_init(action);
	int r;

	if (!c)
		return err_sys(e, ENOMEM, "start a system call filter");
	*ret = c;
	/* no_new_privs is the launcher's decision; a sorted tree costs a few comparisons a call */
	r = seccomp_attr_set(c, SCMP_FLTATR_CTL_NNP, 0);
	if (r == 0)
		r = seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* a 32-bit process in a 64-bit pod gets "no such call", not a kill */
	if (r == 0)
		r = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	return r < 0 ? err_sys(e, -r, "start a system call filter") : 0;
}

/* Add by name; names of other architectures resolve to a pseudo number (< 0) and are skipped. */
static int add_names(scmp_filter_ctx c, uint32_t action, const char *const *names)
{
	int r = 0;

	for (; *names && r == 0; names++) {
		int nr = seccomp_syscall_resolve_name(*names);

		if (nr >= 0)
			r = seccomp_rule_add(c, action, nr, 0);
	}
	return r;
}

/* A rule that says what the default says anyway is refused (EACCES), and not missed. */
static int rule(scmp_filter_ctx c, uint32_t action, int nr, unsigned int nargs, struct scmp_arg_cmp arg)
{
	int r = nargs ? seccomp_rule_add(c, action, nr, nargs, arg) : seccomp_rule_add(c, action, nr, 0);

	return r == -EACCES ? 0 : r;
}

static int add_personality(scmp_filter_ctx c)
{
	static const uint32_t personalities[] = { PER_LINUX, PER_LINUX32, 0x0020000 /* UNAME26 */, 0x0020008,
						  0xffffffff };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(personalities) && r == 0; i++)
		r = rule(c, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
			 SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, personalities[i]));
	return r;
}

/* No new namespaces through clone. */
static int add_clone(scmp_filter_ctx c)
{
	int r = rule(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NS_FLAGS, 0));

	for (size_t i = 0; i < ARRAY_LEN(ns_flags) && r == 0; i++)
		r = rule(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
			 SCMP_A0(SCMP_CMP_MASKED_EQ, ns_flags[i], ns_flags[i]));
	return r;
}

/* clone3 hides its flags in memory, where a filter cannot look: "no such call", so that libc falls back to clone. */
static int add_no_clone3(scmp_filter_ctx c)
{
	return rule(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, SCMP_A0(SCMP_CMP_EQ, 0, 0));
}

/* TIOCSTI and TIOCLINUX type into the caller's terminal; the kernel looks at 32 bits only
 * (CVE-2019-7303).  A rule cannot say "all but two", so the allowed numbers are enumerated: those
 * whose low four bits belong to neither, and those that differ from TIOCSTI or TIOCLINUX in one higher bit. */
static int add_ioctl(scmp_filter_ctx c)
{
	uint32_t lo = TIOCSTI, hi = TIOCLINUX;
	int r;

	_Static_assert(TIOCSTI == 0x5412 && TIOCLINUX == 0x541C, "asm-generic/ioctls.h");
	_Static_assert((TIOCSTI & ~15) == (TIOCLINUX & ~15), "they share the higher bits");
	for (uint32_t low = 0; low < 16; low++) {
		if (low == (lo & 15) || low == (hi & 15))
			continue;
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, 15, low));
		if (r < 0)
			return r;
	}
	for (int i = 0; i < 2; i++) {
		uint32_t low = (i ? hi : lo) & 15;

		for (int bit = 4; bit < 32; bit++) {
			uint32_t mask = (UINT32_C(1) << bit) | 15;
			uint32_t want = (~lo & (UINT32_C(1) << bit)) | low;

			r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					     SCMP_A1(SCMP_CMP_MASKED_EQ, mask, want));
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int add_conditional(scmp_filter_ctx c, uint32_t which)
{
	static const struct {
		uint32_t bit;
		int (*add)(scmp_filter_ctx c);
	} parts[] = {
		{ SECCOMP_PERSONALITY, add_personality },
		{ SECCOMP_CLONE, add_clone },
		{ SECCOMP_IOCTL, add_ioctl },
		{ SECCOMP_NO_CLONE3, add_no_clone3 },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++) {
		if (which & parts[i].bit)
			r = parts[i].add(c);
	}
	return r;
}

int seccomp_compile_default(struct bpf *ret, struct err *e)
{
	auto_ctx c = NULL;
	int r = new_ctx(SCMP_ACT_ERRNO(ENOSYS), &c, e);

	if (r < 0)
		return r;
	r = add_names(c, SCMP_ACT_ALLOW, seccomp_allowed);
	for (const struct seccomp_number *n = seccomp_allowed_new; n->name && r == 0; n++)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, n->nr, 0);
	if (r == 0)
		r = add_names(c, SCMP_ACT_ERRNO(EPERM), seccomp_denied);
	if (r == 0)
		r = add_conditional(c, SECCOMP_CONDITIONS);
	if (r < 0)
		return err_sys(e, -r, "build the default system call filter");
	return export_bpf(c, ret, e);
}

int seccomp_compile(const struct seccomp_policy *p, struct bpf *ret, struct err *e)
{
	auto_ctx c = NULL;
	int r = new_ctx(p->dflt, &c, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < p->n && r == 0; i++)
		r = rule(c, p->act, p->nr[i], 0, SCMP_A0(SCMP_CMP_EQ, 0, 0));
	if (r == 0)
		r = add_conditional(c, p->conditions);
	if (r < 0)
		return err_sys(e, -r, "build the system call filter");
	return export_bpf(c, ret, e);
}
