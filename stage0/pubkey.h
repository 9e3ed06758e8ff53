/*
 * pubkey — public keys in PEM files, and signatures by them over bytes in memory.
 *
 * Taken: ECDSA on P-256 and P-384, Ed25519, RSA from 2048 to 8192 bits.  A key's fingerprint is the SHA-256 of its
 * DER SubjectPublicKeyInfo, which names one key in one spelling.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PUBKEY_FINGERPRINT_LEN 64 /* lower-case hex digits */
#define PUBKEY_FILE_MAX        (64u << 10)
#define PUBKEY_SIGNATURE_MAX   4096 /* bytes */

struct pubkey; /* opaque */

/* Does the text begin a PEM block that could be a key (or something that is given in its place)? */
bool pubkey_like(const void *text, size_t len);
/*
 * Parse a file that holds exactly one "PUBLIC KEY" block.  NULL and @e (ERR_TRUST, EINVAL) with a reason of its own: a private
 * key, a certificate, more than one block, text around it, an algorithm, a curve or a length that is not taken.
 */
struct pubkey *pubkey_parse(const void *text, size_t len, struct err *e);
void pubkey_free(struct pubkey *k);
void pubkey_freep(struct pubkey **k);
#define auto_pubkey __attribute__((cleanup(pubkey_freep))) struct pubkey

/* Borrowed: 64 digits; "ECDSA P-256"; the key as PEM, in the one spelling that its fingerprint is of. */
const char *pubkey_fingerprint(const struct pubkey *k);
const char *pubkey_algorithm(const struct pubkey *k);
const char *pubkey_pem(const struct pubkey *k);

/*
 * Is @sig a signature of @k over @data?  ECDSA in strict DER with SHA-256, for P-384 also with SHA-384; RSA with PKCS #1 v1.5
 * padding and SHA-256; Ed25519 over the data itself.
 */
bool pubkey_verify(const struct pubkey *k, const void *data, size_t len, const void *sig, size_t sig_len);
