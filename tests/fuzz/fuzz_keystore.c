/*
 * fuzz_keystore — what is added for any prefix is found for the names below it and for no other.
 *
 * Input: prefix, fingerprint and image name, each on a line; the rest is the key.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "stage0/keystore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is @name the prefix, or below it by whole components? */
static int below(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

static void check(const char *dir, const char *prefix, const char *fingerprint, const char *name,
		  const char *key)
{
	struct err e = ERR_INIT;
	struct keyring ring = { NULL, 0 };
	auto_free char *path = NULL;
	auto_free char *inside = xasprintf("%s/trustedkeys/", dir);

	enum key_kind kind = strlen(fingerprint) == 64 ? KEY_PEM : KEY_OPENPGP;

	if (keystore_add(kind, dir, prefix, fingerprint, key, &path, &e) == 0) {
		/* Where is it, and has the path any way out? */
		if (strncmp(path, inside, strlen(inside)) != 0 || strstr(path, "/../"))
			abort();
		if (keystore_load(kind, "/nonexistent", dir, name, &ring, &e) == 0 && ring.n && prefix &&
		    !below(name, prefix))
			abort();
	}
	keyring_done(&ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char top[] = "/tmp/rkt-fuzz-keystore-XXXXXX";
	auto_free char *text = xstrndup((const char *)data, size);
	char *part[4] = { text, NULL, NULL, NULL };
	struct err e = ERR_INIT;

	for (int i = 1; i < 4; i++) {
		char *end = strchr(part[i - 1], '\n');
		if (!end)
			return 0;
		*end = '\0';
		part[i] = end + 1;
	}
	if (!mkdtemp(top))
		return 0;
	check(top, *part[0] ? part[0] : NULL, part[1], part[2], part[3]);
	if (rm_tree_at(AT_FDCWD, top, &e) < 0)
		abort();
	return 0;
}
