/*
 * sigv4 — canonical request, string to sign, signature.
 */
#include "stage0/sigv4.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/strv.h"

#define BLOCK        64 /* bytes of a SHA-256 block */
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static unsigned int hex_value(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

static void unhex(const char *hex, unsigned char out[32])
{
	for (size_t i = 0; i < 32; i++)
		out[i] = (unsigned char)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
}

static void sha256(const void *a, size_t na, const void *b, size_t nb, char hex[HASH_HEX_MAX])
{
	struct hash *h = hash_new("sha256");
	hash_update(h, a, na);
	hash_update(h, b, nb);
	hash_hex(h, hex);
	hash_free(h);
}

/* RFC 2104; keys here are never longer than a block. */
static void hmac(const void *key, size_t nkey, const void *msg, size_t nmsg, unsigned char out[32])
{
	unsigned char inner[BLOCK], outer[BLOCK], mid[32];
	char hex[HASH_HEX_MAX];

	memset(inner, 0x36, sizeof(inner));
	memset(outer, 0x5c, sizeof(outer));
	for (size_t i = 0; i < nkey && i < BLOCK; i++) {
		inner[i] ^= ((const unsigned char *)key)[i];
		outer[i] ^= ((const unsigned char *)key)[i];
	}
	sha256(inner, BLOCK, msg, nmsg, hex);
	unhex(hex, mid);
	sha256(outer, BLOCK, mid, sizeof(mid), hex);
	unhex(hex, out);
}

static void add_encoded(struct buf *b, unsigned char c, bool keep_slash)
{
	if (isalnum(c) || strchr("-._~", c) || (keep_slash && c == '/'))
		buf_addc(b, (char)c);
	else
		buf_addf(b, "%%%02X", c);
}

/* Decode %XX of a URL part and encode it the one canonical way. */
static void add_canonical(struct buf *b, const char *p, size_t n, bool keep_slash)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c == '%' && i + 2 < n && isxdigit((unsigned char)p[i + 1]) &&
		    isxdigit((unsigned char)p[i + 2])) {
			c = (unsigned char)(hex_value(p[i + 1]) << 4 | hex_value(p[i + 2]));
			i += 2;
		}
		if (c)
			add_encoded(b, c, keep_slash);
	}
}

static char *canonical_query(const char *query)
{
	auto_strv parts = query && *query ? strv_split(query, '&') : NULL;
	auto_strv done = NULL;

	for (char **p = parts; p && *p; p++) {
		auto_buf b = BUF_INIT;
		const char *eq = strchr(*p, '=');
		if (!**p)
			continue;
		add_canonical(&b, *p, eq ? (size_t)(eq - *p) : strlen(*p), false);
		/* Sorts before every character of a name; becomes '=' afterwards. */
		buf_addc(&b, '\1');
		if (eq)
			add_canonical(&b, eq + 1, strlen(eq + 1), false);
		strv_push_take(&done, buf_steal(&b));
	}
	if (done)
		strv_sort(done);
	for (char **p = done; p && *p; p++)
		*strchr(*p, '\1') = '=';
	return strv_join(done, "&");
}

static void canonical_request(const struct sigv4 *s, const char *stamp, char hex[HASH_HEX_MAX])
{
	auto_buf b = BUF_INIT;
	auto_free char *query = canonical_query(s->query);

	buf_adds(&b, "GET\n");
	add_canonical(&b, s->path, strlen(s->path), true);
	buf_addf(&b, "\n%s\nhost:%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n\n", query, s->host,
		 EMPTY_SHA256, stamp);
	buf_adds(&b, "host;x-amz-content-sha256;x-amz-date\n" EMPTY_SHA256);
	sha256(b.data, b.len, "", 0, hex);
}

void sigv4_headers(const struct sigv4 *s, char ***headers)
{
	char stamp[32], day[16], hash[HASH_HEX_MAX];
	unsigned char key[32], sig[32];
	struct tm tm;

	gmtime_r(&s->when, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	strftime(day, sizeof(day), "%Y%m%d", &tm);
	canonical_request(s, stamp, hash);
	auto_free char *scope = xasprintf("%s/%s/s3/aws4_request", day, s->region);
	auto_free char *to_sign = xasprintf("AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp, scope, hash);
	auto_free char *first = xasprintf("AWS4%s", s->secret_key);
	/* A secret longer than a block is hashed first (RFC 2104). */
	char long_key[HASH_HEX_MAX];
	unsigned char raw[32];
	if (strlen(first) > BLOCK) {
		sha256(first, strlen(first), "", 0, long_key);
		unhex(long_key, raw);
		hmac(raw, sizeof(raw), day, strlen(day), key);
	} else {
		hmac(first, strlen(first), day, strlen(day), key);
	}
	hmac(key, sizeof(key), s->region, strlen(s->region), key);
	hmac(key, sizeof(key), "s3", 2, key);
	hmac(key, sizeof(key), "aws4_request", 12, key);
	hmac(key, sizeof(key), to_sign, strlen(to_sign), sig);

	auto_buf hex = BUF_INIT;
	for (size_t i = 0; i < sizeof(sig); i++)
		buf_addf(&hex, "%02x", sig[i]);
	strv_pushf(headers, "x-amz-date: %s", stamp);
	strv_push(headers, "x-amz-content-sha256: " EMPTY_SHA256);
	strv_pushf(headers,
		   "Authorization: AWS4-HMAC-SHA256 "
		   "Credential=%s/%s,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=%s",
		   s->access_key, scope, buf_str(&hex));
}

char *sigv4_region_of_host(const char *host)
{
	auto_strv parts = strv_split(host, '.');
	size_t n = strv_len(parts);

	for (size_t i = 0; i + 1 < n; i++) {
		if (strcmp(parts[i + 1], "amazonaws") == 0 && strncmp(parts[i], "s3-", 3) == 0 && parts[i][3])
			return xstrdup(parts[i] + 3);
		if (i + 2 < n && strcmp(parts[i], "s3") == 0 && strcmp(parts[i + 2], "amazonaws") == 0)
			return xstrdup(parts[i + 1]);
	}
	return xstrdup("us-east-1");
}
