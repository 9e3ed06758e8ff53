/*
 * left — whom a program that we started has left behind.
 *
 * Between left_begin and left_end this process is the subreaper of its descendants: who loses its parent becomes our child, and
 * is found among our children.  Those that we had before are let alone.  Threads: none.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct left {
	pid_t *before; /* our children at left_begin */
	size_t n;
	int was; /* PR_GET_CHILD_SUBREAPER before */
};

int left_begin(struct left *ret, struct err *e);
/* Kill and reap every child that is new, then those that come to us by that, until there are none. */
void left_kill(const struct left *l);
void left_end(struct left *l);
