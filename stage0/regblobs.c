/*
 * regblobs — blobs side by side; see registry.h.
 *
 * Each blob collects in cas/tmp/dl-ALGO-HEX/data.  Whoever has that directory locked works at it; the others look again
 * now and then, and find either the blob in the store or a lock that is free because its owner died: then they go
 * on from its bytes.  Those are hashed anew, so the digest at the end is that of everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/ticks.h"
#include "oci/digest.h"
#include "stage0/backoff.h"
#include "stage0/interrupt.h"
#include "stage0/partial.h"
#include "stage0/proglines.h"
#include "stage0/registry.h"

#define SIDE_BY_SIDE    4
#define TURN_MS         100 /* also how often we look whether another process is done */
#define PAUSE_MOVING_MS 50
#define TRIES_MAX       60         /* failures at one place altogether, new bytes or not */
#define WORTH_BYTES     (16 << 10) /* new bytes for which a try counts as one that got on */

enum flow_state { FLOW_IDLE, FLOW_MOVING, FLOW_DONE };

/* One blob on its way. */
struct flow {
	struct blobs *all;
	size_t i;
	enum flow_state state;
	int64_t not_before; /* monotonic ms; FLOW_IDLE */
	int dir, data;      /* locked; FD_NONE when not ours yet */
	struct hash *hash;  /* of the bytes on disk */
	int64_t have;
	bool resumed, told;
	size_t place;
	int idle, failed; /* failures in a row that brought next to nothing, and all of them, at this place */
	int status;
	int64_t retry_after;
	struct http_request rq;
	char *url;
	char **credentials; /* strv, as sent */
};

struct blobs {
	struct registry *r;
	const struct store *s;
	const struct registry_blob *v;
	const struct registry_sink *sink;
	struct http_many *many;
	struct proglines *lines;
	struct flow *flows;
	size_t n, left;
	struct err err; /* the first */
};

static const struct registry_blob *blob(const struct flow *f)
{
	return &f->all->v[f->i];
}

static struct registry_place *place(const struct flow *f)
{
	return &f->all->r->places[f->place];
}

static char *dir_name(const struct flow *f)
{
	return xasprintf(PARTIAL_DOWNLOAD "%s-%s", oci_digest_algo(blob(f)->digest),
			 oci_digest_hex(blob(f)->digest));
}

/* ---- the file ---- */

/* Lock its directory: 1, 0 when somebody else has it, -errno. */
static int take_lock(struct flow *f, struct err *e)
{
	auto_free char *name = dir_name(f);

	return partial_lock(f->all->s, name, &f->dir, e);
}

/* Let go of the file; @keep it for the next attempt. */
static void let_go(struct flow *f, bool keep)
{
	struct err ignored = ERR_INIT;
	auto_free char *name = dir_name(f);

	if (f->dir >= 0 && !keep)
		(void)rm_tree_at(f->all->s->tmp_fd, name, &ignored);
	fd_close(&f->data);
	fd_close(&f->dir);
	hash_free(f->hash);
	f->hash = NULL;
}

static int start_over(struct flow *f, struct err *e)
{
	if (ftruncate(f->data, 0) < 0 || lseek(f->data, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "start the download over");
	hash_free(f->hash);
	f->hash = hash_new(oci_digest_algo(blob(f)->digest));
	f->have = 0;
	f->resumed = false;
	return 0;
}

/* What an earlier attempt left, through the hash. */
static int reread(struct flow *f, struct err *e)
{
	size_t room = 256u << 10;
	auto_free char *p = xmalloc(room);
	ssize_t n;

	while ((n = read_full(f->data, p, room)) > 0) {
		hash_update(f->hash, p, (size_t)n);
		f->have += n;
		if (interrupted())
			return interrupt_check(e);
	}
	return n < 0 ? err_sys(e, (int)-n, "read the first part of the download") : 0;
}

static int open_file(struct flow *f, struct err *e)
{
	struct stat st;

	f->data = openat(f->dir, "data", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (f->data < 0 || fstat(f->data, &st) < 0)
		return err_sys(e, errno, "open the file of the download");
	int r = st.st_size > blob(f)->size ? start_over(f, e) : 0;
	if (r == 0 && !f->hash) {
		f->hash = hash_new(oci_digest_algo(blob(f)->digest));
		r = reread(f, e);
		f->resumed = f->have > 0;
	}
	if (f->resumed)
		log_debug("%s: going on at byte %lld", blob(f)->digest, (long long)f->have);
	return r;
}

/* ---- the end of one ---- */

static void finished(struct flow *f)
{
	f->state = FLOW_DONE;
	f->all->left--;
	proglines_end(f->all->lines, f->i);
}

static int fail(struct flow *f, struct err *e)
{
	if (!f->all->err.code) {
		err_ctx(e, "blob %s", blob(f)->digest);
		(void)err_copy(&f->all->err, e);
	}
	return -e->code;
}

/* All bytes are there: are they the right ones? */
static int complete(struct flow *f, struct err *e)
{
	char hex[HASH_HEX_MAX];

	hash_hex(f->hash, hex);
	if (strcmp(hex, oci_digest_hex(blob(f)->digest)) != 0)
		return err_set(e, ERR_TRUST, EBADMSG, "%s sent other bytes: their digest is %s:%s",
			       place(f)->host, oci_digest_algo(blob(f)->digest), hex);
	int r = f->all->sink->take(f->all->sink->arg, f->i, f->dir, e);
	if (r < 0)
		return r;
	let_go(f, false);
	finished(f);
	return 0;
}

/* ---- one answer ---- */

static int on_begin(void *arg, const struct http_head *h, struct err *e)
{
	struct flow *f = arg;

	f->status = h->status;
	f->retry_after = h->retry_after;
	if (h->status == 206)
		return h->range_from == f->have
			       ? 1
			       : err_set(e, ERR_NET, EPROTO,
					 "the server sent another part than it was asked for");
	if (h->status != 200)
		return 0;
	if (f->have > 0 && start_over(f, e) < 0)
		return -e->code;
	if (h->length > blob(f)->size)
		return err_set(e, ERR_NET, EBADMSG, "%s has %lld bytes of it, not %lld", place(f)->host,
			       (long long)h->length, (long long)blob(f)->size);
	return 1;
}

static int on_body(void *arg, const void *p, size_t n, struct err *e)
{
	struct flow *f = arg;

	if ((int64_t)n > blob(f)->size - f->have)
		return err_set(e, ERR_NET, EBADMSG, "%s sends more than the %lld bytes that it has",
			       place(f)->host, (long long)blob(f)->size);
	int r = write_full(f->data, p, n);
	if (r < 0)
		return err_sys(e, -r, "write the download to the store");
	hash_update(f->hash, p, n);
	f->have += (int64_t)n;
	if (f->have - f->rq.offset >= WORTH_BYTES)
		f->idle = 0;
	proglines_update(f->all->lines, f->i, f->have, blob(f)->size);
	return 0;
}

static void wait_for(struct flow *f, int64_t ms)
{
	f->state = FLOW_IDLE;
	f->not_before = ticks_ms() + ms;
}

/* Somewhere else, or again, or not at all. */
static int another_try(struct flow *f, int r, struct err *e)
{
	bool last = f->place + 1 >= f->all->r->nplaces;

	/* the first part may be of an attempt that went wrong: once more from the start */
	if (r == -EBADMSG && f->resumed) {
		err_clear(e);
		wait_for(f, 0);
		return start_over(f, e);
	}
	if (r == -EAGAIN && ++f->idle < BACKOFF_TRIES && ++f->failed < TRIES_MAX) {
		log_debug("%s; trying again", e->text);
		/* a line that breaks, but brings something, is worth another try at once */
		wait_for(f, f->have > f->rq.offset ? PAUSE_MOVING_MS : backoff_ms(f->idle, f->retry_after));
		return 0;
	}
	if (!registry_next_place(r) || last) {
		if (r == -EBADMSG)
			let_go(f, false);
		return fail(f, e);
	}
	log_debug("%s; trying the next place", e->text);
	f->place++;
	f->idle = f->failed = 0;
	wait_for(f, 0);
	return r == -EBADMSG ? start_over(f, e) : 0;
}

static int judge(struct flow *f, const struct http_head *head, struct err *e)
{
	struct registry_place *p = place(f);

	if (head->status == 401)
		return 401;
	regauth_accepted(&p->auth);
	if (head->status == 416) {
		int r = start_over(f, e);
		return r < 0 ? r : err_set(e, ERR_NET, EAGAIN, "%s has another length of it", p->host);
	}
	if (head->status != 200 && head->status != 206)
		return registry_status_error(p, head->status, NULL, e);
	return f->have < blob(f)->size ? err_set(e, ERR_NET, EAGAIN, "%s ended after %lld of %lld bytes",
						 p->host, (long long)f->have, (long long)blob(f)->size)
				       : 0;
}

/* What was sent has been renewed since, by another blob's answer: no need to ask again. */
static bool stale(const struct flow *f)
{
	char **now = place(f)->auth.lines;

	return now && *now && (!f->credentials || strcmp(*now, f->credentials[0]) != 0);
}

static void on_end(void *arg, int r, const struct http_head *head, const struct err *why)
{
	struct flow *f = arg;
	struct err e = *why;

	if (r == 0)
		r = judge(f, head, &e);
	if (r == 401) {
		r = stale(f) ? 0 : regauth_answer(&place(f)->auth, head, &e);
		if (r == 0) {
			wait_for(f, 0);
			return;
		}
	} else if (r < 0 && registry_fall_back(place(f), r, &e) > 0) {
		wait_for(f, 0);
		return;
	} else if (r == 0) {
		r = complete(f, &e);
		if (r == 0)
			return;
	}
	if (another_try(f, r, &e) < 0)
		(void)fail(f, &e);
}

/* ---- the start of one ---- */

static int send_request(struct flow *f, struct err *e)
{
	struct registry_place *p = place(f);

	free(f->url);
	strv_free(f->credentials);
	f->url = xasprintf("%s/v2/%s/blobs/%s", p->base, f->all->r->repository, blob(f)->digest);
	f->credentials = strv_copy(p->auth.lines);
	f->rq = (struct http_request){
		.url = f->url,
		.credentials = f->credentials,
		.tls = &f->all->r->tls,
		.offset = f->have,
		.begin = on_begin,
		.body = on_body,
		.arg = f,
	};
	f->retry_after = -1;
	f->state = FLOW_MOVING;
	return http_many_start(f->all->many, &f->rq, on_end, e);
}

/* Get hold of the file and ask for what is missing. */
static int start(struct flow *f, struct err *e)
{
	const struct registry_sink *sink = f->all->sink;
	int r = f->dir >= 0 ? 1 : take_lock(f, e);

	if (r == 0 && !f->told)
		log_info("another rkt is fetching %s, waiting for it", blob(f)->digest);
	f->told = f->told || r == 0;
	if (r <= 0) {
		wait_for(f, TURN_MS);
		return r;
	}
	if (f->data < 0) {
		if (sink->have(sink->arg, f->i)) {
			let_go(f, false);
			finished(f);
			return 0;
		}
		r = open_file(f, e);
		if (r < 0)
			return r;
	}
	if (f->have < blob(f)->size)
		return send_request(f, e);
	r = complete(f, e);
	return r < 0 ? another_try(f, r, e) : 0;
}

static int start_some(struct blobs *b)
{
	int64_t now = ticks_ms();
	int moving = 0;

	for (size_t i = 0; i < b->n; i++)
		moving += b->flows[i].state == FLOW_MOVING;
	for (size_t i = 0; i < b->n && moving < SIDE_BY_SIDE; i++) {
		struct flow *f = &b->flows[i];
		struct err e = ERR_INIT;

		if (f->state != FLOW_IDLE || f->not_before > now)
			continue;
		if (start(f, &e) < 0)
			return fail(f, &e);
		moving += f->state == FLOW_MOVING;
	}
	return 0;
}

static void prepare(struct blobs *b)
{
	b->flows = xcalloc(b->n + 1, sizeof(*b->flows));
	for (size_t i = 0; i < b->n; i++) {
		struct flow *f = &b->flows[i];

		*f = (struct flow){ .all = b, .i = i, .dir = FD_NONE, .data = FD_NONE };
		if (b->sink->have(b->sink->arg, i)) {
			f->state = FLOW_DONE;
			continue;
		}
		proglines_add(b->lines, i, oci_digest_hex(b->v[i].digest));
		b->left++;
	}
}

static void release(struct blobs *b)
{
	http_many_free(b->many);
	for (size_t i = 0; i < b->n; i++) {
		struct flow *f = &b->flows[i];

		/* bytes that were not judged wrong are worth going on from */
		let_go(f, f->have > 0);
		free(f->url);
		strv_free(f->credentials);
	}
	free(b->flows);
	proglines_free(b->lines);
}

int registry_blobs(struct registry *r, const struct store *s, const struct registry_blob *v, size_t n,
		   const struct registry_sink *sink, bool quiet, struct err *e)
{
	struct blobs b = { .r = r, .s = s, .v = v, .sink = sink, .n = n, .err = ERR_INIT };
	int result;

	b.many = http_many_new(r->http, e);
	if (!b.many)
		return -e->code;
	b.lines = proglines_new("Downloading", n, quiet);
	prepare(&b);
	do {
		result = start_some(&b);
		if (result == 0 && b.left)
			result = http_many_turn(b.many, TURN_MS, &b.err);
	} while (result >= 0 && b.left && !b.err.code);
	release(&b);
	return b.err.code ? err_copy(e, &b.err) : 0;
}
