/*
 * buf — growable byte string, always NUL-terminated, zero-initialisable.
 */
#pragma once

#include <stddef.h>

struct buf {
	char *data; /* NULL until the first byte; data[len] == 0 afterwards */
	size_t len;
	size_t cap;
};

#define BUF_INIT                                                                                             \
	{                                                                                                    \
		NULL, 0, 0                                                                                   \
	}
#define auto_buf __attribute__((cleanup(buf_done))) struct buf

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Make room for @n more bytes (zeroed) and return where they go; the caller adds to ->len. */
char *buf_reserve(struct buf *b, size_t n);

/* Keep the memory, forget the bytes. */
void buf_clear(struct buf *b);

/* The contents as a heap string (never NULL), which the caller frees; the buf is empty after. */
char *buf_steal(struct buf *b);

/* Borrowed string, "" when empty. */
const char *buf_str(const struct buf *b);

void buf_done(struct buf *b);

/* Append @s with control characters (C0, DEL, C1, line separators, text direction), backslash and
 * invalid UTF-8 as \xNN, so that it may go to a terminal and be read back. */
void buf_add_escaped(struct buf *b, const char *s, size_t n);
/* The same but backslashes stay, for text whose parts may have been escaped before. */
void buf_add_line(struct buf *b, const char *s, size_t n);
