/*
 * schemacheck — helpers of the tests of aci/schema: documents written with ' instead of ".
 */
#pragma once

#include <check.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"

/* The document @text with every ' turned into ". */
static inline char *quoted(const char *text)
{
	char *s = xstrdup(text);

	for (char *p = s; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return s;
}

static inline json_t *doc(const char *text)
{
	auto_free char *s = quoted(text);
	struct err e = ERR_INIT;
	json_t *j = json_parse(s, strlen(s), &e);

	ck_assert_msg(j != NULL, "%s: %s", text, e.text);
	return j;
}

/* @j (reference taken) prints as @text. */
static inline void expect_text(json_t *j, const char *text)
{
	auto_free char *want = quoted(text), *got = json_text(j, JSON_LINE);

	json_decref(j);
	ck_assert_str_eq(got, want);
}

/* The error speaks of @fragment (written with '). */
static inline void expect_error(const struct err *e, const char *fragment)
{
	auto_free char *want = quoted(fragment);

	ck_assert_int_eq(e->cls, ERR_INPUT);
	ck_assert_int_ne(e->code, 0);
	ck_assert_msg(strstr(e->text, want) != NULL, "\"%s\" lacks \"%s\"", e->text, want);
}
