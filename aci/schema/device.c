/* device — see device.h. */
#include "schema/device.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "schema/check.h"

/* Absolute, and no part is "..". */
static bool path_ok(const char *s)
{
	const char *at = s;

	if (s[0] != '/' || !s[1])
		return false;
	while ((at = strstr(at, "/.."))) {
		if (at[3] == '/' || at[3] == '\0')
			return false;
		at += 3;
	}
	return true;
}

/* -1: not letters of "rwm", each at most once. */
static int access_of(const char *s)
{
	static const char letters[] = "rwm";
	int got = 0;

	for (; *s; s++) {
		const char *at = strchr(letters, *s);
		int bit = at ? 1 << (at - letters) : 0;

		if (!bit || got & bit)
			return -1;
		got |= bit;
	}
	return got & (DEVICE_READ | DEVICE_WRITE) ? got : -1;
}

int device_from_json(const json_t *o, const char *where, struct device *ret, struct err *e)
{
	const char *access = "rwm";
	char at[WHERE_MAX];
	int r;

	*ret = (struct device){ NULL, NULL, 0 };
	if (!json_is_object(o))
		return err_set(e, ERR_INPUT, EINVAL, "%s: object expected", where);
	r = json_get_str(o, where, "source", true, &ret->source, e);
	ret->target = ret->source;
	if (r == 0)
		r = json_get_str(o, where, "target", false, &ret->target, e);
	if (r == 0)
		r = json_get_str(o, where, "access", false, &access, e);
	if (r < 0)
		return r;
	if (!path_ok(ret->source))
		return bad_value(e, where_key(at, where, "source"), ret->source, "is not an absolute path");
	if (!path_ok(ret->target))
		return bad_value(e, where_key(at, where, "target"), ret->target, "is not an absolute path");
	int bits = access_of(access);
	if (bits < 0)
		return bad_value(e, where_key(at, where, "access"), access,
				 "is not of the letters r, w and m, with r or w");
	ret->access = (unsigned int)bits;
	return 0;
}

json_t *device_json_from_arg(const char *arg, struct err *e)
{
	auto_strv parts = strv_split(arg, ':');
	size_t n = strv_len(parts);
	struct device d;

	json_t *o = json_pack("{s:s}", "source", parts[0]);
	if (n > 1 && n < 4 && parts[n - 1][0] != '/')
		json_object_set_new(o, "access", json_string(parts[--n]));
	if (n == 2)
		json_object_set_new(o, "target", json_string(parts[1]));
	if (n > 2)
		(void)err_set(e, ERR_INPUT, EINVAL, "\"%.200s\" is not HOST[:TARGET][:rwm]", arg);
	else if (device_from_json(o, arg, &d, e) == 0)
		return o;
	json_decref(o);
	return NULL;
}
