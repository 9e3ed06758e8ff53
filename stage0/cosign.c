/*
 * cosign — signatures that cosign put beside the image into its registry, under the tag sha256-HEX.sig; see ocisign.h.
 *
 * That tag names a manifest, which nobody signed; each of its layers is a payload, with the signature over it in an annotation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/base64.h"
#include "base/fsat.h"
#include "base/log.h"
#include "oci/digest.h"
#include "oci/document.h"
#include "stage0/ocisign.h"
#include "stage0/pubkey.h"
#include "stage0/sigpayload.h"

#define PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define ANNOTATION   "dev.cosignproject.cosign/signature"

/* Which key made it?  -ENOKEY: none of them. */
static int find_key(const struct keyring *keys, const char *payload, size_t len, const struct buf *sig,
		    size_t *ret, struct err *e)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct trusted_key *t = &keys->v[i];
		auto_pubkey *k = pubkey_parse(t->armored, t->len, e);

		if (!k)
			return err_ctx(e, "trusted key %s (%s)", t->fingerprint, t->scope);
		if (strcmp(pubkey_fingerprint(k), t->fingerprint) != 0)
			return err_set(e, ERR_TRUST, EINVAL, "trusted key file %s (%s) holds another key, %s",
				       t->fingerprint, t->scope, pubkey_fingerprint(k));
		if (pubkey_verify(k, payload, len, sig->data, sig->len)) {
			*ret = i;
			return 0;
		}
	}
	return err_set(e, ERR_TRUST, ENOKEY,
		       "it was made by none of the keys that are trusted for this name");
}

int cosign_check(const struct oci_signed *what, const struct keyring *keys, const char *payload, size_t len,
		 const char *signature, size_t *ret_key, struct err *e)
{
	auto_buf sig = BUF_INIT;
	struct sigpayload p = { NULL, NULL };

	if (strlen(signature) > 2 * PUBKEY_SIGNATURE_MAX ||
	    base64_decode(signature, strlen(signature), &sig) < 0)
		return err_set(e, ERR_TRUST, EINVAL, "it is not base64");
	int r = find_key(keys, payload, len, &sig, ret_key, e);
	if (r == 0)
		r = sigpayload_parse(SIGPAYLOAD_COSIGN, payload, len, &p, e);
	if (r == 0)
		r = sigpayload_match(&p, SIGPAYLOAD_COSIGN, what->ref, what->digests, e);
	sigpayload_done(&p);
	return r;
}

static bool never(void *arg, size_t i)
{
	(void)arg;
	(void)i;
	return false;
}

static int take_payload(void *arg, size_t i, int dirfd, struct err *e)
{
	int r = read_file_at(dirfd, "data", SIGPAYLOAD_MAX, arg);

	(void)i;
	return r < 0 ? err_sys(e, -r, "read the payload of a signature") : 0;
}

static int check_layer(struct job *j, const struct oci_signed *what, const struct oci_descriptor *d,
		       const struct keyring *keys, struct oci_verified *ret, struct err *e)
{
	auto_buf payload = BUF_INIT;
	const struct registry_sink sink = { never, take_payload, &payload };
	const struct registry_blob blob = { d->digest, d->size };
	const char *signature = pairs_get(&d->annotations, ANNOTATION);
	size_t key = 0;

	if (strcmp(d->media_type, PAYLOAD_TYPE) != 0 || !signature)
		return err_set(e, ERR_TRUST, EINVAL, "it is not one that cosign made with a key");
	if (d->size > SIGPAYLOAD_MAX)
		return err_set(e, ERR_TRUST, EFBIG, "its payload has more than %u bytes", SIGPAYLOAD_MAX);
	int r = registry_blobs(what->registry, &j->store, &blob, 1, &sink, true, e);
	if (r == 0)
		r = cosign_check(what, keys, buf_str(&payload), payload.len, signature, &key, e);
	if (r == 0)
		oci_verified_add(ret, keys->v[key].fingerprint, keys->v[key].scope, "cosign");
	return r;
}

/* Like that of simple signing. */
static int check_all(struct job *j, const struct oci_signed *what, const char *digest,
		     const struct keyring *keys, struct oci_verified *ret, struct err *e)
{
	auto_free char *tag = xasprintf("%s-%s.sig", oci_digest_algo(digest), oci_digest_hex(digest));
	struct registry_document doc = { .text = BUF_INIT };
	struct oci_document m;
	int result = -ENOENT;
	struct err own = ERR_INIT;
	int r = registry_manifest(what->registry, tag, &doc, &own);

	if (r == -ENOENT)
		return -ENOENT;
	if (r == 0)
		r = oci_artifact_parse(buf_str(&doc.text), doc.text.len, doc.media_type, &m, &own);
	registry_document_done(&doc);
	if (r < 0) {
		err_ctx(&own, "signatures at tag \"%s\"", tag);
		return err_copy(e, &own);
	}
	for (size_t i = 0; i < m.n && i < OCISIGN_SIGNATURES_MAX && result != 0; i++) {
		err_clear(&own);
		r = check_layer(j, what, &m.entries[i], keys, ret, &own);
		if (r < 0)
			err_ctx(&own, "signature %zu at tag \"%s\"", i + 1, tag);
		if (r < 0)
			log_debug("%s", own.text);
		if (r == 0)
			result = 0;
		else if (result == -ENOENT)
			result = err_copy(e, &own);
		if (r == -EINTR)
			break;
	}
	oci_document_done(&m);
	return result;
}

int cosign_verify(struct job *j, const struct oci_signed *what, const struct keyring *keys,
		  struct oci_verified *ret, struct err *e)
{
	int result = -ENOENT;

	for (size_t i = 0; i < ARRAY_LEN(what->digests) && what->digests[i]; i++) {
		struct err own = ERR_INIT;
		int r = check_all(j, what, what->digests[i], keys, ret, &own);

		if (r == 0)
			return 0;
		if (result == -ENOENT && own.code)
			result = err_copy(e, &own);
	}
	return result;
}
