/*
 * uuid — RFC 4122 version 4, lower case, 8-4-4-4-12.
 */
#pragma once

#include <stdbool.h>

#define UUID_LEN 36

/* Random (getrandom(2)); 0 or -errno. */
int uuid_new(char out[UUID_LEN + 1]);
/* Exactly the canonical lower-case form? */
bool uuid_valid(const char *s);
/* Accept any case and optional dashes, write the canonical form; -EINVAL if not 32 hex digits or all zero. */
int uuid_parse(const char *s, char out[UUID_LEN + 1]);
