/*
 * ocisign — is this image of a registry what somebody trusted says it is?  (threats.md R33, T42-T45.)
 *
 * Three rules, any of which is enough: the user named the digest; a simple-signing signature at the lookaside of the configuration by an
 * OpenPGP key in scope for the name; a cosign signature beside the image in its registry by a PEM key in scope.  Nothing
 * that matches is a refusal.  Other people's signatures beside ours are passed over: whoever signs an image may do so.
 */
#pragma once

#include "oci/reference.h"
#include "stage0/fetchjob.h"
#include "stage0/keystore.h"
#include "stage0/registry.h"

#define OCISIGN_SIGNATURES_MAX 32           /* looked at, of each kind and digest */
#define OCISIGN_MESSAGE_MAX    (128u << 10) /* bytes of one signature file */

struct oci_signed {
	const char *name; /* "HOST/REPOSITORY" as an image name, which scopes are compared with */
	const struct oci_reference *ref; /* as the user gave it */
	/* Of the document that the reference names and, if that is an index, of the manifest picked from it (or NULL). */
	const char *digests[2];
	struct registry *registry; /* NULL: not from a registry */
	const char *tmp;           /* where a gpg home may lie; NULL: $TMPDIR */
};

/*
 * Verify, and say on standard error who it was.  0, and *ret (oci_verified_free) says which key or digest satisfied which rule; else ERR_TRUST
 * with the remedy, or ERR_NET: signatures could not be had.  -ENOKEY no key in scope, or none of them signed; -ENOENT no
 * signature; -EBADMSG a signature of something else; and what verify.h says.
 */
int oci_verify(struct job *j, const struct oci_signed *what, struct verified_by **ret, size_t *n,
	       struct err *e);
void oci_verified_free(struct verified_by *v, size_t n);

/* ---- the parts ---- */

struct oci_verified {
	struct verified_by *v;
	size_t n;
};
/* @how: "simple signing", "cosign". */
void oci_verified_add(struct oci_verified *l, const char *fingerprint, const char *scope, const char *how);

/*
 * One rule each, against all of @keys: 0 and an entry in @ret for every key and scope that a good signature is by; -ENOENT with @e untouched
 * when there is no signature; else @e says why the first one was refused, or could not be had.
 */
int simplesign_verify(struct job *j, const struct oci_signed *what, const struct keyring *keys,
		      struct oci_verified *ret, struct err *e);
int cosign_verify(struct job *j, const struct oci_signed *what, const struct keyring *keys,
		  struct oci_verified *ret, struct err *e);
/* One payload and its signature in base64: *ret_key is the index of the key that made it. */
int cosign_check(const struct oci_signed *what, const struct keyring *keys, const char *payload, size_t len,
		 const char *signature, size_t *ret_key, struct err *e);
