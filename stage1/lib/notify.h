/*
 * notify — readiness by sd_notify(3), towards the service manager that called us and from apps that speak it.
 *
 * An app whose image says "appc.io/executor/supports-systemd-notify": "true" gets a socket of its own at
 * NOTIFY_TARGET and NOTIFY_SOCKET in its environment; the pod is ready when every app runs and every such app
 * has sent READY=1.  The caller's own socket never reaches the pod.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage1/lib/podctx.h"
#include "stage1/lib/volumes.h"

#define NOTIFY_TARGET "/run/systemd/notify"

/* Does this app say itself when it is ready? */
bool notify_wanted(const struct pod_app *a);
/* Make the socket of app number @index in the pod directory (our working directory) and append its mount to @l;
 * the socket, CLOEXEC and not blocking, or -errno. */
int notify_listen(const struct podctx *c, unsigned int index, struct vol_mounts *l, struct err *e);
/* Take what has come; true when a READY=1 was among it. */
bool notify_take(int fd);
/* Tell the service manager, if $NOTIFY_SOCKET names one: "READY=1", "STOPPING=1".  Never waits. */
void notify_send(const char *text);
