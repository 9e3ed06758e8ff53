/*
 * images — from an IMAGE argument to an image in the store (cli.md section 5).
 */
#pragma once

#include "base/err.h"
#include "rkt/host.h"
#include "rkt/podflags.h"
#include "schema/ids.h"

/*
 * The id of the image that @text means, fetched and verified by the fetch program if the policy and
 * the kind of reference ask for it: ids and names come from the store only, files are always imported
 * anew, URLs and references of registries by @policy.  What came from the store by id or name may never have been verified: prepare_pod
 * and image_require_verified refuse it.  @signature: path of the signature, or NULL.  @flags: enum ref_flag.
 */
int image_obtain(struct host *h, const char *text, const char *signature, enum pull_policy policy,
		 unsigned int flags, char ret[IMAGE_ID_LEN + 1], struct err *e);

/* Refuse stored image @id if nobody verified it and --insecure-options=image is not given; -EKEYREJECTED. */
int image_require_verified(const struct host *h, const char *id, struct err *e);

/* The id of the stored image that @text (an id, a prefix of one, or a name) means; -ENOENT. */
int image_lookup(const struct host *h, const char *text, char ret[IMAGE_ID_LEN + 1], struct err *e);
