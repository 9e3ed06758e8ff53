/*
 * table — columns for listings, padded with TABs.
 */
#include "base/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"

#define TAB_WIDTH 8

struct table {
	size_t columns;
	char **cells;
	size_t used, cap;
};

struct table *table_new(size_t columns)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->columns = columns ? columns : 1;
	return t;
}

void table_cell(struct table *t, const char *text)
{
	struct buf b = BUF_INIT;

	buf_add_line(&b, text, strlen(text));
	if (t->used == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->cells = xreallocarray(t->cells, t->cap, sizeof(*t->cells));
	}
	t->cells[t->used++] = buf_steal(&b);
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	auto_free char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	table_cell(t, s);
}

/* Characters, as Go counts: one a code point, whatever a terminal makes of it. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* The last cell of the table or of its row is not padded and does not widen its column. */
static int ends_row(const struct table *t, size_t i)
{
	return i + 1 == t->used || (i + 1) % t->columns == 0;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t max = 0;

	for (size_t i = column; i < t->used; i += t->columns) {
		size_t w = ends_row(t, i) ? 0 : width(t->cells[i]);

		if (w > max)
			max = w;
	}
	return (max + 1 + TAB_WIDTH - 1) / TAB_WIDTH * TAB_WIDTH;
}

void table_print(const struct table *t, struct buf *out)
{
	auto_free size_t *widths = xcalloc(t->columns, sizeof(*widths));

	for (size_t c = 0; c < t->columns; c++)
		widths[c] = column_width(t, c);
	if (!t->used || !t->columns) {
		buf_addc(out, '\n');
		return;
	}
	for (size_t i = 0; i < t->used; i++) {
		size_t w;

		buf_adds(out, t->cells[i]);
		if (ends_row(t, i)) {
			buf_addc(out, '\n');
			continue;
		}
		for (w = width(t->cells[i]); w < widths[i % t->columns]; w = (w / TAB_WIDTH + 1) * TAB_WIDTH)
			buf_addc(out, '\t');
	}
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->used; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
