/*
 * seccomp_policy — what an app's seccomp isolator means, as numbers.
 *
 * The struct says everything that the compiled program depends on, so its bytes are also the key under which
 * the program is kept (seccomp_cache.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "schema/app.h"
#include "stage1/lib/seccomp.h"

#define SECCOMP_POLICY_VERSION 1u /* raise when seccomp_compile makes another program of the same policy */
#define SECCOMP_CALLS_MAX      640u

/* Calls that a white list allows under a condition. */
enum seccomp_condition {
	SECCOMP_PERSONALITY = 1, /* the harmless ones */
	SECCOMP_CLONE = 2,       /* without new namespaces */
	SECCOMP_IOCTL = 4,       /* all but TIOCSTI and TIOCLINUX */
	SECCOMP_NO_CLONE3 = 8,   /* ENOSYS */
	SECCOMP_CONDITIONS = 15,
};

enum seccomp_kind {
	SECCOMP_NONE,    /* no filter */
	SECCOMP_BUILTIN, /* the default one */
	SECCOMP_OWN,     /* to be compiled from the policy */
};

struct seccomp_policy {
	uint32_t version, library; /* SECCOMP_POLICY_VERSION; libseccomp's, as 0xMMmmpp */
	uint32_t arch;             /* of libseccomp */
	uint32_t dflt;             /* action of libseccomp for calls without a rule */
	uint32_t act;              /* and for those in @nr */
	uint32_t conditions;       /* enum seccomp_condition */
	uint32_t n;
	int32_t nr[SECCOMP_CALLS_MAX]; /* ascending, each once */
};

/* Bytes of @p that count. */
static inline size_t seccomp_policy_size(const struct seccomp_policy *p)
{
	return offsetof(struct seccomp_policy, nr) + p->n * sizeof(p->nr[0]);
}

/* enum seccomp_kind, or -EINVAL naming an unknown call, set or errno; @ret is filled for SECCOMP_OWN. */
int seccomp_policy_of_app(const struct app *a, struct seccomp_policy *ret, struct err *e);

/* (seccomp.c) */
int seccomp_compile(const struct seccomp_policy *p, struct bpf *ret, struct err *e);
