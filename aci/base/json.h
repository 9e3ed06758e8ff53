/*
 * json — strict loading and getters that say where.
 *
 * The only file of the base that includes jansson.  Documents from outside are loaded with
 * json_parse: duplicate keys, trailing data, a byte-order mark, NUL in strings and more than 512
 * levels are refused (formats.md section 11, threats.md T63).  Key look-up prefers the exact
 * spelling and accepts another case, as Go's decoder does.  Unknown keys are ignored; null is absent.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX 512

#define auto_json __attribute__((cleanup(json_decrefp))) json_t *

/* New reference, or NULL with @e set: "line 3, column 7: …". */
json_t *json_parse(const char *text, size_t len, struct err *e);

/* Member of an object, borrowed; NULL when absent or null. */
json_t *json_member(const json_t *obj, const char *key);

/*
 * Typed getters.  @where is the path of @obj for messages, e.g. ".app" ("" for the document);
 * messages read ".app.exec[0]: string expected".  An absent optional member leaves *ret alone and
 * returns 0; an absent required one is -EINVAL.  Strings are borrowed from the document.
 */
int json_get_str(const json_t *obj, const char *where, const char *key, bool required, const char **ret,
		 struct err *e);
int json_get_bool(const json_t *obj, const char *where, const char *key, bool required, bool *ret,
		  struct err *e);
int json_get_int(const json_t *obj, const char *where, const char *key, bool required, int64_t min,
		 int64_t max, int64_t *ret, struct err *e);
int json_get_obj(const json_t *obj, const char *where, const char *key, bool required, json_t **ret,
		 struct err *e);
int json_get_arr(const json_t *obj, const char *where, const char *key, bool required, json_t **ret,
		 struct err *e);
/* Array of strings, appended to *ret (a strv). */
int json_get_strv(const json_t *obj, const char *where, const char *key, bool required, char ***ret,
		  struct err *e);

enum json_style { JSON_LINE, JSON_TABS };
/* Text in insertion order, no trailing newline; JSON_TABS indents by TAB as Go's
 * MarshalIndent("", "\t").  Heap. */
char *json_text(const json_t *j, enum json_style style);
