/*
 * cgroup — where a pod's control groups go and what is written there (design section 6).
 *
 * Every mounted hierarchy is probed from /proc/self/mountinfo.  The pod's directory is
 * "<our own cgroup>/rkt-UUID", so the caller's limits bound the pod's.  It is made in the unified
 * hierarchy whenever there is one (membership, cgroup.kill), and in a v1 hierarchy only when an
 * isolator needs its controller.  The directories themselves are made and removed by stage2/init,
 * which therefore can never be outlived by them; what is to be made is written to the pod directory first.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "stage1/lib/podctx.h"

#define CGROUP_MAX 16

struct cgroup_dir {
	int parent_fd; /* where "rkt-UUID" is made */
	char *path;    /* absolute path of the pod's directory, for the record and for enter */
	uint32_t v2;
	uint32_t cpuset;
	char *controllers; /* v1: "cpu,cpuacct"; v2: "" */
};

struct cgroup_write {
	uint32_t dir; /* index */
	int app;      /* -1: the pod's own directory */
	const char *file;
	char *value;
};

struct cgroups {
	struct cgroup_dir v[CGROUP_MAX];
	uint32_t n;
	struct cgroup_write *writes;
	uint32_t nwrites;
};

/*
 * Decide for the pod.  Without any usable hierarchy and without isolators that need one the result is
 * empty (the pod still ends with its supervisor).  -ENOTSUP: an isolator without its controller, with
 * the controller's name and a remedy.  @devices: the v1 controller of that name is needed, too.
 */
int cgroups_plan(const struct podctx *c, bool devices, struct cgroups *ret, struct err *e);
void cgroups_done(struct cgroups *g);

/* Write the pod file CONTRACT_FILE_CGROUPS, before the directories exist; for another stage0 subcgroup too. */
int cgroups_record(const struct cgroups *g, const struct podctx *c, struct err *e);

/*
 * The pod's own directories, from the record, as the parents of what @c's app needs: for an app that is added to
 * a running pod.  Paths and controllers are those of the pod's directories.  -ENOTSUP as above.
 */
int cgroups_plan_added(const struct podctx *c, struct cgroups *ret, struct err *e);
/* From the record: kill and remove "app-@app" in each directory; missing is success. */
int cgroups_destroy_app(int pod_fd, const char *app, struct err *e);

/* From the record: kill everything below each directory and remove it; missing is success.  For gc. */
int cgroups_destroy(int pod_fd, struct err *e);

/* From the record: open cgroup.procs of "app-@app" in each directory; fds into @fds (ends with -1). */
int cgroups_open_procs(int pod_fd, const char *app, int fds[CGROUP_MAX + 1], struct err *e);
