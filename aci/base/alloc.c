/*
 * alloc — allocation that aborts when memory is out.
 */
#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		abort();
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = n && size ? calloc(n, size) : calloc(1, 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	void *q;

	/* realloc(p, 0) frees in some libraries and not in others. */
	q = n && size ? reallocarray(p, n, size) : realloc(p, 1);
	if (!q)
		out_of_memory();
	return q;
}

void *xmemdup(const void *p, size_t n)
{
	void *q;

	if (!p)
		return NULL;
	q = xmalloc(n);
	if (n)
		memcpy(q, p, n);
	return q;
}

char *xstrdup(const char *s)
{
	return s ? xmemdup(s, strlen(s) + 1) : NULL;
}

char *xstrndup(const char *s, size_t max)
{
	size_t n;
	char *q;

	if (!s)
		return NULL;
	n = strnlen(s, max);
	q = xmalloc(n + 1);
	memcpy(q, s, n);
	q[n] = '\0';
	return q;
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory();
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}
