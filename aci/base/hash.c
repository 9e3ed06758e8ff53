/*
 * hash — streaming SHA-2 over libcrypto.
 */
/* OpenSSL has a type of the name of one of our error classes. */
#define ERR_STATE openssl_err_state
#include <openssl/evp.h>
#undef ERR_STATE

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"

#define CHUNK (128 * 1024)

struct hash {
	EVP_MD_CTX *ctx;
};

static const struct {
	const char *name;
	const EVP_MD *(*md)(void);
} algos[] = {
	{ "sha256", EVP_sha256 },
	{ "sha512", EVP_sha512 },
};

/* The library fails only without memory, or when its build lacks SHA-2. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

struct hash *hash_new(const char *algo)
{
	for (size_t i = 0; i < ARRAY_LEN(algos); i++) {
		struct hash *h;

		if (strcmp(algo, algos[i].name) != 0)
			continue;
		h = xcalloc(1, sizeof(*h));
		h->ctx = EVP_MD_CTX_new();
		must(h->ctx != NULL);
		must(EVP_DigestInit_ex(h->ctx, algos[i].md(), NULL));
		return h;
	}
	return NULL;
}

void hash_update(struct hash *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n));
}

void hash_hex(struct hash *h, char out[HASH_HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	unsigned int n = 0;

	must(copy != NULL);
	must(EVP_MD_CTX_copy_ex(copy, h->ctx));
	must(EVP_DigestFinal_ex(copy, raw, &n));
	EVP_MD_CTX_free(copy);
	for (unsigned int i = 0; i < n; i++) {
		out[2 * i] = digits[raw[i] >> 4];
		out[2 * i + 1] = digits[raw[i] & 15];
	}
	out[2 * n] = '\0';
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void hash_freep(struct hash **h)
{
	hash_free(*h);
	*h = NULL;
}

int hash_fd(const char *algo, int fd, char out[HASH_HEX_MAX], struct err *e)
{
	__attribute__((cleanup(hash_freep))) struct hash *h = hash_new(algo);
	auto_free char *chunk = NULL;

	if (!h)
		return err_set(e, ERR_INPUT, EINVAL, "unknown digest algorithm %s", algo);
	chunk = xmalloc(CHUNK);
	for (;;) {
		ssize_t n = read(fd, chunk, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "read bytes to hash");
		if (n == 0)
			break;
		hash_update(h, chunk, (size_t)n);
	}
	hash_hex(h, out);
	return 0;
}
