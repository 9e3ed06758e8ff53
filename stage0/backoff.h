/*
 * backoff — how long to wait before a server that said "not now" is asked again.
 *
 * What it asks for with Retry-After is granted up to a minute; otherwise the pauses double.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define BACKOFF_TRIES 4 /* failures in a row, at one place, without anything new */

/* Too many requests (429), or no service for now (503): the server did nothing, whatever it was asked to do. */
bool backoff_refused(int status);

/* Milliseconds before the next try, after @failures (from 1) of them; @retry_after seconds or negative, as in struct http_head. */
int64_t backoff_ms(int failures, int64_t retry_after);

/* Sleep; -EINTR when a signal asks us to stop. */
int backoff_wait(int64_t ms, struct err *e);
