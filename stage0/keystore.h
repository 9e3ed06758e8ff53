/*
 * keystore — trusted keys by name prefix (cli.md section 15).
 *
 *   {system,local}/trustedkeys/root.d/FINGERPRINT
 *   {system,local}/trustedkeys/prefix.d/PREFIX…/FINGERPRINT
 *   {system,local}/trustedkeys/pem-root.d/FINGERPRINT, …/pem-prefix.d/PREFIX…/FINGERPRINT
 *
 * The first two hold OpenPGP keys, named by the fingerprint of the primary key; the last two, which rkt 1.30 does
 * not look at, PEM keys for images of registries, named by the SHA-256 of what pubkey.h says.
 *
 * Prefixes match by whole path components.  A zero-length file masks that fingerprint among the
 * entries loaded so far; order: system root, local root, system prefix chain, local prefix chain.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define KEYSTORE_FINGERPRINT_MAX 65 /* 64 digits and NUL */

enum key_kind {
	KEY_OPENPGP, /* fingerprints of 40 digits */
	KEY_PEM,     /* fingerprints of 64 digits */
};

struct trusted_key {
	char fingerprint[KEYSTORE_FINGERPRINT_MAX]; /* lower-case hex */
	char *scope;                                /* "root" or "prefix example.com/foo" */
	char *armored;                              /* file content */
	size_t len;
};

struct keyring {
	struct trusted_key *v;
	size_t n;
};

void keyring_done(struct keyring *k);
/* Lower-case hex digits, as many as @kind has? */
bool keystore_fingerprint_valid(enum key_kind kind, const char *s);
/* Keys of @kind in scope for the image @name; @name NULL: every key of every scope (masks applied per scope).
 * Errors: -EINVAL a file there is not a key file; else errno of what could not be read. */
int keystore_load(enum key_kind kind, const char *system_dir, const char *local_dir, const char *name,
		  struct keyring *ret, struct err *e);
/* Write an armored key of @kind for @prefix (NULL: root) below @local_dir; *ret_path (may be NULL) heap, where it went.
 * An existing file, also a mask, is replaced.  -EINVAL bad prefix or fingerprint. */
int keystore_add(enum key_kind kind, const char *local_dir, const char *prefix, const char *fingerprint,
		 const char *armored, char **ret_path, struct err *e);
