/*
 * fetchknown — what the store knows of a URL or reference, the rules of the pull policies about it, and single flight.
 *
 * Everybody who wants the same URL queues at one lock; the first downloads, the others find a record
 * that is younger than the moment they came and use it.  A record whose image was imported without
 * verification is no answer for someone who wants it verified.
 */
#pragma once

#include "stage0/fetchjob.h"

struct known {
	struct job *j;
	const struct wanted *want;
	int64_t came; /* when we began */
	bool good;    /* the store has an image of this URL that will do */
	bool pinned;  /* the caller's: the URL names a content, which cannot change */
	struct url_info record;
};

void known_init(struct known *k, struct job *j, const struct wanted *want);
void known_done(struct known *k);
/*
 * 1: use what the store has (known_take); 0: fetch, with *lock, the caller's to close, held for this URL until the record is saved.  -ENOENT:
 * not there, and the policy is never.
 */
int known_or_queue(struct known *k, int *lock, struct err *e);
/* The image of the record, used now. */
int known_take(struct known *k, char ret_id[IMAGE_ID_LEN + 1]);
