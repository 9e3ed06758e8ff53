/*
 * base64 — RFC 4648 section 4.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/* Text with padding; heap. */
char *base64_encode(const void *p, size_t n);
/* Append the bytes that @n characters of @text stand for; the padding at the end may be missing.  -EINVAL on any
 * other character, white space included, with nothing appended. */
int base64_decode(const char *text, size_t n, struct buf *out);
