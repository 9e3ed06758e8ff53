/*
 * when — times as people and scripts read them (cli.md section 4.2).
 */
#pragma once

#include <stdint.h>
#include <time.h>

/* "2006-01-02 15:04:05.123 -0700 MST", trailing zeros of the fraction dropped.  Heap. */
char *when_long(struct timespec t);
/* "now", "3 minutes ago", "2 weeks from now" relative to @now.  Heap. */
char *when_short(struct timespec t, struct timespec now);
/* RFC 3339, UTC, whole seconds.  Heap. */
char *when_rfc3339(struct timespec t);
int64_t when_ns(struct timespec t);
struct timespec when_now(void);
