/* pubkey — libcrypto behind pubkey.h. */
#include "stage0/pubkey.h"

#include <errno.h>
/* libcrypto has a type of that name. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/hash.h"

#define BEGIN "-----BEGIN "
#define BLOCK "PUBLIC KEY"

struct rule {
	const char *type;  /* as libcrypto calls it */
	const char *group; /* of a curve, or NULL */
	int min, max;      /* bits, or 0 */
	const char *digests[2];
	const char *name; /* for people */
};

static const struct rule rules[] = {
	{ "EC", "prime256v1", 0, 0, { "SHA256" }, "ECDSA P-256" },
	{ "EC", "secp384r1", 0, 0, { "SHA256", "SHA384" }, "ECDSA P-384" },
	{ "ED25519", NULL, 0, 0, { NULL }, "Ed25519" },
	{ "RSA", NULL, 2048, 8192, { "SHA256" }, "RSA" },
};

struct pubkey {
	EVP_PKEY *key;
	const struct rule *rule;
	char fingerprint[HASH_HEX_MAX];
	char *pem;
	char *algorithm;
};

bool pubkey_like(const void *text, size_t len)
{
	return memmem(text, len, BEGIN, strlen(BEGIN)) &&
	       !memmem(text, len, BEGIN "PGP ", strlen(BEGIN "PGP "));
}

void pubkey_free(struct pubkey *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->key);
	free(k->pem);
	free(k->algorithm);
	free(k);
}

void pubkey_freep(struct pubkey **k)
{
	pubkey_free(*k);
}

const char *pubkey_fingerprint(const struct pubkey *k)
{
	return k->fingerprint;
}

const char *pubkey_algorithm(const struct pubkey *k)
{
	return k->algorithm;
}

const char *pubkey_pem(const struct pubkey *k)
{
	return k->pem;
}

/* ---- reading ---- */

static int refuse(struct err *e, const char *why)
{
	ERR_clear_error();
	return err_set(e, ERR_TRUST, EINVAL, "%s", why);
}

static bool blank(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p) && *p)
		p++;
	return p == end;
}

/* One block of the right name and nothing around it, so that what a user saw in the file is what is read. */
static int check_frame(const char *text, size_t len, struct err *e)
{
	static const char begin[] = BEGIN BLOCK "-----", end[] = "-----END " BLOCK "-----";
	const char *first = memmem(text, len, BEGIN, strlen(BEGIN)), *stop = text + len;

	if (len > PUBKEY_FILE_MAX)
		return refuse(e, "the file is too large for a public key");
	if (!first)
		return refuse(e, "no PEM block in it");
	if (memmem(text, len, "PRIVATE KEY-----", 16))
		return refuse(e, "the key is a private key; give the public one (openssl pkey -pubout)");
	if (memmem(text, len, BEGIN "CERTIFICATE", strlen(BEGIN "CERTIFICATE")))
		return refuse(
			e, "it is a certificate; only bare keys are trusted (openssl x509 -pubkey -noout)");
	if ((size_t)(stop - first) < strlen(begin) || memcmp(first, begin, strlen(begin)) != 0)
		return refuse(e, "its PEM block is not a \"" BLOCK "\"");
	const char *last = memmem(first, (size_t)(stop - first), end, strlen(end));
	if (!last)
		return refuse(e, "its PEM block has no end");
	if (!blank(text, first) || !blank(last + strlen(end), stop))
		return refuse(e, "text around the PEM block, or more than one block");
	return 0;
}

static int find_rule(struct pubkey *k, struct err *e)
{
	char group[80] = "";
	size_t n = 0;
	int explicit_curve = 0, bits = EVP_PKEY_get_bits(k->key);
	const struct rule *near = NULL;

	(void)EVP_PKEY_get_group_name(k->key, group, sizeof(group), &n);
	(void)EVP_PKEY_get_int_param(k->key, "decoded-from-explicit", &explicit_curve);
	if (explicit_curve)
		return refuse(e, "the key spells its curve out instead of naming it");
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (!EVP_PKEY_is_a(k->key, rules[i].type))
			continue;
		near = &rules[i];
		if ((near->group && strcmp(near->group, group) != 0) ||
		    (near->min && (bits < near->min || bits > near->max)))
			continue;
		k->rule = near;
		k->algorithm = near->min ? xasprintf("%s %d bits", near->name, bits) : xstrdup(near->name);
		return 0;
	}
	if (near && near->group)
		return refuse(e, "the key is on another curve than P-256 and P-384");
	if (near)
		return refuse(e, "an RSA key must have 2048 to 8192 bits");
	return refuse(e, "the key is of an algorithm that is not taken: ECDSA, Ed25519 and RSA are");
}

static bool is_valid_point(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool ok = ctx && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* What the key is kept and known as. */
static int spell(struct pubkey *k, struct err *e)
{
	unsigned char *der = NULL;
	char *text = NULL;
	BIO *out = BIO_new(BIO_s_mem());
	int n = i2d_PUBKEY(k->key, &der), r = 0;
	struct hash *h = hash_new("sha256");

	if (n <= 0 || !out || PEM_write_bio_PUBKEY(out, k->key) != 1) {
		r = refuse(e, "the key cannot be written as it should be");
	} else {
		long len = BIO_get_mem_data(out, &text);

		hash_update(h, der, (size_t)n);
		hash_hex(h, k->fingerprint);
		k->pem = xstrndup(text, (size_t)len);
	}
	hash_free(h);
	OPENSSL_free(der);
	BIO_free(out);
	return r;
}

struct pubkey *pubkey_parse(const void *text, size_t len, struct err *e)
{
	if (check_frame(text, len, e) < 0)
		return NULL;
	auto_pubkey *k = xcalloc(1, sizeof(*k));
	BIO *in = BIO_new_mem_buf(text, (int)len);

	k->key = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, NULL) : NULL;
	BIO_free(in);
	if (!k->key) {
		(void)refuse(e, "its PEM block is damaged, or not a public key");
		return NULL;
	}
	if (find_rule(k, e) < 0)
		return NULL;
	if (!is_valid_point(k->key)) {
		(void)refuse(e, "the numbers of the key do not fit each other");
		return NULL;
	}
	ERR_clear_error();
	return spell(k, e) < 0 ? NULL : steal_ptr(&k);
}

/* ---- verifying ---- */

static bool verify_with(const struct pubkey *k, const char *digest, const void *data, size_t len,
			const void *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, k->key, NULL) == 1 &&
		  EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool pubkey_verify(const struct pubkey *k, const void *data, size_t len, const void *sig, size_t sig_len)
{
	if (sig_len == 0 || sig_len > PUBKEY_SIGNATURE_MAX)
		return false;
	if (!k->rule->digests[0])
		return verify_with(k, NULL, data, len, sig, sig_len);
	for (size_t i = 0; i < ARRAY_LEN(k->rule->digests) && k->rule->digests[i]; i++) {
		if (verify_with(k, k->rule->digests[i], data, len, sig, sig_len))
			return true;
	}
	return false;
}
