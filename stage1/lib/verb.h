/*
 * verb — which command the user gave: several come to the same entrypoint, and messages name theirs.
 */
#pragma once

/* "rkt: VERB", as log_setup wants it: what CONTRACT_VERB says, or @dflt where nothing fit to print is said. */
const char *verb_prefix(const char *dflt);
