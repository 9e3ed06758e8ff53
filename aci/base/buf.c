/*
 * buf — growable byte string, and the escaping of bytes that go to a terminal.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"

/* Room for @n more bytes and the NUL. */
static void grow(struct buf *b, size_t n)
{
	size_t want, cap;

	if (n > SIZE_MAX / 2 - b->len - 1)
		abort(); /* callers bound what comes from outside */
	want = b->len + n + 1;
	if (want <= b->cap)
		return;
	cap = b->cap ? b->cap : 64;
	while (cap < want)
		cap *= 2;
	b->data = xreallocarray(b->data, cap, 1);
	b->cap = cap;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	grow(b, n);
	memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	auto_free char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	buf_adds(b, s);
}

char *buf_reserve(struct buf *b, size_t n)
{
	grow(b, n);
	/* Zeroed, so that the string stays terminated whatever part of it the caller fills. */
	memset(b->data + b->len, 0, n + 1);
	return b->data + b->len;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

char *buf_steal(struct buf *b)
{
	char *s = b->data ? b->data : xstrdup("");

	*b = (struct buf)BUF_INIT;
	return s;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

void buf_done(struct buf *b)
{
	int saved = errno;

	free(b->data);
	*b = (struct buf)BUF_INIT;
	errno = saved;
}

/*
 * Length of the well-formed UTF-8 sequence at @s (RFC 3629: shortest form, no surrogates, at most
 * U+10FFFF), 0 if there is none; *@ret_cp is the character.
 */
static size_t utf8_at(const unsigned char *s, size_t n, uint32_t *ret_cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;
	uint32_t cp;

	if (s[0] < 0x80) {
		*ret_cp = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	cp = s[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return len;
}

/* Characters that move the cursor, reorder text or end a line. */
static bool is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x200e && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static void add_clean(struct buf *b, const char *s, size_t n, bool keep_backslash)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		uint32_t cp = 0;
		size_t len = utf8_at(p + i, n - i, &cp);
		bool plain = len && !is_control(cp) && (keep_backslash || cp != '\\');

		if (!len)
			len = 1;
		if (plain)
			buf_add(b, p + i, len);
		for (size_t j = 0; !plain && j < len; j++)
			buf_addf(b, "\\x%02x", p[i + j]);
		i += len;
	}
}

void buf_add_escaped(struct buf *b, const char *s, size_t n)
{
	add_clean(b, s, n, false);
}

void buf_add_line(struct buf *b, const char *s, size_t n)
{
	add_clean(b, s, n, true);
}
