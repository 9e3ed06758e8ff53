/*
 * tarsparse — see tarsparse.h.
 */
#include "image/tarsparse.h"

#include <string.h>

#include "image/tarfield.h"

enum { BLOCK = 512, WIDTH = 12, PIECE = 2 * WIDTH, DIGITS_MAX = 19 };

/* GNU: where the pieces are and how many fit, the flag that a block follows, and the size. */
enum {
	HEADER_MAP = 386,
	HEADER_PIECES = 4,
	HEADER_MORE = 482,
	HEADER_SIZE = 483,
	HEADER_END = HEADER_SIZE + WIDTH,
	BLOCK_PIECES = 21,
	BLOCK_MORE = 504
};

static const char cut[] = "sparse map is cut off", number[] = "malformed number in a sparse map";

const char *tarsparse_add(struct tarsparse *m, uint64_t offset, uint64_t length)
{
	if (offset > INT64_MAX || length > INT64_MAX - offset)
		return number;
	if (offset < m->end)
		return "pieces of a sparse file overlap or do not ascend";
	if (++m->pieces > TARSPARSE_PIECES_MAX)
		return "more pieces of a sparse file than the limit of 262144";
	m->end = offset + length;
	m->stored += length;
	return NULL;
}

const char *tarsparse_check(const struct tarsparse *m, uint64_t stored)
{
	if (m->size > INT64_MAX)
		return number;
	if (m->end > m->size)
		return "a piece of a sparse file is beyond its end";
	return m->stored == stored ? NULL : "sparse map does not fit the data";
}

/* ---- GNU ---- */

static bool all_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i])
			return false;
	}
	return true;
}

/* Pieces in use come first, and nothing is behind them; all are in use where a block follows. */
static const char *add_pieces(struct tarsparse *m, const unsigned char *p, size_t n, bool more)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char *at = p + i * PIECE;
		int64_t offset, length;
		const char *why;

		if (!at[0] || !at[WIDTH])
			return all_zero(at, (n - i) * PIECE) && !more ? NULL : "gap in a sparse map";
		if (tarfield_number(at, WIDTH, &offset) < 0 ||
		    tarfield_number(at + WIDTH, WIDTH, &length) < 0 || offset < 0 || length < 0)
			return number;
		why = tarsparse_add(m, (uint64_t)offset, (uint64_t)length);
		if (why)
			return why;
	}
	return NULL;
}

const char *tarsparse_gnu_header(struct tarsparse *m, const unsigned char *hdr, bool *more)
{
	int64_t size;

	if (!hdr[HEADER_SIZE] || tarfield_number(hdr + HEADER_SIZE, WIDTH, &size) < 0 || size < 0)
		return number;
	m->size = (uint64_t)size;
	*more = hdr[HEADER_MORE];
	return add_pieces(m, hdr + HEADER_MAP, HEADER_PIECES, *more);
}

const char *tarsparse_gnu_block(struct tarsparse *m, const unsigned char *block, bool *more)
{
	*more = block[BLOCK_MORE];
	return add_pieces(m, block, BLOCK_PIECES, *more);
}

bool tarsparse_gnu_hidden(const unsigned char *hdr)
{
	return !all_zero(hdr + HEADER_MAP, HEADER_END - HEADER_MAP);
}

/* ---- pax ---- */

const char *tarsparse_list(struct tarsparse *m, const char *p, size_t n)
{
	uint64_t pair[2];
	int have = 0;

	for (const char *end = p + n, *comma; p <= end; p = comma + 1) {
		const char *why = NULL;

		comma = memchr(p, ',', (size_t)(end - p));
		comma = comma ? comma : end;
		if (tarfield_decimal(p, (size_t)(comma - p), INT64_MAX, &pair[have++]) < 0)
			return number;
		if (have == 2) {
			why = tarsparse_add(m, pair[0], pair[1]);
			have = 0;
		}
		if (why)
			return why;
	}
	return have ? cut : NULL;
}

/* A line has ended: the count, an offset or a length. */
static const char *take_number(struct tarsparse *m, struct tarsparse_text *t)
{
	const char *why = NULL;

	if (!t->counted) {
		if (t->number > TARSPARSE_PIECES_MAX)
			return "more pieces of a sparse file than the limit of 262144";
		t->counted = true;
		t->left = 2 * t->number;
	} else {
		if (t->odd)
			why = tarsparse_add(m, t->offset, t->number);
		else
			t->offset = t->number;
		t->odd = !t->odd;
		t->left--;
	}
	t->number = t->digits = 0;
	return why;
}

const char *tarsparse_text(struct tarsparse *m, struct tarsparse_text *t, const char *p, size_t n)
{
	const char *why = NULL;

	for (; n && !why && (!t->counted || t->left); p++, n--) {
		t->bytes++;
		if (*p == '\n' && t->digits) {
			why = take_number(m, t);
		} else if (*p >= '0' && *p <= '9' && t->digits < DIGITS_MAX) {
			t->number = t->number * 10 + (uint64_t)(*p - '0');
			t->digits++;
		} else {
			why = number;
		}
	}
	return why;
}

const char *tarsparse_text_end(const struct tarsparse *m, const struct tarsparse_text *t, uint64_t total)
{
	uint64_t text = (t->bytes + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);

	if (!t->counted || t->left || text > total)
		return cut;
	return tarsparse_check(m, total - text);
}
