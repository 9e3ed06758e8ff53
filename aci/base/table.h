/*
 * table — columns for listings, padded with TABs as Go's text/tabwriter does (cli.md section 4.2):
 * a column is as wide as its longest cell + 1, rounded up to a multiple of 8; the last cell of a
 * row is not padded.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

struct table; /* opaque */

struct table *table_new(size_t columns);
/* Add one cell (copied); after @columns cells a new row starts.  Control bytes are escaped. */
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Append the text of all rows to @out, one newline at least. */
void table_print(const struct table *t, struct buf *out);
void table_free(struct table *t);
