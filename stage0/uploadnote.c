/* uploadnote — see uploadnote.h. */
#include "stage0/uploadnote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "stage0/backoff.h"
#include "stage0/partial.h"

#define NOTE     "note"
#define NOTE_MAX (64u << 10)
#define TURN_MS  100 /* how often we look whether another process is done */

bool upload_location_valid(const char *location)
{
	size_t n = 0;

	if (location[0] != '/' || location[1] == '/')
		return false;
	for (const char *p = location; *p; p++, n++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return n <= UPLOAD_LOCATION_MAX;
}

static char *note_name(const struct upload_note *n)
{
	auto_free char *what = xasprintf("%s/%s@%s", n->host, n->repository, n->digest);
	char hex[HASH_HEX_MAX];
	struct hash *h = hash_new("sha256");

	hash_update(h, what, strlen(what));
	hash_hex(h, hex);
	hash_free(h);
	return xasprintf(PARTIAL_UPLOAD "%s", hex);
}

/* What the note says, if it is about this blob at this place. */
static char *read_note(const struct upload_note *n, struct err *e)
{
	auto_buf text = BUF_INIT;
	const char *location = NULL;
	const struct {
		const char *key, *want;
	} same[] = { { "host", n->host }, { "repository", n->repository }, { "digest", n->digest } };
	int r = read_file_at(n->dir, NOTE, NOTE_MAX, &text);

	if (r < 0) {
		(void)err_sys(e, -r, "read it");
		return NULL;
	}
	auto_json doc = json_parse(buf_str(&text), text.len, e);
	if (!doc || json_get_str(doc, "", "location", true, &location, e) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		const char *is = NULL;

		if (json_get_str(doc, "", same[i].key, true, &is, e) < 0)
			return NULL;
		if (strcmp(is, same[i].want) != 0) {
			(void)err_set(e, ERR_INPUT, EINVAL, "another %s", same[i].key);
			return NULL;
		}
	}
	if (!upload_location_valid(location)) {
		(void)err_set(e, ERR_INPUT, EINVAL, "no address of an upload");
		return NULL;
	}
	return xstrdup(location);
}

/* 1 locked, 0 there can be no note, -EINTR. */
static int take_lock(struct upload_note *n, struct err *e)
{
	struct err why = ERR_INIT;
	bool told = false;

	for (;;) {
		int r = partial_lock(n->store, n->name, &n->dir, &why);
		if (r < 0)
			log_debug("an upload without a note: %s", why.text);
		if (r != 0)
			return r > 0;
		if (!told)
			log_info("another rkt is sending %s, waiting for it", n->digest);
		told = true;
		r = backoff_wait(TURN_MS, e);
		if (r < 0)
			return r;
	}
}

int upload_note_open(struct upload_note *n, const struct store *s, const char *host, const char *repository,
		     const char *digest, char **location, struct err *e)
{
	struct err why = ERR_INIT;

	*location = NULL;
	*n = (struct upload_note){ s, host, repository, digest, NULL, FD_NONE };
	n->name = note_name(n);
	int r = take_lock(n, e);
	if (r <= 0)
		return r;
	*location = read_note(n, &why);
	if (!*location) {
		log_debug("an upload without what cas/tmp/%s says: %s", n->name, why.text);
		err_clear(&why);
		(void)rm_tree_at(n->dir, NOTE, &why);
	}
	return 0;
}

void upload_note_put(struct upload_note *n, const char *location)
{
	if (n->dir < 0)
		return;
	auto_json doc = json_pack("{s:s, s:s, s:s, s:s}", "host", n->host, "repository", n->repository,
				  "digest", n->digest, "location", location);
	auto_free char *text = doc ? json_text(doc, JSON_LINE) : NULL;
	int r = text ? write_file_at(n->dir, NOTE, text, strlen(text), 0600, 0) : -EINVAL;
	if (r < 0)
		log_debug("write cas/tmp/%s/" NOTE ": %s", n->name, strerror(-r));
}

void upload_note_close(struct upload_note *n, bool keep)
{
	struct err ignored = ERR_INIT;

	if (n->dir >= 0 && !keep)
		(void)rm_tree_at(n->store->tmp_fd, n->name, &ignored);
	fd_close(&n->dir);
	free(n->name);
	n->name = NULL;
}
