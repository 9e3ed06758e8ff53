#include "oci/digest.h"

#include <string.h>

#include "base/auto.h"
#include "schema/check.h"

static const struct {
	const char *prefix;
	size_t digits;
} algos[] = {
	{ "sha256:", 64 },
	{ "sha512:", 128 },
};
#define PREFIX_LEN 7 /* of both */

bool oci_digest_valid(const char *s)
{
	for (size_t i = 0; i < ARRAY_LEN(algos); i++) {
		if (strncmp(s, algos[i].prefix, PREFIX_LEN) == 0)
			return strlen(s + PREFIX_LEN) == algos[i].digits &&
			       strspn(s + PREFIX_LEN, "0123456789abcdef") == algos[i].digits;
	}
	return false;
}

int oci_digest_check(const char *s, const char *where, struct err *e)
{
	if (oci_digest_valid(s))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(algos); i++) {
		if (strncmp(s, algos[i].prefix, PREFIX_LEN) == 0)
			return bad_value(e, where, s,
					 "has not as many lower-case hex digits as its algorithm");
	}
	return bad_value(e, where, s, "is not a digest by sha256 or sha512");
}

const char *oci_digest_algo(const char *digest)
{
	return strncmp(digest, "sha512:", PREFIX_LEN) == 0 ? "sha512" : "sha256";
}

const char *oci_digest_hex(const char *digest)
{
	return digest + PREFIX_LEN;
}
