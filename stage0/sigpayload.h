/*
 * sigpayload — what a signature of an image of a registry says: the JSON of simple signing and of cosign.
 *
 * It is parsed only after the signature over its bytes was found good.  Whatever is not known in it is refused, so that nobody can
 * say anything in it that we do not obey.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "oci/reference.h"

#define SIGPAYLOAD_MAX (64u << 10) /* bytes */

enum sigpayload_kind {
	SIGPAYLOAD_SIMPLE, /* "atomic container signature" */
	SIGPAYLOAD_COSIGN, /* "cosign container image signature" */
};

struct sigpayload {
	char *digest;    /* critical.image.docker-manifest-digest, valid */
	char *reference; /* critical.identity.docker-reference, not empty */
};

/* Errors are ERR_TRUST, -EINVAL, and name the place: `.critical.type: …`. */
int sigpayload_parse(enum sigpayload_kind kind, const char *text, size_t len, struct sigpayload *ret,
		     struct err *e);
void sigpayload_done(struct sigpayload *p);

/*
 * Does it speak of this image?  Its digest is one of @digests (the second may be NULL), and its reference names the repository of @ref, by
 * any of Docker Hub's names.  Simple signing: with exactly the tag of @ref, and no digest.  Cosign, which
 * names no tag by itself: a tag or a digest that is there must be the right one.  -EBADMSG (ERR_TRUST): no.
 */
int sigpayload_match(const struct sigpayload *p, enum sigpayload_kind kind, const struct oci_reference *ref,
		     const char *const digests[2], struct err *e);
