/*
 * digest — "ALGORITHM:HEX", the name of a blob (formats.md section 12.1, threats.md T40).
 *
 * A digest is a plain string that was checked once, where it came in; the rest of the tree relies on that, and
 * makes paths of its parts.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define OCI_DIGEST_MAX 136 /* "sha512:", 128 digits and NUL */

/* "sha256:" and 64, or "sha512:" and 128 lower-case hex digits? */
bool oci_digest_valid(const char *s);
/* The same; -EINVAL and a message that tells an unknown algorithm from bad digits.  @where as in schema/check.h. */
int oci_digest_check(const char *s, const char *where, struct err *e);
/* Of a valid digest: the algorithm for hash_new, and the digits (borrowed). */
const char *oci_digest_algo(const char *digest);
const char *oci_digest_hex(const char *digest);
