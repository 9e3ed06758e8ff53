/* pathrule — see pathrule.h. */
#include "schema/pathrule.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "schema/check.h"

static unsigned int access_of(const char *s)
{
	static const char letters[] = "rwx";
	unsigned int got = 0;

	for (; *s; s++) {
		const char *at = strchr(letters, *s);
		unsigned int bit = at ? 1u << (at - letters) : 0;

		if (!bit || got & bit)
			return 0;
		got |= bit;
	}
	return got;
}

int pathrule_from_json(const json_t *o, const char *where, struct pathrule *ret, struct err *e)
{
	const char *access = NULL;
	char at[WHERE_MAX];
	int r;

	*ret = (struct pathrule){ NULL, 0 };
	if (!json_is_object(o))
		return err_set(e, ERR_INPUT, EINVAL, "%s: object expected", where);
	r = json_get_str(o, where, "path", true, &ret->path, e);
	if (r == 0)
		r = json_get_str(o, where, "access", true, &access, e);
	if (r < 0)
		return r;
	if (ret->path[0] != '/')
		return bad_value(e, where_key(at, where, "path"), ret->path, "is not an absolute path");
	ret->access = access_of(access);
	return ret->access ? 0
			   : bad_value(e, where_key(at, where, "access"), access,
				       "is not of the letters r, w and x");
}

json_t *pathrule_json_from_arg(const char *arg, struct err *e)
{
	const char *colon = strrchr(arg, ':');
	auto_free char *path = colon ? xstrndup(arg, (size_t)(colon - arg)) : xstrdup(arg);
	json_t *o = json_pack("{s:s, s:s}", "path", path, "access", colon ? colon + 1 : "r");
	struct pathrule p;

	if (pathrule_from_json(o, arg, &p, e) == 0)
		return o;
	json_decref(o);
	return NULL;
}
