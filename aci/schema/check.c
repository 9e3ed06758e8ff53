/*
 * check — wording and paths of schema errors (schema/check.h).
 */
#include "schema/check.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "schema/ids.h"

#define VALUE_SHOWN 80

const char *where_key(char out[WHERE_MAX], const char *where, const char *key)
{
	(void)snprintf(out, WHERE_MAX, "%s.%s", where, key);
	return out;
}

const char *where_index(char out[WHERE_MAX], const char *where, size_t i)
{
	(void)snprintf(out, WHERE_MAX, "%s[%zu]", where, i);
	return out;
}

int bad_value(struct err *e, const char *where, const char *value, const char *rule)
{
	auto_buf shown = BUF_INIT;
	size_t n = strlen(value);

	buf_add_escaped(&shown, value, n > VALUE_SHOWN ? VALUE_SHOWN : n);
	if (n > VALUE_SHOWN)
		buf_adds(&shown, "...");
	return err_set(e, ERR_INPUT, EINVAL, "%s%s\"%s\" %s", where, *where ? ": " : "", buf_str(&shown),
		       rule);
}

int need_valid(const json_t *obj, const char *where, const char *key, bool (*valid)(const char *),
	       const char *rule, const char **ret, struct err *e)
{
	char at[WHERE_MAX];
	const char *s = NULL;
	int r = json_get_str(obj, where, key, true, &s, e);

	if (r < 0)
		return r;
	if (!valid(s))
		return bad_value(e, where_key(at, where, key), s, rule);
	*ret = s;
	return 0;
}

json_t *need_object(const json_t *arr, const char *where, size_t i, struct err *e)
{
	json_t *o = json_array_get(arr, i);

	if (json_is_object(o))
		return o;
	(void)err_set(e, ERR_INPUT, EINVAL, "%s[%zu]: object expected", where, i);
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *duplicate_name(const char **names, size_t n)
{
	if (n < 2)
		return NULL;
	qsort(names, n, sizeof(names[0]), by_text);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(names[i - 1], names[i]) == 0)
			return names[i];
	}
	return NULL;
}

void set_unless_empty(json_t *obj, const char *key, json_t *value)
{
	if (json_array_size(value) || json_object_size(value))
		json_object_set_new(obj, key, value);
	else
		json_decref(value);
}

int check_kind(const json_t *doc, const char *kind, bool need_version, const char **ret_version,
	       struct err *e)
{
	const char *got = NULL, *version = NULL;
	char rule[48];
	int r = json_get_str(doc, "", "acKind", true, &got, e);

	if (r == 0 && strcmp(got, kind) != 0) {
		(void)snprintf(rule, sizeof(rule), "is not %s", kind);
		return bad_value(e, ".acKind", got, rule);
	}
	if (r == 0)
		r = json_get_str(doc, "", "acVersion", need_version, &version, e);
	if (r < 0)
		return r;
	if (version && !ac_version_valid(version))
		return bad_value(e, ".acVersion", version, "is not a version (like " AC_VERSION ")");
	*ret_version = version;
	return 0;
}
