/*
 * sandbox_parts — the two filters of the sandbox, each in a file of its own.
 */
#pragma once

#include "base/err.h"
#include "image/sandbox.h"

/* Restrict file access to what is below @dirfd (SANDBOX_WRITE) or to nothing; success without effect
 * where the kernel has no Landlock of version 2.  Needs no_new_privs. */
int sandbox_landlock(enum sandbox_kind k, int dirfd, struct err *e);

/* Load the allow-list of system calls.  Needs no_new_privs. */
int sandbox_seccomp(enum sandbox_kind k, struct err *e);
