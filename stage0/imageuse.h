/*
 * imageuse — which extracted images do pods stand on?
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage0/dirs.h"

/* Image ids, each once.  Zero-initialisable; image_uses_done frees it. */
struct image_uses {
	char **trees; /* strv: of every pod that is not garbage; they must stay on disk */
	char **live;  /* strv: of pods that run or may yet run */
	bool all;     /* some pod does not let itself be read: it may need any of them */
};

/*
 * Read what the pods say.  A pod says it before it looks whether the image is still there (prepare.c); so
 * who has first made an image impossible to find, and then does not find it in a scan, may delete its tree.
 */
int image_uses_scan(const struct datadir *d, struct image_uses *ret, struct err *e);
bool image_uses_tree(const struct image_uses *u, const char *id);
bool image_uses_live(const struct image_uses *u, const char *id);
void image_uses_done(struct image_uses *u);
