/*
 * challenge — see challenge.h.
 *
 * One field may hold several challenges, and the commas between them look like those between parameters:
 * a token that is not followed by "=" starts a new challenge.  Commas inside quotes are text.
 */
#include "stage0/challenge.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"

#define PARAMS_MAX 32 /* of one challenge; nobody needs more than five */

static const char token_marks[] = "!#$%&'*+-.^_`|~";

static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr(token_marks, c));
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* A token as a heap string, NULL when there is none. */
static char *take_token(const char **p)
{
	const char *start = *p;

	while (is_token(**p))
		(*p)++;
	return *p == start ? NULL : xstrndup(start, (size_t)(*p - start));
}

/* What follows "=": a token or a quoted string; NULL when it is neither. */
static char *take_value(const char **p)
{
	auto_buf b = BUF_INIT;
	const char *s = *p;

	if (*s != '"')
		return take_token(p);
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return NULL;
		buf_addc(&b, *s);
	}
	if (*s != '"')
		return NULL;
	*p = s + 1;
	return buf_steal(&b);
}

void challenge_done(struct challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	free(c->error);
	*c = (struct challenge){ .scheme = CHALLENGE_NONE };
}

/* The first of a name counts. */
static void set_param(struct challenge *c, const char *name, char *value)
{
	const struct {
		const char *name;
		char **slot;
	} known[] = { { "realm", &c->realm },
		      { "service", &c->service },
		      { "scope", &c->scope },
		      { "error", &c->error } };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(name, known[i].name) == 0 && !*known[i].slot) {
			*known[i].slot = value;
			return;
		}
	}
	free(value);
}

/* Is what starts here "name =", and not the scheme of the next challenge? */
static bool at_param(const char *p)
{
	const char *s = p;

	while (is_token(*s))
		s++;
	return s > p && *skip_space(s) == '=';
}

/* The parameters up to the next challenge; NULL when the text cannot be read any further. */
static const char *take_params(const char *p, struct challenge *c)
{
	for (int n = 0; n < PARAMS_MAX; n++) {
		p += strspn(p, " \t,");
		if (!at_param(p))
			return p;
		auto_free char *name = take_token(&p);
		p = skip_space(skip_space(p) + 1);
		char *value = take_value(&p);
		if (!value)
			return NULL;
		set_param(c, name, value);
		p = skip_space(p);
		if (*p && *p != ',')
			return NULL;
	}
	return NULL;
}

static enum challenge_scheme scheme_of(const char *name)
{
	return strcasecmp(name, "bearer") == 0  ? CHALLENGE_BEARER
	       : strcasecmp(name, "basic") == 0 ? CHALLENGE_BASIC
						: CHALLENGE_NONE;
}

static void pick_from(const char *p, struct challenge *best)
{
	while (p) {
		struct challenge c = { .scheme = CHALLENGE_NONE };

		p += strspn(p, " \t,");
		auto_free char *scheme = take_token(&p);
		if (!scheme)
			return;
		p = take_params(p, &c);
		if (p)
			c.scheme = scheme_of(scheme);
		if (c.scheme == CHALLENGE_BEARER && !c.realm)
			c.scheme = CHALLENGE_NONE;
		if (c.scheme > best->scheme) {
			challenge_done(best);
			*best = c;
		} else {
			challenge_done(&c);
		}
	}
}

void challenge_pick(char *const *values, struct challenge *ret)
{
	*ret = (struct challenge){ .scheme = CHALLENGE_NONE };
	for (; values && *values; values++)
		pick_from(*values, ret);
}
