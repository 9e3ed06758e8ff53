/*
 * podfacts — readers of a pod's files that only stage0 itself uses; pod.h has the public ones.
 */
#pragma once

#include <stddef.h>

#include "stage0/pod.h"

/* O_PATH fd of the directory that holds status/, env/ and supervisor-status (the rkt directory of
 * stage1's root, or of its upper directory for a classic stage1 on overlay); -errno. */
int pod_rkt_dir(const struct pod *p);
/* The process in pid or ppid, checked against pid-start: -ENOENT not written, -ESRCH gone or reused. */
int pod_supervisor(const struct pod *p, pid_t *ret);
/* First line of a small file of the pod directory into @ret (@room bytes); -errno, -EFBIG. */
int pod_small_file(const struct pod *p, const char *name, char *ret, size_t room);
