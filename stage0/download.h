/*
 * download — one URL into a file, resumable by whoever comes next (threats.md T39).
 *
 * Bytes collect in cas/tmp/dl-<sha256 of the URL>/data, beside a note of the URL and of what the server
 * calls this version of it.  Whoever has the directory locked owns it; a killed process leaves
 * it for the next one, or for gc.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "stage0/http.h"
#include "stage0/store.h"

struct download {
	const struct store *store;
	struct http *http;
	const char *url;
	const char *if_none_match; /* ETag of what we have, or NULL */
	bool quiet;
	bool fresh; /* in: do not resume */

	/* Results. */
	bool not_modified; /* 304 */
	bool resumed;      /* part of it came from an earlier attempt */
	char *etag;        /* or NULL */
	int64_t max_age;   /* seconds */
};

/*
 * Fetch, trying again a bounded number of times when the connection breaks or stalls, and move the
 * complete file to @name below @dirfd.  After an error the partial file stays if it can be resumed.
 * Errors: -ENOENT and other statuses of the server, -EAGAIN when attempts are used up, -ENOSPC, -EINTR.
 */
int download_run(struct download *d, int dirfd, const char *name, struct err *e);
void download_done(struct download *d);
