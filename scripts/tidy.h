/*
 * tidy — what `make tidy` is told, because it sees one source file at a time: an error is never success, a list
 * with a length is there, and so is a text that was required.
 *
 * Put before every file but the files of base by the target; no program is compiled with it.
 */
#pragma once

#include "base/err.h"
#include "base/fsat.h"
#include "base/json.h"
#include "base/strv.h"

static inline int tidy_failed(int r)
{
	if (r >= 0)
		__builtin_unreachable();
	return r;
}

#define err_set(...)  tidy_failed(err_set(__VA_ARGS__))
#define err_sys(...)  tidy_failed(err_sys(__VA_ARGS__))
#define err_ctx(...)  tidy_failed(err_ctx(__VA_ARGS__))
#define err_hint(...) tidy_failed(err_hint(__VA_ARGS__))

static inline size_t tidy_len(const void *v, size_t n)
{
	if (n && !v)
		__builtin_unreachable();
	return n;
}

#define strv_len(v) tidy_len((v), strv_len(v))

static inline int tidy_got(int r, int required, const char *const *to)
{
	if (r > 0 || (r == 0 && required && !*to))
		__builtin_unreachable();
	return r;
}

#define json_get_str(obj, where, name, required, to, e)                                                      \
	tidy_got(json_get_str((obj), (where), (name), (required), (to), (e)), (required), (to))

static inline json_t *tidy_parsed(json_t *j, const struct err *e)
{
	if (!j && e->code <= 0)
		__builtin_unreachable();
	return j;
}

#define json_parse(text, len, e) tidy_parsed(json_parse((text), (len), (e)), (e))

static inline int tidy_read(int r)
{
	if (r > 0)
		__builtin_unreachable();
	return r;
}

#define read_file_at(...) tidy_read(read_file_at(__VA_ARGS__))
