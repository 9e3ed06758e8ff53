/*
 * gpghome — a private GnuPG home that lives for one operation.
 *
 * A fresh 0700 directory, its gpg.conf forbids the network, other programs (agent, dirmngr) and key
 * look-ups, so what is imported here is all that gpg knows, and no process outlives the operation.
 */
#pragma once

#include <gpgme.h>
#include <stddef.h>

#include "base/err.h"

struct gpghome {
	gpgme_ctx_t ctx;
	char *path;
};

/* Below @parent (NULL: $TMPDIR, /tmp).  -ENOENT with a remedy when gpg is not installed. */
int gpghome_open(const char *parent, struct gpghome *ret, struct err *e);
/* Remove the directory; accepts a zeroed object. */
void gpghome_done(struct gpghome *h);
#define auto_gpghome __attribute__((cleanup(gpghome_done))) struct gpghome

/* Import public keys from @data; their primary fingerprints (40 lower-case hex) in file order, strv.
 * -EINVAL when there is no key in it, or a secret one. */
int gpghome_import(struct gpghome *h, const void *data, size_t len, char ***ret_fingerprints, struct err *e);
/* A key of this home by fingerprint (of it or of a subkey); gpgme_key_unref it.  -ENOKEY. */
int gpghome_key(struct gpghome *h, const char *fingerprint, gpgme_key_t *ret, struct err *e);
/* ASCII armour of one key, heap. */
int gpghome_export(struct gpghome *h, const char *fingerprint, char **ret, struct err *e);
/* Class TRUST, code EIO, text "<what>: <gpgme's words>". */
int gpg_err(struct err *e, gpgme_error_t g, const char *what);
