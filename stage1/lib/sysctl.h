/*
 * sysctl — kernel parameters of the pod's own namespaces (isolator os/unix/sysctl of the pod and of its apps).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "stage1/lib/podctx.h"

/*
 * Refuse what does not belong to one of the namespaces @ns (CLONE_NEW* bits) that the pod has for itself, and
 * two values for one name.  Names may be written with dots or slashes, as for sysctl(8).
 */
int sysctl_check(const struct podctx *c, uint64_t ns, struct err *e);

/* In the namespaces: write all of them below "proc" of @root_fd, where a procfs of our own is mounted (threats.md R7,
 * T19); without any no system call is made. */
int sysctl_apply(const struct podctx *c, int root_fd, struct err *e);
