/*
 * steps — a set-up sequence as a table: order, names for errors, timing for --debug.
 */
#pragma once

#include "base/err.h"

struct step {
	const char *name; /* "assemble the root file systems" */
	int (*run)(void *ctx, struct err *e);
};

/* Run the table (its last row has run == NULL) until one fails; the name is put before the error.
 * With --debug each step's microseconds go to the log. */
int steps_run(const struct step *table, void *ctx, struct err *e);
