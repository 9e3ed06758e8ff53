/*
 * seccomp_cache — compiled system call filters on disk, so that a policy is compiled once.
 *
 * "seccomp/" in the data directory, three levels above the pod directory: 0700, owned by whoever runs rkt
 * and writable by nobody else, or it is not used.  A file is named by a hash of the policy; what counts is
 * that it holds the very policy beside the program, that its sum is right and that it is a plain file of
 * ours.  Anything else is a miss.  No pod sees the data directory.
 */
#pragma once

#include "stage1/lib/seccomp_policy.h"

#define SECCOMP_CACHE_DIR "seccomp"
#define SECCOMP_CACHE_MAX 256 /* files; when they are more, all are dropped */

/* 0 and the program (heap), or -ENOENT for every reason. */
int seccomp_cache_load(int pod_fd, const struct seccomp_policy *p, struct bpf *ret);
/* A failure is no harm: the next start compiles again. */
void seccomp_cache_save(int pod_fd, const struct seccomp_policy *p, const struct bpf *b);
