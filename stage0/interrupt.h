/*
 * interrupt — ask a long job of the fetch program to stop, so that it can clean up.
 *
 * HUP, INT, QUIT and TERM only set a flag; loops that may run long look at it and unwind with
 * -EINTR.  A second signal ends the process at once.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

void interrupt_setup(void);
bool interrupted(void);
/* -EINTR with "interrupted" in @e when a signal came, else 0. */
int interrupt_check(struct err *e);
