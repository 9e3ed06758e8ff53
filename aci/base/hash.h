/*
 * hash — streaming SHA-2 over libcrypto.  The only file of the base that includes an OpenSSL header.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct hash; /* opaque */

#define HASH_HEX_MAX 129 /* 128 hex digits and NUL */

/* @algo "sha256" or "sha512"; NULL if unknown.  hash_free accepts NULL. */
struct hash *hash_new(const char *algo);
void hash_update(struct hash *h, const void *p, size_t n);
/* Lower-case hex of the digest so far; the object can go on being fed. */
void hash_hex(struct hash *h, char out[HASH_HEX_MAX]);
void hash_free(struct hash *h);
void hash_freep(struct hash **h);

/* Digest of everything from the present offset of @fd to its end. */
int hash_fd(const char *algo, int fd, char out[HASH_HEX_MAX], struct err *e);
