/*
 * outgoing — a stored image as OCI documents and blobs, on its way to a registry or a file.
 *
 * An image with layers goes as it came, byte for byte.  An ACI becomes one layer of its tree and a config made of its manifest; the same ACI gives
 * the same digests every time, and so does the same directory.
 */
#pragma once

#include "stage0/fetchjob.h"

struct outgoing_blob {
	char *digest;
	int64_t size;
	int fd;
};

struct outgoing {
	char *manifest; /* text */
	size_t len;
	char *media_type, *digest;
	struct outgoing_blob *blobs; /* the config, then each layer once */
	size_t n;
	char **layers; /* strv: digests, lowest first */
};

/* What is no image yet: a directory, and the config without what it says of layers. */
struct outgoing_parts {
	int dir; /* the parent of the root */
	const char *name;
	json_t *config; /* completed here */
};

/* Of image @i, or with @parts of those, which @i names; files that must be made are made in @w. */
int outgoing_open(struct job *j, const struct image_info *i, const struct outgoing_parts *parts,
		  const struct work *w, struct outgoing *ret, struct err *e);
void outgoing_done(struct outgoing *o);
