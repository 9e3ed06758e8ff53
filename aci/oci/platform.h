/*
 * platform — which image of an index is for this machine (formats.md section 12.3).
 */
#pragma once

#include "base/err.h"
#include "oci/document.h"

/*
 * The platform with appc's or OCI's name @arch of an architecture ("aarch64", "arm64"), NULL for this machine, which brings the
 * level of its processor with it.  -EINVAL: unknown name.  oci_platform_done frees.
 */
int oci_platform_make(const char *arch, struct oci_platform *ret, struct err *e);

/* appc's name for the architecture of @p ("aarch64"), or NULL. */
const char *oci_platform_appc_arch(const struct oci_platform *p);

/* How well does @have do for @want: 0 exactly, larger is less, -1 not at all. */
int oci_platform_rank(const struct oci_platform *want, const struct oci_platform *have);

/*
 * The best entry of @index for @want; the first of equals; one without a platform when no other does, to be judged by its config.
 * -ENOENT (ERR_INPUT) names what is on offer.
 */
int oci_platform_pick(const struct oci_document *index, const struct oci_platform *want, size_t *ret,
		      struct err *e);
