/*
 * seccomp_named — the named sets of system calls that isolators and --seccomp accept.
 */
#pragma once

#include <stdbool.h>

struct seccomp_set {
	const char *name;         /* "@systemd/clock" */
	const char *const *calls; /* NULL-terminated */
	bool conditional;         /* a white list that allows clone, ioctl and personality under conditions */
};

/* NULL: no such set. */
const struct seccomp_set *seccomp_set_find(const char *name);

/* Number of a call that is too new for libseccomp's table, or -1. */
int seccomp_newer_number(const char *name);
