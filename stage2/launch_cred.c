/*
 * launch_cred — groups, user, capabilities, no_new_privs and the system call filter.
 *
 * The plan's capability set is a bound: bounding = permitted = effective for uid 0; for any other user
 * only the ambient part (normally empty) survives execve(2), capabilities(7) "Transformation of
 * capabilities during execve()".  The inheritable set holds nothing but the ambient set, so file
 * capabilities cannot bring back what was dropped (CVE-2022-29162).  capset(2) takes out of an inherited
 * ambient set what is not inheritable any more.
 *
 * A filter may be loaded with no_new_privs, or by whoever has CAP_SYS_ADMIN in effect (seccomp(2)).
 * Without no_new_privs that capability is therefore kept up to the filter, whether the app gets it or
 * not.  Nothing needs to take it away again, which would be a capset that the filter may forbid: execve
 * computes the new permitted set from the bounding set (uid 0) or the ambient set (others), and it is
 * in neither unless the plan says so.
 */
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "stage2/launch_steps.h"
#include "stage2/sys.h"

static bool filter_needs_admin(const struct plan_app *a)
{
	return a->bpf_n > 0 && !(a->flags & PLAN_APP_NNP);
}

int launch_bounding(struct launch_ctx *c)
{
	if (c->app->flags & PLAN_APP_KEEP_CAPS)
		return 0;
	for (unsigned int cap = 0; cap < 64; cap++) {
		if ((c->app->caps | ~c->l->inherited.bounding) >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		/* EINVAL, when the set is unknown: this kernel's last capability is behind us. */
		return errno == EINVAL && cap > CAP_AUDIT_READ ? 0 : -errno;
	}
	return 0;
}

int launch_groups(struct launch_ctx *c)
{
	const struct plan_app *a = c->app;
	const gid_t *groups = (const gid_t *)(const void *)((const char *)c->l->plan + a->groups_off);

	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "groups are used in place");
	if (setgroups(a->ngroups, a->ngroups ? groups : NULL) < 0)
		return -errno;
	if (a->gid == 0 && c->l->inherited.root)
		return 0;
	return setresgid(a->gid, a->gid, a->gid) < 0 ? -errno : 0;
}

int launch_user(struct launch_ctx *c)
{
	const struct plan_app *a = c->app;

	if (a->uid == 0 && c->l->inherited.root)
		return 0;
	/* Keeps the permitted set over the change; execve forgets the wish. */
	if (a->uid != 0 && (a->ambient || filter_needs_admin(a)) && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	return setresuid(a->uid, a->uid, a->uid) < 0 ? -errno : 0;
}

int launch_caps(struct launch_ctx *c)
{
	const struct plan_app *a = c->app;
	uint64_t caps = a->uid == 0 ? a->caps : a->ambient;
	int r;

	if (a->flags & PLAN_APP_KEEP_CAPS) {
		if (a->uid == 0 || !filter_needs_admin(a))
			return 0;
		caps = 0;
	}
	if (filter_needs_admin(a))
		caps |= 1ull << CAP_SYS_ADMIN;
	r = sys_capset(caps, caps, a->ambient);
	for (unsigned int cap = 0; r == 0 && a->ambient >> cap && cap < 64; cap++) {
		if (a->ambient >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			r = -errno;
	}
	return r;
}

int launch_nnp(struct launch_ctx *c)
{
	if (!(c->app->flags & PLAN_APP_NNP))
		return 0;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int launch_seccomp(struct launch_ctx *c)
{
	const struct plan_app *a = c->app;
	struct sock_fprog prog = { .len = (unsigned short)a->bpf_n };

	if (a->bpf_n == 0)
		return 0;
	/* The kernel's header forgot the const: it only reads. */
	prog.filter = (struct sock_filter *)(uintptr_t)((const char *)c->l->plan + a->bpf_off);
	return sys_ret(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
}
