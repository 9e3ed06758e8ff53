/*
 * planout — build a stage2 plan (stage2/plan.h) and seal it into a memfd.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "schema/labels.h"
#include "stage1/lib/seccomp.h"
#include "stage2/plan.h"

struct bpf_insn;

struct plan_path_in {
	const char *path;
	uint32_t access; /* enum plan_access */
};

/* One app in the terms of stage2; everything borrowed. */
struct plan_app_in {
	const char *name, *root, *cwd;
	uint32_t flags; /* enum plan_app_flag */
	char *const *argv, *const *env, *const *pre_start, *const *post_stop, *const *search;
	uint32_t uid, gid;
	const uint32_t *groups;
	uint32_t ngroups;
	uint64_t caps;
	const struct bpf *bpf;
	int32_t oom_score_adj;
	uint32_t has_oom;
	int32_t stdio[3];
	uint32_t umask;
	const struct plan_rlimit *rlimits;
	uint32_t nrlimits;
	const struct bpf_insn *devices;
	uint32_t ndevices;
	const struct plan_path_in *paths;
	uint32_t npaths;
	const int *listen;
	uint32_t nlisten;
	const char *listen_names; /* or NULL */
	uint32_t stop_signal;     /* 0: SIGTERM */
};

struct plan_in {
	const char *uuid;
	uint32_t flags, grace_ms;
	const struct plan_app_in *apps;
	uint32_t napps;
	const struct plan_cgroup_in *cgroups;
	uint32_t ncgroups;
	const struct plan_write_in *writes;
	uint32_t nwrites;
};

struct plan_cgroup_in {
	int32_t parent_fd;
	const char *dir;
	uint32_t v2, copy_cpuset;
};

struct plan_write_in {
	uint32_t cgroup;
	int32_t app;
	const char *file, *value;
};

/* The plan's bytes into @ret, which is empty and the caller's to free; -E2BIG when a limit of plan.h is exceeded. */
int plan_build(const struct plan_in *in, struct buf *ret, struct err *e);
