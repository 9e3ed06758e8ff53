/*
 * alloc — allocation that aborts when memory is out.
 *
 * A short-lived command with crash-safe on-disk state has nothing better to do.  Sizes that come
 * from outside are bounded by the caller before they get here.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Like malloc/calloc/realloc; abort instead of NULL; products are checked for overflow. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull, warn_unused_result));

/* Heap copies; the caller frees.  NULL in, NULL out. */
char *xstrdup(const char *s) __attribute__((warn_unused_result));
char *xstrndup(const char *s, size_t max) __attribute__((warn_unused_result));
void *xmemdup(const void *p, size_t n) __attribute__((warn_unused_result));

/* Formatted heap string; the caller frees. */
char *xasprintf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), returns_nonnull, warn_unused_result));
char *xvasprintf(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0), returns_nonnull, warn_unused_result));
