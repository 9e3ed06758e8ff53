/*
 * age — what time it is when things are judged to be old.
 *
 * A clock that was set wrong must not make everything old at once: somebody would lose all that has a grace period.  So the clock is compared
 * with the latest time that things of the kind carry.
 */
#pragma once

#include <stdint.h>

/*
 * Now, in ns since the epoch; but @latest when the clock is more than a year ahead of that: then what is older than @latest is judged as it was
 * then.  That, and a clock which is a day or more behind @latest, is told as a warning.  @what names the things: "images".
 */
int64_t age_now(int64_t latest, const char *what);

/* The same for what lies in directory @path of @dirfd, by the time of its last change. */
int64_t age_now_in(int dirfd, const char *path, const char *what);
