/*
 * tarsparse — maps of sparse files, checked before anybody acts on them (formats.md sections 16.11 and 17 row 39).
 *
 * A map is a list of pieces (offset, length) of a file whose rest is holes.  It stands in a GNU header of type "S" and the
 * blocks behind it, in pax records (formats 0.0 and 0.1), or as text before the data (1.0).  Whatever the form: pieces
 * ascend, do not overlap and end within the file, and their sum is the data that is stored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARSPARSE_PIECES_MAX (1u << 18)

/* A map as far as it has been read.  Zero-initialisable. */
struct tarsparse {
	uint64_t size;   /* of the file with its holes */
	uint64_t end;    /* of the last piece */
	uint64_t stored; /* the sum of all pieces */
	uint64_t pieces;
};

/* Each returns NULL, or what is wrong. */
const char *tarsparse_add(struct tarsparse *m, uint64_t offset, uint64_t length);
/* The map is complete: does it fit the file, and @stored bytes of data? */
const char *tarsparse_check(const struct tarsparse *m, uint64_t stored);

/* The 512 bytes of a GNU header, and of a block behind it; *more: another block follows. */
const char *tarsparse_gnu_header(struct tarsparse *m, const unsigned char *hdr, bool *more);
const char *tarsparse_gnu_block(struct tarsparse *m, const unsigned char *block, bool *more);
/* Does a GNU header of another type hold a map?  Some readers act on it. */
bool tarsparse_gnu_hidden(const unsigned char *hdr);

/* "OFFSET,LENGTH,…" (0.1). */
const char *tarsparse_list(struct tarsparse *m, const char *p, size_t n);

/* The text at the beginning of the data (1.0): a count, offsets and lengths, one decimal number a line, filled up to a
 * block.  Zero-initialisable. */
struct tarsparse_text {
	uint64_t left;   /* numbers to come */
	uint64_t offset; /* of a piece whose length comes next */
	uint64_t number;
	unsigned int digits;
	bool counted, odd;
	uint64_t bytes; /* of text so far */
};
/* The next bytes of the data, in any portion; what follows the text is ignored. */
const char *tarsparse_text(struct tarsparse *m, struct tarsparse_text *t, const char *p, size_t n);
/* The data of @total bytes has ended. */
const char *tarsparse_text_end(const struct tarsparse *m, const struct tarsparse_text *t, uint64_t total);
