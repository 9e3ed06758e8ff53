/*
 * regpush — sending to a registry; see registry.h and formats.md section 13.
 *
 * An upload has an address of its own, which the registry tells and may change with each answer.  Ours must stay with the registry: what we may do
 * there, nobody else is told.
 */
#include "stage0/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage0/backoff.h"
#include "stage0/interrupt.h"

#define PIECE_BYTES (16 << 20)
#define ANSWER_MAX  (64u << 10)

/* One upload under way. */
struct upload {
	struct registry *r;
	const struct registry_upload *b;
	char *path; /* where it goes on, below the base of the place */
	int64_t have;
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
	if (!to || *to != '/' || to[1] == '/')
		return err_set(e, ERR_NET, EPROTO, "%s wants the upload at another place", place(u->r)->host);
	free(u->path);
	u->path = xstrdup(to);
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

/* One piece. */
static int send_piece(struct upload *u, struct err *e)
{
	int64_t left = u->b->size - u->have, n = left < PIECE_BYTES ? left : PIECE_BYTES;
	auto_strv headers = NULL;

	strv_push(&headers, "Content-Type: application/octet-stream");
	strv_pushf(&headers, "Content-Range: %lld-%lld", (long long)u->have, (long long)(u->have + n - 1));
	const struct http_request rq = { .method = "PATCH",
					 .headers = headers,
					 .data_fd = u->b->fd,
					 .data_offset = u->have,
					 .data_size = n };
	int r = ask(u, &rq, u->path, e);
	if (r < 0)
		return r;
	/* it knows nothing of the upload any more, or has another part of it than we think */
	if (u->head.status == 404 || u->head.status == 416)
		return unexpected(u, e), -EAGAIN;
	if (u->head.status != 202)
		return unexpected(u, e);
	u->have += n;
	return take_location(u, e);
}

/* The connection broke: how far did it come?  From the start if nobody can say. */
static int go_on(struct upload *u, struct err *e)
{
	const struct http_request rq = { .method = NULL };
	int r = ask(u, &rq, u->path, e);

	if (r < 0)
		return r;
	/* "0-0" stands for nothing as well as for one byte */
	if (u->head.status == 204 && u->head.range_last < u->b->size) {
		u->have = u->head.range_last > 0 ? u->head.range_last + 1 : 0;
		return take_location(u, e);
	}
	return begin(u, NULL, e);
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

int registry_push_blob(struct registry *r, const struct registry_upload *b, const char *from, bool *sent,
		       struct err *e)
{
	struct upload u = { .r = r, .b = b, .body = BUF_INIT };

	http_head_init(&u.head);
	*sent = false;
	int result = is_there(&u, e);
	if (result == 0)
		result = begin(&u, from, e);
	if (result == 0) {
		*sent = true;
		result = send_all(&u, e);
	}
	free(u.path);
	http_head_done(&u.head);
	buf_done(&u.body);
	return result < 0 ? err_ctx(e, "blob %s", b->digest) : 0;
}

int registry_push_manifest(struct registry *r, const char *reference, const char *media_type,
			   const char *text, size_t len, struct err *e)
{
	auto_free char *path = xasprintf("/v2/%s/manifests/%s", r->repository, reference);
	struct upload u = { .r = r, .body = BUF_INIT };
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
