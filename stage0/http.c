/*
 * http — sessions, and one request at a time; httphop has what happens to each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage0/httphop.h"

struct http *http_new(const struct http_options *o, struct err *e)
{
	struct http *h;

	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		err_set(e, ERR_SYS, EIO, "initialise libcurl");
		return NULL;
	}
	h = xcalloc(1, sizeof(*h));
	h->o = *o;
	h->curl = curl_easy_init();
	if (!h->curl) {
		free(h);
		err_set(e, ERR_SYS, EIO, "initialise libcurl");
		return NULL;
	}
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	curl_global_cleanup();
	free(h);
}

void http_freep(struct http **h)
{
	http_free(*h);
}

int http_get(struct http *h, const struct http_request *rq, struct http_head *ret, struct err *e)
{
	struct http_hop hop;
	int r = http_hop_start(&hop, h, h->curl, rq, ret, e);

	if (r == 0) {
		do
			r = http_hop_next(&hop, curl_easy_perform(h->curl), e);
		while (r > 0);
	}
	http_hop_done(&hop);
	if (r < 0)
		http_head_done(ret);
	return r;
}

/* ---- small documents ---- */

struct small {
	struct buf *out;
	size_t max;
	bool errors, cut; /* take the body of errors; of this one, so cut it */
};

static int small_begin(void *arg, const struct http_head *h, struct err *e)
{
	struct small *s = arg;

	(void)e;
	s->cut = h->status >= 400;
	return s->errors ? 1 : h->status == 200;
}

static int small_body(void *arg, const void *p, size_t n, struct err *e)
{
	struct small *s = arg;
	size_t room = s->max - s->out->len;

	if (n > room && !s->cut)
		return err_set(e, ERR_NET, EFBIG, "answer is larger than %zu bytes", s->max);
	buf_add(s->out, p, n < room ? n : room);
	return 0;
}

static int fetch_small(struct http *h, struct http_request *rq, struct small *s, struct http_head *ret,
		       struct err *e)
{
	int r = -EAGAIN;

	rq->begin = small_begin;
	rq->body = small_body;
	rq->arg = s;
	for (int attempt = 0; r == -EAGAIN && attempt < (rq->method ? 1 : 3); attempt++) {
		buf_clear(s->out);
		err_clear(e);
		r = http_get(h, rq, ret, e);
	}
	return r;
}

int http_fetch(struct http *h, const struct http_request *rq, size_t max, struct http_head *ret,
	       struct buf *out, struct err *e)
{
	struct http_request own = *rq;
	struct small s = { .out = out, .max = max, .errors = true };

	return fetch_small(h, &own, &s, ret, e);
}

int http_get_small(struct http *h, const char *url, size_t max, struct http_head *ret, struct buf *out,
		   struct err *e)
{
	struct http_request rq = { .url = url };
	struct small s = { .out = out, .max = max };

	return fetch_small(h, &rq, &s, ret, e);
}
