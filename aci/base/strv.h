/*
 * strv — NULL-terminated vectors of heap strings; a NULL pointer is the empty vector.
 *
 * The env_* functions treat the strings as NAME=VALUE.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define auto_strv __attribute__((cleanup(strv_freep))) char **

size_t strv_len(char *const *v);
void strv_free(char **v);
void strv_freep(char ***v);

/* Append a copy / an owned string / a formatted string. */
void strv_push(char ***v, const char *s);
void strv_push_take(char ***v, char *s);
void strv_pushf(char ***v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strv_push_all(char ***v, char *const *more);

char **strv_copy(char *const *v);
bool strv_has(char *const *v, const char *s);
void strv_sort(char **v);

/* Split at each @sep; empty parts are kept; "" gives one empty part.  The caller frees. */
char **strv_split(const char *s, char sep);
/* Join with @sep; the caller frees; never NULL. */
char *strv_join(char *const *v, const char *sep);

/* Value of NAME (borrowed) or NULL. */
const char *env_get(char *const *env, const char *name);
/* Set or replace NAME, keeping its position. */
void env_set(char ***env, const char *name, const char *value);
/* NAME=VALUE of those of @names (NULL at the end) that our own environment has, appended. */
void env_pass(char ***env, const char *const *names);
/* Set NAME only if absent. */
void env_default(char ***env, const char *name, const char *value);
