/*
 * appcall — what the app entrypoints share: arguments, the call to the supervisor, the way into init's mounts.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "stage1/lib/requests.h"

struct app_entry {
	char *debug, *uuid, *app;
	int pod_fd; /* the working directory */
};

/*
 * main() of an app entrypoint: parses `[--debug=BOOL] [--uuid=UUID] --app=NAME`, opens the pod directory, calls
 * @work, tells its error.  @name: of the entrypoint, "app add".  Exit status: what @work returns, or 254.
 */
int app_entry_main(int argc, char **argv, const char *name, int (*work)(struct app_entry *a, struct err *e));

/*
 * Ask the supervisor for @c, in which only the name is still missing; @fd goes with it, or is FD_NONE.  0, with the final answer in *ret
 * unless that is NULL; what it answers with MSG_FAILED is an error with its code.  -ESRCH: the pod does not run,
 * or ended meanwhile; -ENOTSUP: it takes no requests.
 */
int app_request(const struct app_entry *a, const struct app_call *c, int fd, struct plan_msg *ret,
		struct err *e);

/* The pod's first process and its root directory, by verified descriptors, both the caller's. */
struct init_place {
	int pidfd, root;
};
int init_place_open(int pod_fd, struct init_place *ret, struct err *e);
/* Go into its mount namespace, and into @more (CLONE_NEW*), never into its pid namespace: nobody in the pod
 * sees us.  The working directory is init's root afterwards. */
int init_place_enter(const struct init_place *p, int more, struct err *e);
void init_place_done(struct init_place *p);
