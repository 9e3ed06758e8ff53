/*
 * cgroup_limits — resource isolators to cgroup files, one table for v1 and v2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stage1/lib/cgroup.h"

/* Append the names of the controllers that the pod's isolators need. */
void cgroup_limits_controllers(const struct podctx *c, char ***ret);
/* Append the names of all controllers that any isolator may need: a mutable pod has a group in each. */
void cgroup_limits_all(char ***ret);
/* Hand down, where that is possible, every controller of the unified hierarchy. */
void cgroup_limits_offer(struct cgroups *g);
/* The controllers whose files @dirfd, a group of version 1, has: as "cpu,memory"; heap. */
char *cgroup_limits_found(int dirfd);
/* Fill g->writes.  -ENOTSUP names isolator, controller and remedy. */
int cgroup_limits_plan(const struct podctx *c, struct cgroups *g, struct err *e);

/* Add one write to a file of directory @dir, for app @app; @value is taken. */
void cgroup_add_write(struct cgroups *g, uint32_t dir, int app, const char *file, char *value);
/* Index of the v1 hierarchy with the device controller; -ENOTSUP. */
int cgroup_place_devices(struct cgroups *g, struct err *e);

/* The delegation mark that systemd puts on a unit's cgroup; false when there is none. */
bool getxattr_delegate(const char *dir, char *value, size_t size);
