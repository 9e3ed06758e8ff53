/*
 * challenge — what a server wants to see before it answers: the field WWW-Authenticate (RFC 9110 section 11.6.1,
 * RFC 6750 section 3).
 */
#pragma once

#include <stddef.h>

enum challenge_scheme { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_scheme scheme;
	char *realm, *service, *scope, *error; /* NULL when not given */
};

/*
 * The best challenge among the values of all such fields (strv): Bearer with a realm, else Basic, else none.
 * Text that does not follow the grammar ends what is read of its field, and control bytes count as such text.
 */
void challenge_pick(char *const *values, struct challenge *ret);
void challenge_done(struct challenge *c);
