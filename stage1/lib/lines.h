/*
 * lines — bytes of an app into lines with its name before them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define LINES_LONGEST 8192 /* bytes; a longer line is cut into several */

struct lines {
	const char *app; /* borrowed */
	int pid;
	bool escape;     /* control characters, because a terminal reads */
	struct buf part; /* a line that has not ended */
};

/* Append to @out the lines that @n bytes more complete; @us: microseconds since boot. */
void lines_feed(struct lines *l, const char *p, size_t n, uint64_t us, struct buf *out);
/* The line that will not be completed any more. */
void lines_flush(struct lines *l, uint64_t us, struct buf *out);
void lines_done(struct lines *l);
