/*
 * regconf — what the configuration says of one registry: kind "registry" of registries.d.
 *
 *   {"rktKind": "registry", "rktVersion": "v1", "registries": ["docker.io", "r.example.com:5000"],
 *    "mirrors": ["https://mirror.example.com"], "caFile"?, "certFile"?, "keyFile"?, "allowHTTP"?: bool}
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

struct registry_entry {
	char *registry; /* HOST or HOST:PORT */
	char **mirrors; /* strv of URLs, asked in this order before the registry itself */
	char *ca_file, *cert_file, *key_file; /* absolute, or NULL; for the registry and for its mirrors */
	bool allow_http;                      /* it may speak http where https fails */
};

/* One entry for each of "registries", appended to @v (heap, @n entries). */
int registry_entries_read(const json_t *doc, struct registry_entry **v, size_t *n, struct err *e);
void registry_entry_done(struct registry_entry *r);
/* The document that would be read as @r; new reference, without rktKind and rktVersion. */
json_t *registry_entry_to_json(const struct registry_entry *r);
/* The entry of exactly @registry, or NULL. */
struct registry_entry *registry_entry_find(struct registry_entry *v, size_t n, const char *registry);
