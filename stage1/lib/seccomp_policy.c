/*
 * seccomp_policy — see seccomp_policy.h.
 *
 * retain-set: these calls and the few without which a process can neither start nor end; everything else
 * is refused.  remove-set: these calls are refused and all others allowed.
 */
#include "stage1/lib/seccomp_policy.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>

#include "base/auto.h"
#include "base/strv.h"
#include "stage1/lib/seccomp_cache.h"
#include "stage1/lib/seccomp_named.h"
#include "stage1/lib/seccomp_sets.h"
#include "seccomp_default.h"

#define ALL   "@appc.io/all"
#define EMPTY "@appc.io/empty"

/* The filter is loaded before the app's program is executed, and a handler of a signal must return. */
static const char *const minimum[] = { "execve",       "exit",      "exit_group",
				       "rt_sigreturn", "sigreturn", "restart_syscall" };

/* Plain names of what a white list allows under a condition. */
static const struct {
	const char *name;
	uint32_t bit;
} conditional[] = {
	{ "personality", SECCOMP_PERSONALITY },
	{ "clone", SECCOMP_CLONE },
	{ "ioctl", SECCOMP_IOCTL },
	{ "clone3", SECCOMP_NO_CLONE3 },
};

/* Names of other architectures resolve to a pseudo number (< 0) and select nothing. */
static int add_number(struct seccomp_policy *p, int nr, struct err *e)
{
	uint32_t at = 0;

	if (nr < 0)
		return 0;
	while (at < p->n && p->nr[at] < nr)
		at++;
	if (at < p->n && p->nr[at] == nr)
		return 0;
	if (p->n == SECCOMP_CALLS_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "seccomp: too many system calls");
	memmove(&p->nr[at + 1], &p->nr[at], (p->n - at) * sizeof(p->nr[0]));
	p->nr[at] = nr;
	p->n++;
	return 0;
}

static int number_of(const char *name)
{
	int nr = seccomp_newer_number(name);

	return nr >= 0 ? nr : seccomp_syscall_resolve_name(name);
}

static int add_set(struct seccomp_policy *p, const struct seccomp_set *set, struct err *e)
{
	int r = 0;

	for (const char *const *c = set->calls; *c && r == 0; c++) {
		int nr = number_of(*c);

		r = add_number(p, nr == __NR_SCMP_ERROR ? -1 : nr, e);
	}
	for (const struct seccomp_number *n = seccomp_allowed_new; set->conditional && n->name && r == 0; n++)
		r = add_number(p, n->nr, e);
	return r;
}

static int add_call(struct seccomp_policy *p, const char *name, struct err *e)
{
	int nr = number_of(name);

	if (nr == __NR_SCMP_ERROR)
		return err_set(e, ERR_INPUT, EINVAL, "seccomp: unknown system call \"%s\"", name);
	/* whoever names it plainly wants it without the condition */
	for (size_t i = 0; i < ARRAY_LEN(conditional); i++) {
		if (strcmp(conditional[i].name, name) == 0)
			p->conditions &= ~conditional[i].bit;
	}
	return add_number(p, nr, e);
}

/* Sets first: plain names lift their conditions. */
static int add_sets(struct seccomp_policy *p, char *const *names, bool retain, struct err *e)
{
	int r = 0;

	for (; *names && r == 0; names++) {
		const struct seccomp_set *set = **names == '@' ? seccomp_set_find(*names) : NULL;

		if (**names != '@' || strcmp(*names, ALL) == 0 || strcmp(*names, EMPTY) == 0)
			continue;
		if (!set)
			return err_set(e, ERR_INPUT, EINVAL, "seccomp: unknown set of system calls \"%s\"",
				       *names);
		r = add_set(p, set, e);
		if (retain && set->conditional)
			p->conditions = SECCOMP_CONDITIONS;
		for (size_t i = 0; i < 3 && set->conditional && !retain && r == 0; i++)
			r = add_call(p, conditional[i].name, e);
	}
	return r;
}

static int add_all(struct seccomp_policy *p, char *const *names, bool retain, struct err *e)
{
	int r = add_sets(p, names, retain, e);

	for (; *names && r == 0; names++) {
		if (**names != '@')
			r = add_call(p, *names, e);
	}
	for (size_t i = 0; i < ARRAY_LEN(minimum) && retain && r == 0; i++)
		r = add_number(p, number_of(minimum[i]), e);
	return r;
}

/* glibc has one name a number; these are the second ones. */
static int errno_number(const char *name)
{
	static const struct {
		const char *name;
		int code;
	} also[] = { { "ENOTSUP", ENOTSUP }, { "EWOULDBLOCK", EWOULDBLOCK }, { "EDEADLOCK", EDEADLOCK } };

	for (size_t i = 0; i < ARRAY_LEN(also); i++) {
		if (strcmp(also[i].name, name) == 0)
			return also[i].code;
	}
	for (int code = 1; code < 200; code++) {
		const char *known = strerrorname_np(code);

		if (known && strcmp(known, name) == 0)
			return code;
	}
	return -1;
}

/* What a refused call gets: the errno asked for, else death by SIGSYS as the specification says. */
static int refusal(const struct isolator *iso, uint32_t *ret, struct err *e)
{
	int code = iso->err_name ? errno_number(iso->err_name) : 0;

	if (code < 0)
		return err_set(e, ERR_INPUT, EINVAL, "seccomp: unknown errno \"%s\"", iso->err_name);
	*ret = code ? SCMP_ACT_ERRNO((uint16_t)code) : SCMP_ACT_KILL_PROCESS;
	return 0;
}

static void start(struct seccomp_policy *p)
{
	const struct scmp_version *v = seccomp_version();

	*p = (struct seccomp_policy){
		.version = SECCOMP_POLICY_VERSION,
		.library = v->major << 16 | v->minor << 8 | v->micro,
		.arch = seccomp_arch_native(),
	};
}

int seccomp_policy_of_app(const struct app *a, struct seccomp_policy *ret, struct err *e)
{
	const struct isolator *retain = isolators_get(&a->isolators, ISO_SECCOMP_RETAIN);
	const struct isolator *remove = isolators_get(&a->isolators, ISO_SECCOMP_REMOVE);
	const struct isolator *iso = retain ? retain : remove;
	uint32_t deny = 0;

	if (retain && remove)
		return err_set(e, ERR_INPUT, EINVAL,
			       "seccomp: a retain-set and a remove-set exclude each other");
	start(ret);
	int r = iso ? refusal(iso, &deny, e) : 0;
	/* names are looked at even where a wildcard makes them meaningless: a misspelling must not pass */
	if (iso && r == 0)
		r = add_all(ret, iso->set, retain != NULL, e);
	if (r < 0)
		return r;
	if (!iso || (remove && strv_has(remove->set, EMPTY)))
		return SECCOMP_BUILTIN;
	if (retain && strv_has(retain->set, ALL))
		return SECCOMP_NONE;
	if (remove && strv_has(remove->set, ALL))
		return err_set(e, ERR_INPUT, EINVAL,
			       "seccomp: a remove-set of " ALL " leaves nothing; mode=retain," EMPTY
			       " says so");
	ret->dflt = retain ? deny : SCMP_ACT_ALLOW;
	ret->act = retain ? SCMP_ACT_ALLOW : deny;
	return SECCOMP_OWN;
}

int seccomp_of_app(const struct app *a, int pod_fd, struct bpf *ret, struct err *e)
{
	struct seccomp_policy p;
	int kind = seccomp_policy_of_app(a, &p, e);

	*ret = (struct bpf){ NULL, 0, NULL };
	if (kind < 0 || kind == SECCOMP_NONE)
		return kind;
	if (kind == SECCOMP_BUILTIN) {
		*ret = (struct bpf){ seccomp_default_insn, ARRAY_LEN(seccomp_default_insn), NULL };
		return 0;
	}
	if (pod_fd >= 0 && seccomp_cache_load(pod_fd, &p, ret) == 0)
		return 0;
	int r = seccomp_compile(&p, ret, e);
	if (r == 0 && pod_fd >= 0)
		seccomp_cache_save(pod_fd, &p, ret);
	return r;
}
