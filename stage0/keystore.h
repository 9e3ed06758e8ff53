/*
 * keystore — trusted keys by name prefix (cli.md section 15).
 *
 *   {system,local}/trustedkeys/root.d/FINGERPRINT
 *   {system,local}/trustedkeys/prefix.d/PREFIX…/FINGERPRINT
 *
 * Prefixes match by whole path components.  A zero-length file masks that fingerprint among the
 * entries loaded so far; order: system root, local root, system prefix chain, local prefix chain.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct trusted_key {
	char fingerprint[41]; /* lower-case hex */
	char *scope;          /* "root" or "prefix example.com/foo" */
	char *armored;        /* file content */
	size_t len;
};

struct keyring {
	struct trusted_key *v;
	size_t n;
};

void keyring_done(struct keyring *k);
/* 40 lower-case hex digits? */
bool keystore_fingerprint_valid(const char *s);
/* Keys in scope for the image @name; @name NULL: every key of every scope (masks applied per scope).
 * Errors: -EINVAL a file there is not a key file; else errno of what could not be read. */
int keystore_load(const char *system_dir, const char *local_dir, const char *name, struct keyring *ret,
		  struct err *e);
/* Write an armored key for @prefix (NULL: root) below @local_dir; *ret_path (may be NULL) heap, where it went.
 * An existing file, also a mask, is replaced.  -EINVAL bad prefix or fingerprint. */
int keystore_add(const char *local_dir, const char *prefix, const char *fingerprint, const char *armored,
		 char **ret_path, struct err *e);
