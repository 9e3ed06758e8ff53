/*
 * uploadnote — where an upload to a registry goes on, for whoever sends the same blob to the same place next.
 *
 * cas/tmp/ul-HEX/note (0600), HEX = SHA-256 of "HOST/REPOSITORY@DIGEST".  It holds what the registry told as the upload's address, without
 * the host: who reads it asks there and nowhere else, with the credentials that this registry gets anyway.  Whoever has the note locked sends; the
 * others wait for him and find the blob there.  Where nothing can be written there is no note, and an upload starts from its first byte.
 */
#pragma once

#include <stdbool.h>

#include "stage0/store.h"

#define UPLOAD_LOCATION_MAX 8192 /* bytes; as much as is kept of a header field */

struct upload_note {
	const struct store *store;
	const char *host, *repository, *digest; /* borrowed */
	char *name;                             /* below cas/tmp */
	int dir; /* locked, or FD_NONE: there is no note, and none is written */
};

/* Can that be where an upload goes on: a path, perhaps with a query, of printable ASCII, that cannot be taken for a host? */
bool upload_location_valid(const char *location);

/*
 * Lock the note of @digest at @host, @repository; *location, heap, is what it says.  NULL when there is none or it is no good, which removes it.
 * 0, or -EINTR while somebody else had it.
 */
int upload_note_open(struct upload_note *n, const struct store *s, const char *host, const char *repository,
		     const char *digest, char **location, struct err *e);
/* From now on it goes on at @location. */
void upload_note_put(struct upload_note *n, const char *location);
/* Let go; @keep it for the next attempt. */
void upload_note_close(struct upload_note *n, bool keep);
