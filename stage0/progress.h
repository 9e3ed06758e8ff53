/*
 * progress — how far a download is, on standard error.
 *
 * A terminal gets a bar, redrawn once a second; anything else one line every five seconds; quiet
 * gets nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* "Downloading ACI" */
	bool tty, quiet, drawn;
	int64_t next_ns; /* monotonic */
};

void progress_start(struct progress *p, const char *what, bool quiet);
/* Bytes; @total 0 when unknown. */
void progress_update(struct progress *p, int64_t now, int64_t total);
/* End the line of a bar. */
void progress_end(struct progress *p);
