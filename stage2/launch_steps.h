/*
 * launch_steps — inside of launch: the steps that live in files of their own.
 *
 * A step returns 0 or -errno, and may point ctx->what to the path or name that it failed on.
 */
#pragma once

#include <limits.h>

#include "stage2/launch.h"
#include "stage2/plan.h"

struct launch_ctx {
	const struct launch *l;
	const struct plan_app *app;
	int err_fd;               /* as in @l, or where it was moved */
	const char *what;         /* for struct launch_failure; NULL = nothing to add */
	char candidate[PATH_MAX]; /* launch_exec.c: what @what may point to */
	char interpreter[256];
};

/* launch_root.c: the file system */
int launch_root(struct launch_ctx *c);
int launch_cwd(struct launch_ctx *c);

/* launch_paths.c: Landlock */
int launch_paths(struct launch_ctx *c);

/* launch_cred.c: who the process is and what it may do.  Called in this order. */
int launch_bounding(struct launch_ctx *c);
int launch_groups(struct launch_ctx *c);
int launch_user(struct launch_ctx *c);
int launch_caps(struct launch_ctx *c);
int launch_nnp(struct launch_ctx *c);
int launch_seccomp(struct launch_ctx *c);

/* launch_exec.c: find the program and become it; returns only to tell why not. */
int launch_program(struct launch_ctx *c);
