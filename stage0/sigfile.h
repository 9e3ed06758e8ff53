/*
 * sigfile — the OpenPGP packets of a detached signature file (RFC 4880 sections 4, 5.2 and 6).
 *
 * Armour is removed and every packet is walked here, and only what was walked is handed on, so the
 * verifier behind never sees text around the armour, a message inside the file, or a second
 * plaintext.  Nothing but version 4 signatures over binary documents passes; those made with MD5,
 * SHA-1 or RIPEMD-160 are dropped.  Libc only; knows no key.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define SIGFILE_MAX            (256u << 10) /* bytes of a signature file */
#define SIGFILE_SIGNATURES_MAX 32

struct sigfile {
	struct buf packets; /* the signature packets, binary, one after the other */
	size_t n;           /* how many */
	size_t nweak;       /* dropped because of their digest algorithm */
};

/* Errors, all -EINVAL and ERR_TRUST, each with a reason of its own: empty, not OpenPGP, not a detached
 * signature, a public key, damaged armour or packet, text signature, old version, weak digest only. */
int sigfile_parse(const void *data, size_t len, struct sigfile *ret, struct err *e);
void sigfile_done(struct sigfile *s);
