/*
 * check — how the schema code says what is wrong, and where.
 *
 * Private to aci/schema and aci/oci.  A message is the JSON path, the offending value quoted and escaped, and the
 * rule: `.labels[1].name: "Foo" is not an AC identifier`.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

#define WHERE_MAX 192

/* Write the path of a member or an element into @out and return it; very long paths are cut. */
const char *where_key(char out[WHERE_MAX], const char *where, const char *key);
const char *where_index(char out[WHERE_MAX], const char *where, size_t i);

/* `WHERE: "VALUE" RULE`; @value may hold anything and is cut after 80 bytes.  Returns -EINVAL. */
int bad_value(struct err *e, const char *where, const char *value, const char *rule);

/* @obj[@key] is a required string for which @valid holds; *ret borrowed. */
int need_valid(const json_t *obj, const char *where, const char *key, bool (*valid)(const char *),
	       const char *rule, const char **ret, struct err *e);

/* Element @i of @arr if it is an object, else NULL and @e. */
json_t *need_object(const json_t *arr, const char *where, size_t i, struct err *e);

/* The first name (in byte order) that occurs twice in @names[0..n), or NULL.  Reorders @names. */
const char *duplicate_name(const char **names, size_t n);

/* Set @obj[@key] to @value (reference taken) unless that is an empty array or object: Go's omitempty. */
void set_unless_empty(json_t *obj, const char *key, json_t *value);

/* acKind must be @kind.  *ret_version: acVersion (borrowed), NULL when absent and not @need_version. */
int check_kind(const json_t *doc, const char *kind, bool need_version, const char **ret_version,
	       struct err *e);

#define RULE_IDENTIFIER "is not an AC identifier"
#define RULE_NAME       "is not an AC name"
