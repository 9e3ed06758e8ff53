/*
 * flavor — what differs between ns and fly; everything else is stage1/lib.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct podctx;
struct sandbox;
struct app_build;

enum flavor_flag {
	FLAVOR_PIDNS = 1,     /* init is pid 1 of its own pid namespace */
	FLAVOR_CONFINE = 2,   /* capabilities, seccomp, no_new_privs are applied */
	FLAVOR_IMPLICIT = 4,  /* mount points without a volume get an implicit empty one; else an error */
	FLAVOR_RECURSIVE = 8, /* host volumes are recursive unless told otherwise */
	FLAVOR_STDIN = 16,    /* stdin is the caller's even without --interactive */
	FLAVOR_MUTABLE = 32,  /* apps may be added while the pod runs */
	FLAVOR_TTYS = 64,     /* apps can have terminals of their own to attach to */
};

struct flavor {
	const char *name; /* text of the flavor link */
	unsigned int flags;
	/* Refuse what this flavor cannot do, before anything is made; -ENOTSUP names the option. */
	int (*check)(const struct podctx *c, struct err *e);
	/* Namespaces beside the mount namespace, CLONE_NEW* bits. */
	uint64_t (*namespaces)(const struct podctx *c);
	/* In the new namespaces, before any tree is built: host name, loopback. */
	int (*enter)(struct sandbox *s, struct err *e);
	/* Kernel file systems and devices of one app, on top of its image, hidden and read-only where they must
	 * be: a volume that the caller puts over a part of them later is the caller's will. */
	int (*kernel_mounts)(struct sandbox *s, struct app_build *a, struct err *e);
};

/* The one that a flavor's programs are linked with. */
extern const struct flavor flavor;

/* main() of every flavor's run: never returns to the caller's work; the exit status of the pod. */
int sandbox_main(const struct flavor *f, int argc, char **argv);
