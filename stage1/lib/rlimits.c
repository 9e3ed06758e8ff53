/* rlimits — see rlimits.h. */
#include "stage1/lib/rlimits.h"

#include <errno.h>
#include <sys/resource.h>

#include "schema/rlimit.h"

static int check_hard(const char *name, const struct rlimit_value *v, struct err *e)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)v->resource, &now) < 0)
		return err_sys(e, errno, "resource limit %s", name);
	if (v->hard <= now.rlim_max)
		return 0;
	return err_set(e, ERR_INPUT, EPERM,
		       "resource limit %s: the hard limit cannot be raised above rkt's own, which is %llu",
		       name, (unsigned long long)now.rlim_max);
}

int rlimits_of_app(const struct app *a, struct plan_rlimit ret[PLAN_RLIMITS_MAX], struct err *e)
{
	const struct isolator *iso = isolators_get(&a->isolators, ISO_RLIMITS);
	const char *name;
	json_t *value;
	int n = 0;

	_Static_assert(PLAN_RLIMITS_MAX >= RLIM_NLIMITS, "each at most once");
	if (!iso)
		return 0;
	json_object_foreach(iso->value, name, value)
	{
		struct rlimit_value v;
		int r = rlimit_parse(name, json_string_value(value), &v, e);

		if (r == 0)
			r = check_hard(name, &v, e);
		if (r < 0)
			return r;
		ret[n++] = (struct plan_rlimit){ (uint32_t)v.resource, 0, v.soft, v.hard };
	}
	return n;
}
