/*
 * volume — volumes, mounts and mount points (schema/volume.h).
 *
 * The two spellings of a volume (JSON members, "key=value" of --volume) are read into the same
 * struct; what a kind permits is decided once, in volume_check.
 */
#include "schema/volume.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/path.h"
#include "base/strv.h"
#include "schema/check.h"
#include "schema/ids.h"

#define EMPTY_MODE 0755
#define ID_MAX     (UINT32_MAX - 1) /* (uid_t)-1 means "no change" to the kernel */

static const char *const propagation_names[] = {
	[PROPAGATION_SLAVE] = "slave", [PROPAGATION_PRIVATE] = "private"
};
static const char *const kind_names[] = { [VOLUME_HOST] = "host", [VOLUME_EMPTY] = "empty" };

/* Which members a text gave. */
enum {
	HAS_KIND = 1,
	HAS_SOURCE = 2,
	HAS_MODE = 4,
	HAS_UID = 8,
	HAS_GID = 16,
	HAS_READ_ONLY = 32,
	HAS_RECURSIVE = 64,
	HAS_PROPAGATION = 128
};

static const struct volume volume_zero = { .read_only = TRI_UNSET,
					   .recursive = TRI_UNSET,
					   .mode = EMPTY_MODE };

void volume_done(struct volume *v)
{
	free(v->name);
	free(v->source);
	*v = volume_zero;
}

void volumes_done(struct volumes *l)
{
	for (size_t i = 0; i < l->n; i++)
		volume_done(&l->v[i]);
	free(l->v);
	*l = (struct volumes){ NULL, 0 };
}

static void mount_done(struct mount *m)
{
	free(m->volume);
	free(m->path);
	if (m->app_volume)
		volume_done(m->app_volume);
	free(m->app_volume);
	*m = (struct mount){ NULL, NULL, NULL };
}

void mounts_done(struct mounts *l)
{
	for (size_t i = 0; i < l->n; i++)
		mount_done(&l->v[i]);
	free(l->v);
	*l = (struct mounts){ NULL, 0 };
}

void mount_points_done(struct mount_points *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].path);
	}
	free(l->v);
	*l = (struct mount_points){ NULL, 0 };
}

const struct volume *volumes_get(const struct volumes *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	}
	return NULL;
}

/* Room for one more element; an array is full whenever n is a power of two. */
static void *grow(void *v, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? xreallocarray(v, n ? n * 2 : 1, size) : v;
}

void volumes_push_take(struct volumes *l, struct volume *v)
{
	l->v = grow(l->v, l->n, sizeof(l->v[0]));
	l->v[l->n++] = *v;
	*v = volume_zero;
}

void mounts_push_take(struct mounts *l, struct mount *m)
{
	l->v = grow(l->v, l->n, sizeof(l->v[0]));
	l->v[l->n++] = *m;
	*m = (struct mount){ NULL, NULL, NULL };
}

static bool absolute(const char *path)
{
	return path[0] == '/';
}

#define RULE_ABSOLUTE "is not an absolute path"

static int kind_from_text(const char *text, const char *where, enum volume_kind *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_names); i++) {
		if (strcmp(text, kind_names[i]) == 0) {
			*ret = (enum volume_kind)i;
			return 0;
		}
	}
	return bad_value(e, where, text, "is not a kind of volume (host, empty)");
}

#define RULE_PROPAGATION "is not a propagation (slave, private; shared would let the pod mount on the host)"

static int propagation_from_text(const char *text, enum volume_propagation *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(propagation_names); i++) {
		if (strcmp(text, propagation_names[i]) == 0) {
			*ret = (enum volume_propagation)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Does the kind permit what was given, and was everything given that it needs? */
static int volume_check(const struct volume *v, unsigned int has, const char *where, struct err *e)
{
	static const struct {
		unsigned int bit;
		const char *key;
	} empty_only[] = { { HAS_MODE, "mode" }, { HAS_UID, "uid" }, { HAS_GID, "gid" } };

	if (!(has & HAS_KIND))
		return err_set(e, ERR_INPUT, EINVAL, "%s: kind is missing (host or empty)", where);
	if (v->kind == VOLUME_EMPTY) {
		if (has & (HAS_SOURCE | HAS_PROPAGATION))
			return err_set(e, ERR_INPUT, EINVAL, "%s: a volume of kind empty has no %s", where,
				       has & HAS_SOURCE ? "source" : "propagation");
		return 0;
	}
	if (!(has & HAS_SOURCE))
		return err_set(e, ERR_INPUT, EINVAL, "%s: a volume of kind host needs a source", where);
	if (!absolute(v->source))
		return bad_value(e, where, v->source, "is not an absolute path (source)");
	for (size_t i = 0; i < ARRAY_LEN(empty_only); i++) {
		if (has & empty_only[i].bit)
			return err_set(e, ERR_INPUT, EINVAL, "%s: a volume of kind host has no %s", where,
				       empty_only[i].key);
	}
	return 0;
}

/* ---- JSON ---- */

static int get_tristate(const json_t *o, const char *where, const char *key, enum tristate *ret,
			struct err *e)
{
	bool on = false;
	int r = json_get_bool(o, where, key, false, &on, e);

	if (r == 0 && json_member(o, key))
		*ret = on ? TRI_TRUE : TRI_FALSE;
	return r;
}

static int get_id(const json_t *o, const char *where, const char *key, unsigned int bit, uint32_t *ret,
		  unsigned int *has, struct err *e)
{
	int64_t v = 0;
	int r = json_get_int(o, where, key, false, 0, ID_MAX, &v, e);

	if (r == 0 && json_member(o, key)) {
		*ret = (uint32_t)v;
		*has |= bit;
	}
	return r;
}

static int get_mode(const json_t *o, const char *where, struct volume *v, unsigned int *has, struct err *e)
{
	const char *text = NULL;
	char at[WHERE_MAX];
	int r = json_get_str(o, where, "mode", false, &text, e);

	if (r < 0 || !text)
		return r;
	*has |= HAS_MODE;
	if (parse_mode(text, &v->mode) < 0)
		return bad_value(e, where_key(at, where, "mode"), text, "is not an octal mode");
	return 0;
}

/* *v is volume_zero and is for the caller to free, whatever the result. */
static int volume_from_json(const json_t *o, const char *where, struct volume *v, struct err *e)
{
	const char *name = NULL, *kind = NULL, *source = NULL, *propagation = NULL;
	unsigned int has = HAS_KIND;
	char at[WHERE_MAX];
	int r = need_valid(o, where, "name", ac_name_valid, RULE_NAME, &name, e);

	if (r == 0)
		r = json_get_str(o, where, "kind", true, &kind, e);
	if (r == 0)
		r = kind_from_text(kind, where_key(at, where, "kind"), &v->kind, e);
	if (r == 0)
		r = json_get_str(o, where, "source", false, &source, e);
	if (r == 0)
		r = get_tristate(o, where, "readOnly", &v->read_only, e);
	if (r == 0)
		r = get_tristate(o, where, "recursive", &v->recursive, e);
	if (r == 0)
		r = json_get_str(o, where, "propagation", false, &propagation, e);
	if (r == 0 && propagation) {
		has |= HAS_PROPAGATION;
		if (propagation_from_text(propagation, &v->propagation) < 0)
			r = bad_value(e, where_key(at, where, "propagation"), propagation, RULE_PROPAGATION);
	}
	if (r == 0)
		r = get_mode(o, where, v, &has, e);
	if (r == 0)
		r = get_id(o, where, "uid", HAS_UID, &v->uid, &has, e);
	if (r == 0)
		r = get_id(o, where, "gid", HAS_GID, &v->gid, &has, e);
	if (r < 0)
		return r;
	v->name = xstrdup(name);
	v->source = xstrdup(source);
	return volume_check(v, has | (source ? HAS_SOURCE : 0), where, e);
}

int volumes_from_json(const json_t *arr, const char *where, struct volumes *ret, struct err *e)
{
	struct volumes got = { NULL, 0 };
	size_t n = json_array_size(arr);
	auto_free const char **names = xcalloc(n + 1, sizeof(names[0]));
	const char *twice;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct volume v = volume_zero;
		char at[WHERE_MAX];
		const json_t *o = need_object(arr, where, i, e);

		r = o ? volume_from_json(o, where_index(at, where, i), &v, e) : -e->code;
		if (r == 0) {
			names[i] = v.name;
			volumes_push_take(&got, &v);
		} else {
			volume_done(&v);
		}
	}
	if (r == 0) {
		twice = duplicate_name(names, n);
		r = twice ? bad_value(e, where, twice, "is given twice") : 0;
	}
	if (r == 0)
		*ret = got;
	else
		volumes_done(&got);
	return r;
}

static void set_tristate(json_t *o, const char *key, enum tristate t)
{
	if (t != TRI_UNSET)
		json_object_set_new(o, key, json_boolean(t == TRI_TRUE));
}

static json_t *volume_to_json(const struct volume *v)
{
	json_t *o = json_pack("{s:s, s:s}", "name", v->name, "kind", kind_names[v->kind]);
	char mode[16];

	if (v->kind == VOLUME_HOST)
		json_object_set_new(o, "source", json_string(v->source));
	set_tristate(o, "readOnly", v->read_only);
	set_tristate(o, "recursive", v->recursive);
	if (v->propagation != PROPAGATION_SLAVE)
		json_object_set_new(o, "propagation", json_string(propagation_names[v->propagation]));
	if (v->kind == VOLUME_EMPTY) {
		(void)snprintf(mode, sizeof(mode), "%04o", v->mode);
		json_object_set_new(o, "mode", json_string(mode));
		json_object_set_new(o, "uid", json_integer(v->uid));
		json_object_set_new(o, "gid", json_integer(v->gid));
	}
	return o;
}

json_t *volumes_to_json(const struct volumes *l)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(arr, volume_to_json(&l->v[i]));
	return arr;
}

/* *m is zeroed and is for the caller to free, whatever the result. */
static int mount_from_json(const json_t *o, const char *where, struct mount *m, struct err *e)
{
	const char *volume = NULL, *path = NULL;
	json_t *own = NULL;
	char at[WHERE_MAX];
	int r = need_valid(o, where, "volume", ac_name_valid, RULE_NAME, &volume, e);

	if (r == 0)
		r = need_valid(o, where, "path", absolute, RULE_ABSOLUTE, &path, e);
	if (r == 0)
		r = json_get_obj(o, where, "appVolume", false, &own, e);
	if (r < 0)
		return r;
	m->volume = xstrdup(volume);
	m->path = xstrdup(path);
	if (!own)
		return 0;
	m->app_volume = xmalloc(sizeof(*m->app_volume));
	*m->app_volume = volume_zero;
	return volume_from_json(own, where_key(at, where, "appVolume"), m->app_volume, e);
}

int mounts_from_json(const json_t *arr, const char *where, struct mounts *ret, struct err *e)
{
	struct mounts got = { NULL, 0 };
	size_t n = json_array_size(arr);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct mount m = { NULL, NULL, NULL };
		char at[WHERE_MAX];
		const json_t *o = need_object(arr, where, i, e);

		r = o ? mount_from_json(o, where_index(at, where, i), &m, e) : -e->code;
		if (r == 0)
			mounts_push_take(&got, &m);
		else
			mount_done(&m);
	}
	if (r == 0)
		*ret = got;
	else
		mounts_done(&got);
	return r;
}

json_t *mounts_to_json(const struct mounts *l)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < l->n; i++) {
		json_t *o = json_pack("{s:s, s:s}", "volume", l->v[i].volume, "path", l->v[i].path);

		if (l->v[i].app_volume)
			json_object_set_new(o, "appVolume", volume_to_json(l->v[i].app_volume));
		json_array_append_new(arr, o);
	}
	return arr;
}

static int mount_point_push(struct mount_points *l, const json_t *o, const char *where, struct err *e)
{
	struct mount_point p = { NULL, NULL, false };
	const char *name = NULL, *path = NULL;
	int r = need_valid(o, where, "name", ac_name_valid, RULE_NAME, &name, e);

	if (r == 0)
		r = need_valid(o, where, "path", absolute, RULE_ABSOLUTE, &path, e);
	if (r == 0)
		r = json_get_bool(o, where, "readOnly", false, &p.read_only, e);
	if (r < 0)
		return r;
	p.name = xstrdup(name);
	p.path = xstrdup(path);
	l->v = grow(l->v, l->n, sizeof(l->v[0]));
	l->v[l->n++] = p;
	return 0;
}

/* Two mount points at one place cannot both be honoured. */
static int mount_points_check(const struct mount_points *l, const char *where, struct err *e)
{
	auto_strv clean = NULL;
	auto_free const char **paths = xcalloc(l->n + 1, sizeof(paths[0]));
	const char *twice;

	for (size_t i = 0; i < l->n; i++)
		strv_push_take(&clean, path_clean(l->v[i].path));
	for (size_t i = 0; i < l->n; i++)
		paths[i] = clean[i];
	twice = duplicate_name(paths, l->n);
	return twice ? bad_value(e, where, twice, "is the path of two mount points") : 0;
}

int mount_points_from_json(const json_t *arr, const char *where, struct mount_points *ret, struct err *e)
{
	struct mount_points got = { NULL, 0 };
	size_t n = json_array_size(arr);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		char at[WHERE_MAX];
		const json_t *o = need_object(arr, where, i, e);

		r = o ? mount_point_push(&got, o, where_index(at, where, i), e) : -e->code;
	}
	if (r == 0)
		r = mount_points_check(&got, where, e);
	if (r == 0)
		*ret = got;
	else
		mount_points_done(&got);
	return r;
}

json_t *mount_points_to_json(const struct mount_points *l)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < l->n; i++) {
		json_t *o = json_pack("{s:s, s:s}", "name", l->v[i].name, "path", l->v[i].path);

		if (l->v[i].read_only)
			json_object_set_new(o, "readOnly", json_true());
		json_array_append_new(arr, o);
	}
	return arr;
}

/* ---- command line ---- */

static int arg_tristate(enum tristate *ret, const char *value)
{
	bool on;

	if (parse_bool(value, &on) < 0)
		return -EINVAL;
	*ret = on ? TRI_TRUE : TRI_FALSE;
	return 0;
}

static int arg_kind(struct volume *v, const char *value)
{
	struct err ignored = ERR_INIT;

	return kind_from_text(value, "", &v->kind, &ignored);
}

static int arg_source(struct volume *v, const char *value)
{
	v->source = xstrdup(value);
	return 0;
}

static int arg_mode(struct volume *v, const char *value)
{
	return parse_mode(value, &v->mode);
}

static int arg_uid(struct volume *v, const char *value)
{
	return parse_id(value, &v->uid);
}

static int arg_gid(struct volume *v, const char *value)
{
	return parse_id(value, &v->gid);
}

static int arg_read_only(struct volume *v, const char *value)
{
	return arg_tristate(&v->read_only, value);
}

static int arg_recursive(struct volume *v, const char *value)
{
	return arg_tristate(&v->recursive, value);
}

static int arg_propagation(struct volume *v, const char *value)
{
	return propagation_from_text(value, &v->propagation);
}

static const struct volume_key {
	const char *key;
	unsigned int bit;
	int (*set)(struct volume *v, const char *value);
	const char *rule;
} volume_keys[] = {
	{ "kind", HAS_KIND, arg_kind, "is not a kind of volume (host, empty)" },
	{ "source", HAS_SOURCE, arg_source, "" },
	{ "readOnly", HAS_READ_ONLY, arg_read_only, "is not true or false (readOnly)" },
	{ "recursive", HAS_RECURSIVE, arg_recursive, "is not true or false (recursive)" },
	{ "propagation", HAS_PROPAGATION, arg_propagation, RULE_PROPAGATION },
	{ "mode", HAS_MODE, arg_mode, "is not an octal mode" },
	{ "uid", HAS_UID, arg_uid, "is not a user id" },
	{ "gid", HAS_GID, arg_gid, "is not a group id" },
};

/* Set the one key that @part ("key=value") names. */
static int volume_part(struct volume *v, unsigned int *has, const char *part, const char *where,
		       struct err *e)
{
	const char *eq = strchr(part, '=');

	if (!eq)
		return bad_value(e, where, part, "has no value: KEY=VALUE expected");
	for (size_t i = 0; i < ARRAY_LEN(volume_keys); i++) {
		const struct volume_key *k = &volume_keys[i];

		if (strlen(k->key) != (size_t)(eq - part) || strncmp(k->key, part, (size_t)(eq - part)) != 0)
			continue;
		if (*has & k->bit)
			return bad_value(e, where, k->key, "is given twice");
		*has |= k->bit;
		return k->set(v, eq + 1) < 0 ? bad_value(e, where, eq + 1, k->rule) : 0;
	}
	return bad_value(
		e, where, part,
		"is not something a volume has (kind, source, readOnly, recursive, propagation, mode, "
		"uid, gid)");
}

int volume_from_arg(const char *arg, struct volume *ret, struct err *e)
{
	auto_strv parts = strv_split(arg, ',');
	struct volume v = volume_zero;
	unsigned int has = 0;
	char at[WHERE_MAX];
	int r = 0;

	if (!ac_name_valid(parts[0]))
		return bad_value(e, "volume", parts[0],
				 RULE_NAME "; NAME,kind=host,source=PATH or NAME,kind=empty expected");
	(void)snprintf(at, sizeof(at), "volume \"%.64s\"", parts[0]);
	for (size_t i = 1; parts[i] && r == 0; i++)
		r = volume_part(&v, &has, parts[i], at, e);
	if (r == 0)
		r = volume_check(&v, has, at, e);
	if (r < 0) {
		volume_done(&v);
		return r;
	}
	v.name = xstrdup(parts[0]);
	*ret = v;
	return 0;
}

int mount_from_arg(const char *arg, struct mount *ret, struct err *e)
{
	static const char *const keys[] = { "volume=", "target=" };
	auto_strv parts = strv_split(arg, ',');
	const char *value[ARRAY_LEN(keys)] = { NULL, NULL };

	for (size_t i = 0; parts[i]; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(keys) && strncmp(parts[i], keys[k], strlen(keys[k])) != 0)
			k++;
		if (k == ARRAY_LEN(keys))
			return bad_value(e, "mount", parts[i],
					 "not understood; volume=NAME,target=PATH expected");
		if (value[k])
			return bad_value(e, "mount", parts[i], "is given twice");
		value[k] = parts[i] + strlen(keys[k]);
	}
	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		if (!value[k])
			return bad_value(e, "mount", arg,
					 "is not complete; volume=NAME,target=PATH expected");
	}
	if (!ac_name_valid(value[0]))
		return bad_value(e, "mount", value[0], RULE_NAME);
	if (!absolute(value[1]))
		return bad_value(e, "mount", value[1], RULE_ABSOLUTE);
	*ret = (struct mount){ xstrdup(value[0]), xstrdup(value[1]), NULL };
	return 0;
}
