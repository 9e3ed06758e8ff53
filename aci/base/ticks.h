/*
 * ticks — time that only goes forward, whatever is done to the machine's clock (clock_gettime(2), CLOCK_MONOTONIC).
 */
#pragma once

#include <stdint.h>

/* Milliseconds since some moment before the machine started our programs; for differences and deadlines. */
int64_t ticks_ms(void);
