/*
 * strv — vectors of heap strings; room grows in powers of two, computed from the length alone.
 */
#include "base/strv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

void strv_free(char **v)
{
	int saved = errno;

	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
	errno = saved;
}

void strv_freep(char ***v)
{
	strv_free(*v);
	*v = NULL;
}

/* Append an owned string to a vector of @n. */
static void push_at(char ***v, size_t n, char *s)
{
	size_t need = n + 2;

	/* n + 1 slots are in use; a power of two means that they are all we have. */
	if (!*v || ((n + 1) & n) == 0) {
		size_t cap = 2;

		while (cap < need)
			cap *= 2;
		*v = xreallocarray(*v, cap, sizeof(char *));
	}
	(*v)[n] = s;
	(*v)[n + 1] = NULL;
}

void strv_push_take(char ***v, char *s)
{
	push_at(v, strv_len(*v), s);
}

void strv_push(char ***v, const char *s)
{
	strv_push_take(v, xstrdup(s));
}

void strv_pushf(char ***v, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	strv_push_take(v, s);
}

void strv_push_all(char ***v, char *const *more)
{
	size_t n = strv_len(*v);

	for (size_t i = 0; more && more[i]; i++)
		push_at(v, n + i, xstrdup(more[i]));
}

char **strv_copy(char *const *v)
{
	char **copy = NULL;

	strv_push_all(&copy, v);
	return copy;
}

bool strv_has(char *const *v, const char *s)
{
	for (size_t i = 0; v && v[i]; i++) {
		if (strcmp(v[i], s) == 0)
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **v)
{
	size_t n = strv_len(v);

	if (n > 1)
		qsort(v, n, sizeof(*v), compare);
}

char **strv_split(const char *s, char sep)
{
	char **v = NULL;

	for (size_t n = 0;; n++) {
		size_t len = 0;

		while (s[len] && s[len] != sep)
			len++;
		push_at(&v, n, xstrndup(s, len));
		if (!s[len])
			return v;
		s += len + 1;
	}
}

char *strv_join(char *const *v, const char *sep)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; v && v[i]; i++) {
		if (i)
			buf_adds(&b, sep);
		buf_adds(&b, v[i]);
	}
	return buf_steal(&b);
}

/* Index of NAME in @env, or its length. */
static size_t env_find(char *const *env, const char *name)
{
	size_t len = strlen(name), i = 0;

	for (; env && env[i]; i++) {
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			break;
	}
	return i;
}

const char *env_get(char *const *env, const char *name)
{
	size_t i = env_find(env, name);

	return env && env[i] ? env[i] + strlen(name) + 1 : NULL;
}

void env_set(char ***env, const char *name, const char *value)
{
	size_t i = env_find(*env, name);
	char *s = xasprintf("%s=%s", name, value);

	if (*env && (*env)[i]) {
		free((*env)[i]);
		(*env)[i] = s;
		return;
	}
	push_at(env, i, s);
}

void env_default(char ***env, const char *name, const char *value)
{
	if (!env_get(*env, name))
		env_set(env, name, value);
}

void env_pass(char ***env, const char *const *names)
{
	for (; *names; names++) {
		const char *value = getenv(*names);

		if (value)
			strv_pushf(env, "%s=%s", *names, value);
	}
}
