/*
 * json — strict loading and getters that say where.
 *
 * jansson builds its tree by recursion and has a nesting limit of its own (2048); ours is lower, so
 * brackets are counted before it sees the text.  It also accepts neither trailing data nor a
 * byte-order mark nor NUL in strings, with the flags that are used here.
 */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"

/* jansson opens /dev/urandom for the seed of its hash tables; the kernel has given every process 16 random
 * bytes at its start already (getauxval(3)). */
static __attribute__((constructor)) void seed_tables(void)
{
	const unsigned char *random = (const unsigned char *)(uintptr_t)getauxval(AT_RANDOM);
	size_t seed = 0;

	if (random)
		memcpy(&seed, random + 8, sizeof(seed)); /* the first half guards the stacks */
	if (seed)
		json_object_seed(seed);
}

/* Where byte @at of @text is, counted from 1 as editors do (columns are bytes). */
static void position(const char *text, size_t at, int *line, int *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at; i++) {
		(*column)++;
		if (text[i] == '\n') {
			(*line)++;
			*column = 1;
		}
	}
}

static int check_depth(const char *text, size_t len, struct err *e)
{
	bool quoted = false;
	int depth = 0, line, column;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == '"')
			quoted = true;
		else if (c == ']' || c == '}')
			depth--;
		else if ((c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX) {
			position(text, i, &line, &column);
			return err_set(e, ERR_INPUT, E2BIG, "line %d, column %d: more than %d levels deep",
				       line, column, JSON_DEPTH_MAX);
		}
	}
	return 0;
}

json_t *json_parse(const char *text, size_t len, struct err *e)
{
	json_error_t why;
	auto_buf clean = BUF_INIT;
	json_t *j;

	if (check_depth(text, len, e) < 0)
		return NULL;
	j = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (j)
		return j;
	/* The library quotes from the document, which may hold anything. */
	buf_add_line(&clean, why.text, strlen(why.text));
	(void)err_set(e, ERR_INPUT, EINVAL, "line %d, column %d: %s", why.line < 1 ? 1 : why.line,
		      why.column < 0 ? 0 : why.column, buf_str(&clean));
	return NULL;
}

json_t *json_member(const json_t *obj, const char *key)
{
	json_t *found = json_object_get(obj, key), *value;
	const char *name;

	if (!found && json_is_object(obj)) {
		/* jansson's iterators want a pointer to non-const; nothing is changed. */
		json_object_foreach((json_t *)(uintptr_t)obj, name, value)
		{
			if (strcasecmp(name, key) == 0) {
				found = value;
				break;
			}
		}
	}
	return json_is_null(found) ? NULL : found;
}

/*
 * The member, or NULL with *@r set: 0 when it is absent and may be, else an error.  @kinds is a set
 * of json_type bits, @kind its name for the message.
 */
static json_t *typed(const json_t *obj, const char *where, const char *key, bool required, unsigned int kinds,
		     const char *kind, int *r, struct err *e)
{
	json_t *j;

	*r = 0;
	if (!json_is_object(obj)) {
		*r = err_set(e, ERR_INPUT, EINVAL, "%s: object expected", *where ? where : "document");
		return NULL;
	}
	j = json_member(obj, key);
	if (!j) {
		if (required)
			*r = err_set(e, ERR_INPUT, EINVAL, "%s.%s: missing", where, key);
		return NULL;
	}
	if (!(kinds & 1u << json_typeof(j))) {
		*r = err_set(e, ERR_INPUT, EINVAL, "%s.%s: %s expected", where, key, kind);
		return NULL;
	}
	return j;
}

int json_get_str(const json_t *obj, const char *where, const char *key, bool required, const char **ret,
		 struct err *e)
{
	int r;
	json_t *j = typed(obj, where, key, required, 1u << JSON_STRING, "string", &r, e);

	if (j)
		*ret = json_string_value(j);
	return r;
}

int json_get_bool(const json_t *obj, const char *where, const char *key, bool required, bool *ret,
		  struct err *e)
{
	int r;
	json_t *j = typed(obj, where, key, required, 1u << JSON_TRUE | 1u << JSON_FALSE, "true or false", &r,
			  e);

	if (j)
		*ret = json_is_true(j);
	return r;
}

int json_get_int(const json_t *obj, const char *where, const char *key, bool required, int64_t min,
		 int64_t max, int64_t *ret, struct err *e)
{
	int r;
	json_t *j = typed(obj, where, key, required, 1u << JSON_INTEGER, "integer", &r, e);
	int64_t v;

	if (!j)
		return r;
	v = json_integer_value(j);
	if (v < min || v > max)
		return err_set(e, ERR_INPUT, ERANGE,
			       "%s.%s: %" PRId64 " is not between %" PRId64 " and %" PRId64, where, key, v,
			       min, max);
	*ret = v;
	return 0;
}

int json_get_obj(const json_t *obj, const char *where, const char *key, bool required, json_t **ret,
		 struct err *e)
{
	int r;
	json_t *j = typed(obj, where, key, required, 1u << JSON_OBJECT, "object", &r, e);

	if (j)
		*ret = j;
	return r;
}

int json_get_arr(const json_t *obj, const char *where, const char *key, bool required, json_t **ret,
		 struct err *e)
{
	int r;
	json_t *j = typed(obj, where, key, required, 1u << JSON_ARRAY, "array", &r, e);

	if (j)
		*ret = j;
	return r;
}

int json_get_strv(const json_t *obj, const char *where, const char *key, bool required, char ***ret,
		  struct err *e)
{
	json_t *list = NULL, *item;
	auto_strv more = NULL;
	size_t i;
	int r = json_get_arr(obj, where, key, required, &list, e);

	if (r < 0 || !list)
		return r;
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item))
			return err_set(e, ERR_INPUT, EINVAL, "%s.%s[%zu]: string expected", where, key, i);
		strv_push(&more, json_string_value(item));
	}
	strv_push_all(ret, more);
	return 0;
}

/* jansson indents by blanks only: turn the leading ones of each line into TABs, one a level. */
static void indent_by_tabs(const char *text, struct buf *out)
{
	while (*text) {
		size_t level = strspn(text, " "), len;

		for (size_t i = 0; i < level; i++)
			buf_addc(out, '\t');
		text += level;
		len = strcspn(text, "\n");
		len += text[len] == '\n'; /* never inside a string: those are escaped */
		buf_add(out, text, len);
		text += len;
	}
}

char *json_text(const json_t *j, enum json_style style)
{
	const size_t kept = JSON_PRESERVE_ORDER | JSON_ENCODE_ANY;
	auto_free char *text = json_dumps(j,
					  style == JSON_TABS ? kept | JSON_INDENT(1) : kept | JSON_COMPACT);
	struct buf out = BUF_INIT;

	if (!text) /* out of memory, or not a value at all */
		abort();
	if (style == JSON_LINE)
		return steal_ptr(&text);
	indent_by_tabs(text, &out);
	return buf_steal(&out);
}
