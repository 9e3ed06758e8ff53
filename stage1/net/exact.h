/*
 * exact — JSON of others that we pass on: numbers come out as they went in.
 *
 * jansson knows 64-bit integers and doubles: 1.50 becomes 1.5, 1e3 becomes 1000.0, 2^64 is an error.  A plugin that is written in
 * another language may tell these apart, so numbers other than short integers are kept in the tree as strings that begin with
 * the byte 1 (which no string of the text may).  Such strings survive json_text and json_parse, hence a pod's record.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

/* As json_parse.  Also refused: a string that begins with the byte 1. */
json_t *exact_parse(const char *text, size_t len, struct err *e);
/* One line, members in their order; heap. */
char *exact_text(const json_t *j);
