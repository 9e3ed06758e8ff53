/*
 * verify — is this file signed by one of these keys?  (cli.md section 5.3, threats.md R33, R35, T42.)
 *
 * A match is what gpg calls VALIDSIG with nothing against it: good, not expired, key and subkey
 * neither expired nor revoked and allowed to sign, and the primary key's fingerprint equal to one of
 * the ring.  Zero matches is failure, and so is one bad signature beside a good one.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "stage0/keystore.h"
#include "stage0/sigfile.h"

struct verify_match {
	char fingerprint[41]; /* primary key */
	char *scope;
	char **uids; /* strv, raw text of the key */
};

struct verify_result {
	struct verify_match *v;
	size_t n; /* at least one */
};

void verify_result_done(struct verify_result *r);
#define auto_verify_result __attribute__((cleanup(verify_result_done))) struct verify_result

/*
 * Check @sig over everything in @data_fd (from offset 0).  @home_parent: where the private gpg home
 * goes, NULL = $TMPDIR.  All errors are ERR_TRUST with a reason of their own; to branch on:
 *   -ENOKEY       by none of these keys ("openpgp: signature made by unknown entity")
 *   -EBADMSG      does not fit the data
 *   -EKEYEXPIRED  key or signature expired      -EKEYREVOKED  key or subkey revoked
 *   -EINVAL       a key file of the ring does not hold the key that it is named after
 */
int verify_detached(const char *home_parent, int data_fd, const struct sigfile *sig,
		    const struct keyring *keys, struct verify_result *ret, struct err *e);

/*
 * Check an OpenPGP message that holds what it signs, in binary, by exactly one signature; at most @max bytes of it are appended to
 * @plain, and stay there only on success.  Bytes behind a compressed message, which gpg does not look at, do not count.  Errors like above; -EINVAL also for what is no such message, -EFBIG above @max.
 */
int verify_message(const char *home_parent, const void *message, size_t len, size_t max,
		   const struct keyring *keys, struct buf *plain, struct verify_result *ret, struct err *e);

/* Could one of @keys have made it?  Looks at the issuers only, for a refusal before a long download:
 * 0, or -ENOKEY like above. */
int verify_issuer(const char *home_parent, const struct sigfile *sig, const struct keyring *keys,
		  struct err *e);

/* Drop matches whose key and scope are not in @keys. */
void verify_result_restrict(struct verify_result *r, const struct keyring *keys);

/* Do both rings hold the same keys (fingerprint and content)? */
bool keyring_equal(const struct keyring *a, const struct keyring *b);
