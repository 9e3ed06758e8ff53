/*
 * lookaside — where the simple-signing signatures of images are: kind "lookaside" of registries.d.
 *
 *   {"rktKind": "lookaside", "rktVersion": "v1", "prefixes": ["docker.io/library", "r.example.com:5000"],
 *    "url": "https://sigs.example.com/x" | "http://…" (used only with --insecure-options=http) | "file:///srv/sigs"}
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct lookaside {
	char *prefix; /* HOST[:PORT][/PART…], docker.io as registry-1.docker.io */
	char *url;    /* without a slash at its end */
};

/* One entry for each of "prefixes", appended to @v (heap, @n entries). */
int lookasides_read(const json_t *doc, struct lookaside **v, size_t *n, struct err *e);
/* Move the entries of @more over those of @v. */
void lookasides_merge(struct lookaside **v, size_t *n, struct lookaside **more, size_t *nmore);
void lookasides_free(struct lookaside *v, size_t n);
/* The entry of the longest prefix, by whole components, of "@host/@repository"; NULL: none. */
const struct lookaside *lookaside_find(const struct lookaside *v, size_t n, const char *host,
				       const char *repository);
