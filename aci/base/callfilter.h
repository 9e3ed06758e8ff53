/*
 * callfilter — the system calls that a process leaves itself when it begins to work on what strangers send; any other kills it.
 *
 *	auto_callfilter f = CALLFILTER_NONE;
 *	r = callfilter_begin(&f, e);                        what every program needs that has its memory and its end
 *	if (r == 0)
 *		r = callfilter_allow(&f, calls, n, e);      and what this one needs besides
 *	if (r == 0)
 *		r = callfilter_load(&f, e);                 for good
 *
 * Numbers are those of SCMP_SYS() (seccomp.h), so that a call which this architecture lacks does no harm.  In a build with a
 * sanitizer or for coverage there is no filter (CALLFILTER_MISSING): all of this succeeds and forbids nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sanitizer.h"

#if defined(UNDER_SANITIZER) || defined(COVERAGE)
#define CALLFILTER_MISSING 1
#else
#define CALLFILTER_MISSING 0
#endif

struct callfilter {
	void *rules;
};

#define CALLFILTER_NONE                                                                                      \
	{                                                                                                    \
		NULL                                                                                         \
	}
#define auto_callfilter __attribute__((cleanup(callfilter_done))) struct callfilter

/* Allowed from the beginning: memory that is not executable, time, random numbers, signals to itself, closing, ending. */
int callfilter_begin(struct callfilter *ret, struct err *e);
int callfilter_allow(struct callfilter *f, const int *calls, size_t n, struct err *e);
/* Only with an argument number @arg (from 0) of which the bits of @mask are those of @value. */
int callfilter_allow_if(struct callfilter *f, int call, unsigned int arg, uint64_t mask, uint64_t value,
			struct err *e);
/* From now on, for this process and its children.  Needs no_new_privs. */
int callfilter_load(struct callfilter *f, struct err *e);
void callfilter_done(struct callfilter *f);
