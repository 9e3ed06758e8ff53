/*
 * proglines — how far several downloads are, on standard error.
 *
 * A terminal gets one line each, redrawn in place; anything else a line each every five seconds and one when it is
 * complete; quiet gets nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proglines; /* opaque */

/* @n: how many there can be at most. */
struct proglines *proglines_new(const char *what, size_t n, bool quiet);
/* Number @i takes part under @name, of which twelve characters are shown. */
void proglines_add(struct proglines *p, size_t i, const char *name);
/* Bytes of number @i. */
void proglines_update(struct proglines *p, size_t i, int64_t now, int64_t total);
/* Number @i is complete. */
void proglines_end(struct proglines *p, size_t i);
void proglines_free(struct proglines *p);
