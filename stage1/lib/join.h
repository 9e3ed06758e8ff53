/*
 * join — step into the namespaces of a running app and start a command there through stage2/launch.
 */
#pragma once

#include "base/err.h"

struct join {
	int pod_fd;
	int app_root;  /* its root directory */
	int app_pidfd; /* the app's main process */
	const char *app;
	char *const *argv; /* command */
};

/*
 * Everything that comes from the host (plan, launcher, cgroups, procfs) is opened before the
 * namespaces are joined; nothing of the pod is executed or parsed by us.
 * *ret_status: wait status of the command.  Errors: the command never started.
 */
int join_run(const struct join *j, int *ret_status, struct err *e);
