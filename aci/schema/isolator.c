/*
 * isolator — decoding and set rules of isolator lists (schema/isolator.h).
 *
 * One row a known name: its decoder and whether an app may have several.  Names that are not in the
 * table are kept as ISO_UNKNOWN, because the specification lets executors skip what they do not know
 * as long as they say so.
 */
#include "schema/isolator.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "schema/check.h"
#include "schema/device.h"
#include "schema/ids.h"
#include "schema/pathrule.h"
#include "schema/rlimit.h"

struct kind_row {
	const char *name;
	enum isolator_kind kind;
	bool many; /* an app may have more than one */
	/* Fill @i from its value; @where is the path of the value. */
	int (*decode)(const struct kind_row *row, struct isolator *i, const char *where, struct err *e);
	int64_t a, b; /* resources: scale, and whether "default" must be true; numbers: bounds */
};

/* A quantity member: text, or a bare number as the reference accepts. */
static int get_quantity(const json_t *obj, const char *where, const char *key, int64_t scale, int64_t *ret,
			struct err *e)
{
	const json_t *j = json_member(obj, key);
	char text[64];

	if (!j)
		return 0;
	if (json_is_string(j)) {
		if (quantity_parse(json_string_value(j), scale, ret, e) < 0)
			return err_ctx(e, "%s.%s", where, key);
		return 0;
	}
	if (json_is_integer(j)) {
		(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(j));
	} else if (json_is_real(j)) {
		/* The shortest text that reads back as the same number is the one that was written. */
		for (int digits = 15; digits <= 17; digits++) {
			(void)snprintf(text, sizeof(text), "%.*g", digits, json_real_value(j));
			if (!(strtod(text, NULL) < json_real_value(j) ||
			      strtod(text, NULL) > json_real_value(j)))
				break;
		}
	} else {
		return err_set(e, ERR_INPUT, EINVAL, "%s.%s: quantity expected", where, key);
	}
	if (quantity_parse(text, scale, ret, e) < 0)
		return err_ctx(e, "%s.%s", where, key);
	return 0;
}

static int decode_resource(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	bool by_default = false;
	int r = json_get_bool(i->value, where, "default", false, &by_default, e);

	if (r == 0)
		r = get_quantity(i->value, where, "limit", row->a, &i->limit, e);
	if (r == 0)
		r = get_quantity(i->value, where, "request", row->a, &i->request, e);
	if (r < 0)
		return r;
	if (row->b && !by_default)
		return err_set(e, ERR_INPUT, EINVAL, "%s.default: must be true for %s", where, row->name);
	if (!row->b && by_default)
		return err_set(e, ERR_INPUT, EINVAL, "%s.default: must not be true for %s", where, row->name);
	if (row->b && i->request >= 0)
		return err_set(e, ERR_INPUT, EINVAL, "%s.request: not possible for %s", where, row->name);
	return 0;
}

static int decode_set(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	char at[WHERE_MAX];
	int r = json_get_strv(i->value, where, "set", true, &i->set, e);

	(void)row;
	if (r < 0)
		return r;
	if (strv_len(i->set) == 0)
		return err_set(e, ERR_INPUT, EINVAL, "%s.set: empty", where);
	for (char **name = i->set; *name; name++) {
		if (!**name)
			return bad_value(e, where_key(at, where, "set"), *name, "is not a name");
	}
	return 0;
}

/* "E" and upper-case letters or digits. */
static bool errno_name_valid(const char *s)
{
	return s[0] == 'E' && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == 0;
}

static int decode_seccomp(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	const char *name = "";
	char at[WHERE_MAX];
	int r = decode_set(row, i, where, e);

	if (r == 0)
		r = json_get_str(i->value, where, "errno", false, &name, e);
	if (r < 0 || !*name)
		return r;
	if (!errno_name_valid(name))
		return bad_value(e, where_key(at, where, "errno"), name, "is not the name of an errno value");
	i->err_name = xstrdup(name);
	return 0;
}

static int decode_flag(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	(void)row;
	if (!json_is_boolean(i->value))
		return err_set(e, ERR_INPUT, EINVAL, "%s: true or false expected", where);
	i->flag = json_is_true(i->value);
	return 0;
}

static int decode_number(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	json_int_t v = json_integer_value(i->value);

	if (!json_is_integer(i->value))
		return err_set(e, ERR_INPUT, EINVAL, "%s: integer expected", where);
	if (v < row->a || v > row->b)
		return err_set(e, ERR_INPUT, ERANGE,
			       "%s: %" JSON_INTEGER_FORMAT " is not between %lld and %lld", where, v,
			       (long long)row->a, (long long)row->b);
	i->limit = v;
	return 0;
}

static int decode_selinux(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	static const char *const parts[] = { "user", "role", "type", "level" };
	char at[WHERE_MAX];

	(void)row;
	for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
		const char *s = NULL;
		int r = json_get_str(i->value, where, parts[p], true, &s, e);

		if (r < 0)
			return r;
		/* Only a level may have colons: they separate the parts. */
		if (!*s || (p < 3 && strchr(s, ':')))
			return bad_value(e, where_key(at, where, parts[p]), s,
					 "is not a part of an SELinux context");
	}
	return 0;
}

static int decode_apparmor(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	const char *profile = NULL;
	int r = json_get_str(i->value, where, "profile", true, &profile, e);

	(void)row;
	if (r == 0 && !*profile)
		return err_set(e, ERR_INPUT, EINVAL, "%s.profile: empty", where);
	return r;
}

static int decode_sysctl(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	const char *key;
	json_t *value;

	(void)row;
	if (!json_is_object(i->value))
		return err_set(e, ERR_INPUT, EINVAL, "%s: object expected", where);
	json_object_foreach(i->value, key, value)
	{
		if (!json_is_string(value))
			return bad_value(e, where, key, "has a value that is not a string");
	}
	return 0;
}

static const char *const io_keys[] = { "rbps", "wbps", "riops", "wiops" };

int64_t isolator_io_max(const json_t *limits, const char *key)
{
	struct err e = ERR_INIT;
	int64_t v = -1;

	return get_quantity(limits, "", key, 1, &v, &e) < 0 ? -1 : v;
}

static int decode_io_limits(json_t *limits, const char *where, struct err *e)
{
	const char *key;
	json_t *value;
	int r = 0;

	if (json_object_size(limits) == 0)
		return err_set(e, ERR_INPUT, EINVAL, "%s: object with rbps, wbps, riops or wiops expected",
			       where);
	json_object_foreach(limits, key, value)
	{
		int64_t v = -1;
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(io_keys); i++)
			known = known || strcmp(io_keys[i], key) == 0;
		if (!known)
			return bad_value(e, where, key, "is none of rbps, wbps, riops and wiops");
		r = get_quantity(limits, where, key, 1, &v, e);
		if (r < 0)
			return r;
		if (v <= 0)
			return err_set(e, ERR_INPUT, EINVAL, "%s.%s: must be positive", where, key);
	}
	return 0;
}

static int decode_io_max(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	const char *device;
	json_t *limits;

	(void)row;
	if (json_object_size(i->value) == 0)
		return err_set(e, ERR_INPUT, EINVAL, "%s: object of devices expected", where);
	json_object_foreach(i->value, device, limits)
	{
		char at[WHERE_MAX];

		if (device[0] != '/')
			return bad_value(e, where, device, "is not an absolute path of a device");
		int r = decode_io_limits(limits, where_key(at, where, device), e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_rlimits(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	const char *name;
	json_t *value;

	(void)row;
	if (json_object_size(i->value) == 0)
		return err_set(e, ERR_INPUT, EINVAL, "%s: object of limits expected", where);
	json_object_foreach(i->value, name, value)
	{
		struct rlimit_value v;

		if (!json_is_string(value))
			return bad_value(e, where, name, "has a value that is not a string");
		if (rlimit_parse(name, json_string_value(value), &v, e) < 0)
			return err_ctx(e, "%s", where);
	}
	return 0;
}

static int decode_devices(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	(void)row;
	if (json_array_size(i->value) == 0)
		return err_set(e, ERR_INPUT, EINVAL, "%s: list of devices expected", where);
	for (size_t n = 0; n < json_array_size(i->value); n++) {
		struct device d;
		char at[WHERE_MAX];
		int r = device_from_json(json_array_get(i->value, n), where_index(at, where, n), &d, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_landlock(const struct kind_row *row, struct isolator *i, const char *where, struct err *e)
{
	(void)row;
	if (json_array_size(i->value) == 0)
		return err_set(e, ERR_INPUT, EINVAL, "%s: list of paths expected", where);
	for (size_t n = 0; n < json_array_size(i->value); n++) {
		struct pathrule p;
		char at[WHERE_MAX];
		int r = pathrule_from_json(json_array_get(i->value, n), where_index(at, where, n), &p, e);

		if (r < 0)
			return r;
	}
	return 0;
}

#define MILLI    1000
#define PIDS_MAX 4194304 /* the kernel's own PID_MAX_LIMIT */

static const struct kind_row kinds[] = {
	{ "resource/cpu", ISO_CPU, true, decode_resource, MILLI, 0 },
	{ "resource/memory", ISO_MEMORY, true, decode_resource, 1, 0 },
	{ "resource/block-bandwidth", ISO_BLOCK_BANDWIDTH, true, decode_resource, 1, 1 },
	{ "resource/block-iops", ISO_BLOCK_IOPS, true, decode_resource, 1, 1 },
	{ "resource/network-bandwidth", ISO_NETWORK_BANDWIDTH, true, decode_resource, 1, 1 },
	{ "os/linux/capabilities-retain-set", ISO_CAPS_RETAIN, true, decode_set, 0, 0 },
	{ "os/linux/capabilities-remove-set", ISO_CAPS_REMOVE, true, decode_set, 0, 0 },
	{ "os/linux/seccomp-retain-set", ISO_SECCOMP_RETAIN, false, decode_seccomp, 0, 0 },
	{ "os/linux/seccomp-remove-set", ISO_SECCOMP_REMOVE, false, decode_seccomp, 0, 0 },
	{ "os/linux/no-new-privileges", ISO_NO_NEW_PRIVS, true, decode_flag, 0, 0 },
	{ "os/linux/oom-score-adj", ISO_OOM_SCORE_ADJ, false, decode_number, -1000, 1000 },
	{ "os/linux/cpu-shares", ISO_CPU_SHARES, false, decode_number, 2, 262144 },
	{ "os/linux/selinux-context", ISO_SELINUX, false, decode_selinux, 0, 0 },
	{ "os/linux/apparmor-profile", ISO_APPARMOR, false, decode_apparmor, 0, 0 },
	{ "os/unix/sysctl", ISO_SYSCTL, false, decode_sysctl, 0, 0 },
	{ "rkt.io/pids-limit", ISO_PIDS_LIMIT, false, decode_number, 1, PIDS_MAX },
	{ "rkt.io/cpu-weight", ISO_CPU_WEIGHT, false, decode_number, 1, 10000 },
	{ "rkt.io/io-weight", ISO_IO_WEIGHT, false, decode_number, 1, 10000 },
	{ "rkt.io/io-max", ISO_IO_MAX, false, decode_io_max, 0, 0 },
	{ "rkt.io/rlimits", ISO_RLIMITS, false, decode_rlimits, 0, 0 },
	{ "rkt.io/devices", ISO_DEVICES, false, decode_devices, 0, 0 },
	{ "rkt.io/landlock", ISO_LANDLOCK, false, decode_landlock, 0, 0 },
};
_Static_assert(ARRAY_LEN(kinds) == ISO_KINDS - 1, "every kind but ISO_UNKNOWN has a row");

static const struct kind_row *row_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

static void isolator_done(struct isolator *i)
{
	free(i->name);
	json_decref(i->value);
	strv_free(i->set);
	free(i->err_name);
}

void isolators_done(struct isolators *l)
{
	for (size_t i = 0; i < l->n; i++)
		isolator_done(&l->v[i]);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

/* Room grows by powers of two: the array is full whenever n is one. */
static void push_take(struct isolators *l, struct isolator *i)
{
	if ((l->n & (l->n - 1)) == 0)
		l->v = xreallocarray(l->v, l->n ? l->n * 2 : 1, sizeof(l->v[0]));
	l->v[l->n++] = *i;
}

void isolators_copy(struct isolators *to, const struct isolators *from)
{
	*to = (struct isolators){ NULL, 0 };
	for (size_t i = 0; i < from->n; i++) {
		struct isolator copy = from->v[i];

		copy.name = xstrdup(copy.name);
		copy.value = json_incref(copy.value);
		copy.set = strv_copy(copy.set);
		copy.err_name = xstrdup(copy.err_name);
		push_take(to, &copy);
	}
}

const struct isolator *isolators_get(const struct isolators *l, enum isolator_kind kind)
{
	for (size_t i = l->n; i > 0; i--) {
		if (l->v[i - 1].kind == kind)
			return &l->v[i - 1];
	}
	return NULL;
}

void isolators_drop(struct isolators *l, enum isolator_kind kind)
{
	struct isolators kept = { NULL, 0 };

	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].kind == kind)
			isolator_done(&l->v[i]);
		else
			push_take(&kept, &l->v[i]);
	}
	free(l->v);
	*l = kept;
}

void isolators_override(struct isolators *to, const struct isolators *from)
{
	struct isolators copy;

	for (size_t i = 0; i < from->n; i++) {
		isolators_drop(to, from->v[i].kind);
		if (from->v[i].kind == ISO_CPU_WEIGHT)
			isolators_drop(to, ISO_CPU_SHARES);
	}
	isolators_copy(&copy, from);
	for (size_t i = 0; i < copy.n; i++)
		push_take(to, &copy.v[i]);
	free(copy.v);
}

/* Decode and append; @value is borrowed.  @where is the path of the value, "" for a flag. */
static int add(struct isolators *l, const char *name, json_t *value, const char *where, struct err *e)
{
	const struct kind_row *row = row_of(name);
	struct isolator i = { .kind = row ? row->kind : ISO_UNKNOWN, .limit = -1, .request = -1 };
	int r = 0;

	if (row && (!value || json_is_null(value)))
		return err_set(e, ERR_INPUT, EINVAL, "%s: missing (value of isolator %s)", where, name);
	i.name = xstrdup(name);
	i.value = value ? json_incref(value) : json_null();
	if (row)
		r = row->decode(row, &i, where, e);
	if (r < 0) {
		isolator_done(&i);
		return r;
	}
	push_take(l, &i);
	return 0;
}

/* Rules of app lists; they do not depend on the order. */
static int check_set_rules(const struct isolators *l, const char *where, struct err *e)
{
	size_t count[ISO_KINDS] = { 0 };

	for (size_t i = 0; i < l->n; i++)
		count[l->v[i].kind]++;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (count[kinds[i].kind] > 1 && !kinds[i].many)
			return bad_value(e, where, kinds[i].name, "may be given once only");
	}
	if (count[ISO_SECCOMP_RETAIN] && count[ISO_SECCOMP_REMOVE])
		return err_set(
			e, ERR_INPUT, EINVAL,
			"%s: os/linux/seccomp-retain-set and os/linux/seccomp-remove-set exclude each other",
			where);
	if (count[ISO_CPU_SHARES] && count[ISO_CPU_WEIGHT])
		return err_set(e, ERR_INPUT, EINVAL,
			       "%s: os/linux/cpu-shares and rkt.io/cpu-weight exclude each other", where);
	return 0;
}

int isolators_from_json(const json_t *arr, const char *where, bool app_scope, struct isolators *ret,
			struct err *e)
{
	struct isolators got = { NULL, 0 };
	size_t n = json_array_size(arr);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		char at[WHERE_MAX], value_at[WHERE_MAX];
		const json_t *o = need_object(arr, where, i, e);
		const char *name = NULL;

		if (!o) {
			r = -e->code;
			break;
		}
		(void)where_index(at, where, i);
		r = need_valid(o, at, "name", ac_identifier_valid, RULE_IDENTIFIER, &name, e);
		if (r == 0)
			r = add(&got, name, json_member(o, "value"), where_key(value_at, at, "value"), e);
	}
	if (r == 0 && app_scope)
		r = check_set_rules(&got, where, e);
	if (r == 0)
		*ret = got;
	else
		isolators_done(&got);
	return r;
}

json_t *isolators_to_json(const struct isolators *l)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(arr,
				      json_pack("{s:s, s:O}", "name", l->v[i].name, "value", l->v[i].value));
	return arr;
}

int isolators_add(struct isolators *l, const char *name, json_t *value, struct err *e)
{
	auto_json taken = value;

	if (!ac_identifier_valid(name))
		return bad_value(e, "isolator", name, RULE_IDENTIFIER);
	return add(l, name, taken, name, e);
}
