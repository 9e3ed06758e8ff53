/*
 * rlimit — resource limits of processes by name, "SOFT[:HARD]" (setrlimit(2)).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct rlimit_value {
	int resource;        /* RLIMIT_* */
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

/*
 * @name as in prlimit(1): as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime
 * sigpending stack.  Values are decimal, in the kernel's units, or "unlimited"; one value is both.
 * -EINVAL: unknown name, malformed value, soft above hard.
 */
int rlimit_parse(const char *name, const char *value, struct rlimit_value *ret, struct err *e);
