/* fuzz_challenge — any bytes as the values of WWW-Authenticate, one a line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "stage0/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is quoted back to a server or shown must not break a line. */
static void check(const char *s)
{
	for (; s && *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_strv values = strv_split(text, '\n');
	struct challenge c;

	challenge_pick(values, &c);
	if (c.scheme == CHALLENGE_BEARER && !c.realm)
		abort();
	check(c.realm);
	check(c.service);
	check(c.scope);
	check(c.error);
	challenge_done(&c);
	return 0;
}
