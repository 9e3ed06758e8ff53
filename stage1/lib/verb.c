/* verb — see verb.h. */
#include "stage1/lib/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage1/contract.h"

const char *verb_prefix(const char *dflt)
{
	static char text[40];
	const char *said = getenv(CONTRACT_VERB);

	if (!said || !*said || strlen(said) >= 32 || said[strspn(said, "abcdefghijklmnopqrstuvwxyz-")])
		said = dflt;
	(void)snprintf(text, sizeof(text), "rkt: %s", said);
	return text;
}
