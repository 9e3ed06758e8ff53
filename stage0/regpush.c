/*
 * regpush — sending to a registry; see registry.h and formats.md section 13.
 *
 * An upload has an address of its own, which the registry tells and may change with each answer.  Ours must stay with the registry: what we may do
 * there, nobody else is told.  It is noted before each piece, so that whoever sends this blob next can ask how far it came.
 */
#include "stage0/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/ticks.h"
#include "stage0/backoff.h"
#include "stage0/interrupt.h"
#include "stage0/uploadnote.h"

/* A piece takes about a second, from the second one on. */
#define PIECE_BYTES (16 << 20)
#define PIECE_MIN   (8 << 20)
#define PIECE_MAX   (256 << 20)
#define PIECE_MS    1000
#define LINGER_MS   3000 /* so long it may still take when a signal asks us to stop */
#define ANSWER_MAX  (64u << 10)
#define NOTED_BYTES (1 << 20) /* what is smaller is as well sent anew */

/* One upload under way. */
struct upload {
	struct registry *r;
	const struct registry_upload *b;
	char *path; /* where it goes on, below the base of the place */
	struct upload_note note;
	int64_t have, piece;   /* bytes */
	struct http_head head; /* of the last answer */
	struct buf body;
};

/* The registry itself: mirrors take nothing. */
static struct registry_place *place(const struct registry *r)
{
	return &r->places[r->nplaces - 1];
}

static int ask(struct upload *u, const struct http_request *like, const char *path, struct err *e)
{
	return registry_ask(u->r, place(u->r), like, path, ANSWER_MAX, &u->head, &u->body, e);
}

static int unexpected(const struct upload *u, struct err *e)
{
	return registry_status_error(place(u->r), u->head.status, &u->body, e);
}

static int take_location(struct upload *u, struct err *e)
{
	const char *base = place(u->r)->base, *to = u->head.location;
	size_t n = strlen(base);

	if (to && strncmp(to, base, n) == 0)
		to += n;
	if (!to || !upload_location_valid(to))
		return err_set(e, ERR_NET, EPROTO, "%s wants the upload at another place", place(u->r)->host);
	free(u->path);
	u->path = xstrdup(to);
	upload_note_put(&u->note, u->path);
	return 0;
}

static int is_there(struct upload *u, struct err *e)
{
	const struct http_request rq = { .method = "HEAD" };
	auto_free char *path = xasprintf("/v2/%s/blobs/%s", u->r->repository, u->b->digest);
	int r = ask(u, &rq, path, e);

	return r < 0 ? r : u->head.status == 200;
}

/* 1 it was mounted from another repository, 0 an upload has begun. */
static int begin(struct upload *u, const char *from, struct err *e)
{
	const struct http_request rq = { .method = "POST", .data = "", .data_size = 0 };
	auto_free char *path = from ? xasprintf("/v2/%s/blobs/uploads/?mount=%s&from=%s", u->r->repository,
						u->b->digest, from)
				    : xasprintf("/v2/%s/blobs/uploads/", u->r->repository);
	int r = ask(u, &rq, path, e);

	if (r < 0)
		return r;
	if (u->head.status == 201)
		return 1;
	if (u->head.status != 202)
		return unexpected(u, e);
	u->have = 0;
	return take_location(u, e);
}

/* Each costs the registry some 25 ms beside its bytes; some registries lose one that is broken off, or all of the upload. */
static int64_t next_piece(int64_t size, int64_t ms)
{
	if (ms < PIECE_MS / 2)
		return size * 2 < PIECE_MAX ? size * 2 : PIECE_MAX;
	return ms <= PIECE_MS * 2 ? size : size / 2 > PIECE_MIN ? size / 2 : PIECE_MIN;
}

/* One piece. */
static int send_piece(struct upload *u, struct err *e)
{
	const int64_t left = u->b->size - u->have, n = left < u->piece ? left : u->piece, began = ticks_ms();
	auto_strv headers = NULL;

	strv_push(&headers, "Content-Type: application/octet-stream");
	strv_pushf(&headers, "Content-Range: %lld-%lld", (long long)u->have, (long long)(u->have + n - 1));
	const struct http_request rq = { .method = "PATCH",
					 .headers = headers,
					 .data_fd = u->b->fd,
					 .data_offset = u->have,
					 .data_size = n,
					 .linger_ms = LINGER_MS };
	int r = ask(u, &rq, u->path, e);
	if (r < 0)
		return r;
	/* it knows nothing of the upload any more, or has another part of it than we think */
	if (u->head.status == 404 || u->head.status == 416)
		return unexpected(u, e), -EAGAIN;
	if (u->head.status != 202)
		return unexpected(u, e);
	u->have += n;
	u->piece = next_piece(u->piece, ticks_ms() - began);
	return take_location(u, e);
}

/* How far did it come?  1 and u->have, 0 nobody can say. */
static int ask_how_far(struct upload *u, struct err *e)
{
	const struct http_request rq = { .method = NULL };
	int r = ask(u, &rq, u->path, e);

	if (r < 0)
		return r;
	/* "0-0" stands for nothing as well as for one byte */
	if (u->head.status != 204 || u->head.range_last >= u->b->size)
		return 0;
	u->have = u->head.range_last > 0 ? u->head.range_last + 1 : 0;
	r = take_location(u, e);
	return r < 0 ? r : 1;
}

/* The connection broke.  From the start if nobody can say how far it came. */
static int go_on(struct upload *u, struct err *e)
{
	int r = ask_how_far(u, e);

	return r < 0 ? r : r > 0 ? 0 : begin(u, NULL, e);
}

/* Where an earlier process left off: 1 there, 0 there is no such place any more. */
static int take_up(struct upload *u, struct err *e)
{
	int r = u->path ? ask_how_far(u, e) : 0;

	if (r < 0 && r != -EINTR) {
		log_debug("%s; starting from the first byte", e->text);
		err_clear(e);
		r = 0;
	}
	if (r > 0 && u->have > 0)
		log_info("%.19s: going on after %lld of %lld bytes", u->b->digest, (long long)u->have,
			 (long long)u->b->size);
	return r > 0 ? u->have > 0 : r;
}

static int finish(struct upload *u, struct err *e)
{
	const struct http_request rq = { .method = "PUT", .data = "", .data_size = 0 };
	auto_free char *path = xasprintf("%s%cdigest=%s", u->path, strchr(u->path, '?') ? '&' : '?',
					 u->b->digest);
	int r = ask(u, &rq, path, e);

	return r < 0 ? r : u->head.status == 201 ? 0 : unexpected(u, e);
}

static int send_all(struct upload *u, struct err *e)
{
	int64_t best = 0;
	int failed = 0, r = 0;

	while (r >= 0 && u->have < u->b->size) {
		r = send_piece(u, e);
		if (r == -EAGAIN && ++failed < BACKOFF_TRIES) {
			log_debug("%s; trying again", e->text);
			err_clear(e);
			r = backoff_wait(backoff_ms(failed, -1), e);
			if (r == 0)
				r = go_on(u, e);
			if (r > 0)
				return 0; /* it was there after all */
		} else if (u->have > best) {
			best = u->have;
			failed = 0;
		}
		if (r >= 0)
			r = interrupt_check(e);
	}
	return r < 0 ? r : finish(u, e);
}

/* Of what an earlier process has sent, only the registry knows whether it is right: else all of it once more. */
static int send_rest(struct upload *u, const char *from, struct err *e)
{
	int r = take_up(u, e);

	if (r > 0) {
		r = send_all(u, e);
		if (r != -EPROTO && r != -ENOENT)
			return r;
		log_debug("%s; starting from the first byte", e->text);
		err_clear(e);
		r = 0;
	}
	if (r == 0)
		r = begin(u, from, e);
	return r == 0 ? send_all(u, e) : r;
}

int registry_push_blob(struct registry *r, const struct store *s, const struct registry_upload *b,
		       const char *from, bool *sent, struct err *e)
{
	struct upload u = {
		.r = r, .b = b, .piece = PIECE_BYTES, .body = BUF_INIT, .note = { .dir = FD_NONE }
	};
	int result = 0;

	http_head_init(&u.head);
	*sent = false;
	if (b->size >= NOTED_BYTES)
		result = upload_note_open(&u.note, s, r->host, r->repository, b->digest, &u.path, e);
	if (result == 0)
		result = is_there(&u, e);
	if (result == 0) {
		result = send_rest(&u, from, e);
		*sent = result == 0;
	}
	upload_note_close(&u.note, result < 0 && u.path);
	free(u.path);
	http_head_done(&u.head);
	buf_done(&u.body);
	return result < 0 ? err_ctx(e, "blob %s", b->digest) : 0;
}

int registry_push_manifest(struct registry *r, const char *reference, const char *media_type,
			   const char *text, size_t len, struct err *e)
{
	auto_free char *path = xasprintf("/v2/%s/manifests/%s", r->repository, reference);
	struct upload u = { .r = r, .body = BUF_INIT, .note = { .dir = FD_NONE } };
	auto_strv headers = NULL;

	strv_pushf(&headers, "Content-Type: %s", media_type);
	const struct http_request rq = {
		.method = "PUT", .headers = headers, .data = text, .data_size = (int64_t)len
	};
	http_head_init(&u.head);
	int result = ask(&u, &rq, path, e);
	if (result == 0 && u.head.status != 201 && u.head.status != 200)
		result = unexpected(&u, e);
	http_head_done(&u.head);
	buf_done(&u.body);
	return result < 0 ? err_ctx(e, "manifest %s", reference) : 0;
}
