/*
 * seccomp_sets — the system calls of the default filter, as data.
 *
 * Source: internals.md section 5.10 (rkt 1.30's white list), brought up to date from the syscall
 * tables of Linux 6.18: what libc and common programs of today call and what cannot widen a
 * process's rights.
 */
#pragma once

/* Allowed without conditions; NULL-terminated.  Names unknown to this architecture are skipped. */
extern const char *const seccomp_allowed[];
/* Known and refused: EPERM.  Everything else: ENOSYS. */
extern const char *const seccomp_denied[];

/* Allowed calls that are too new for libseccomp's table, by number (the numbers from 424 on are the
 * same on every architecture). */
struct seccomp_number {
	const char *name;
	int nr;
};
extern const struct seccomp_number seccomp_allowed_new[];
