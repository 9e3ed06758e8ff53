/* capset — see capset.h.  Names come from libcap. */
#include "stage1/lib/capset.h"

#include <errno.h>
#include <stddef.h>
#include <strings.h>
#include <sys/capability.h>

#include "base/alloc.h"
#include "base/auto.h"

#define BIT(c) (UINT64_C(1) << (c))

uint64_t capset_default(void)
{
	return BIT(CAP_AUDIT_WRITE) | BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) |
	       BIT(CAP_FOWNER) | BIT(CAP_KILL) | BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) |
	       BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) |
	       BIT(CAP_SETFCAP) | BIT(CAP_SYS_CHROOT);
}

uint64_t capset_all(void)
{
	return BIT(cap_max_bits()) - 1;
}

uint64_t capset_own(void)
{
	uint64_t set = 0;
	cap_t own = cap_get_proc();

	for (cap_value_t c = 0; own && c < cap_max_bits(); c++) {
		cap_flag_value_t on = CAP_CLEAR;

		if (cap_get_flag(own, c, CAP_PERMITTED, &on) == 0 && on == CAP_SET)
			set |= BIT(c);
	}
	(void)cap_free(own);
	return set;
}

static int one_name(const char *name, uint64_t *set, struct err *e)
{
	cap_value_t v;
	auto_free char *full = strncasecmp(name, "cap_", 4) == 0 ? xstrdup(name) : xasprintf("cap_%s", name);

	/* libcap also takes numbers and names with junk behind them: only the exact name will do */
	char *exact = cap_from_name(full, &v) < 0 || v < 0 || v > 63 ? NULL : cap_to_name(v);
	bool same = exact && strcasecmp(exact, full) == 0;

	(void)cap_free(exact);
	if (!same)
		return err_set(e, ERR_INPUT, EINVAL, "unknown capability \"%s\"", name);
	*set |= BIT(v);
	return 0;
}

static int union_of(const struct app *a, enum isolator_kind kind, bool *seen, uint64_t *set, struct err *e)
{
	for (size_t i = 0; i < a->isolators.n; i++) {
		const struct isolator *iso = &a->isolators.v[i];

		if (iso->kind != kind)
			continue;
		*seen = true;
		for (char **s = iso->set; s && *s; s++) {
			int r = one_name(*s, set, e);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int capset_of_app(const struct app *a, uint64_t *ret, struct err *e)
{
	bool has_retain = false, has_remove = false;
	uint64_t retain = 0, removed = 0;
	int r = union_of(a, ISO_CAPS_RETAIN, &has_retain, &retain, e);

	if (r == 0)
		r = union_of(a, ISO_CAPS_REMOVE, &has_remove, &removed, e);
	if (r < 0)
		return r;
	if (has_retain && has_remove)
		return err_set(e, ERR_INPUT, EINVAL,
			       "capabilities: a retain-set and a remove-set exclude each other");
	*ret = (has_retain ? retain : capset_default() & ~removed) & capset_all();
	return 0;
}
