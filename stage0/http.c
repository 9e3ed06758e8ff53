/*
 * http — the redirect loop around single transfers.
 */
#include "stage0/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage0/httpauth.h"
#include "stage0/interrupt.h"
#include "version.h"

#define REDIRECTS_MAX 10
#define CONNECT_S     20
#define STALL_S       30
#define STALL_BYTES   128       /* a second */
#define DROPPED_MAX   (1 << 20) /* bytes of a body nobody wants that are read for politeness */
#define RECEIVE_BYTES (256L << 10)

struct http {
	CURL *curl;
	struct http_options o;
	char error[CURL_ERROR_SIZE];
};

/* One transfer under way. */
struct hop {
	const struct http_request *rq;
	struct http_head *head;
	bool begun, take;
	bool complete; /* the header is */
	bool local_ok; /* may connect to link-local addresses: the user's own URL does */
	bool refused;  /* by the address check */
	size_t dropped;
	struct err err; /* of a callback */
};

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

/* ---- callbacks of libcurl ---- */

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct hop *hop = arg;

	n *= size;
	http_head_line(hop->head, p, n);
	hop->complete = n <= 2 && p[0] != ' '; /* the empty line */
	return n;
}

/* Tell the caller about the answer, once, unless it only leads elsewhere. */
static int begin(struct hop *hop)
{
	if (hop->begun || http_head_redirects(hop->head))
		return 0;
	hop->begun = true;
	int r = hop->rq->begin(hop->rq->arg, hop->head, &hop->err);
	hop->take = r > 0;
	return r < 0 ? r : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct hop *hop = arg;

	n *= size;
	if (begin(hop) < 0)
		return 0;
	if (!hop->take) {
		hop->dropped += n;
		return hop->dropped > DROPPED_MAX ? 0 : n;
	}
	return hop->rq->body(hop->rq->arg, p, n, &hop->err) < 0 ? 0 : n;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct hop *hop = arg;

	(void)up_total;
	(void)up_now;
	if (interrupt_check(&hop->err) < 0)
		return 1;
	if (hop->take && hop->rq->progress)
		hop->rq->progress(hop->rq->arg, now, total);
	return 0;
}

/* The address is known, nothing has been sent. */
static int on_connected(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct hop *hop = arg;

	(void)local_ip;
	(void)port;
	(void)local_port;
	if (hop->local_ok || !http_address_link_local(ip))
		return CURL_PREREQFUNC_OK;
	hop->refused = true;
	return CURL_PREREQFUNC_ABORT;
}

/* ---- one hop ---- */

static void set_options(struct http *h, struct hop *hop, const struct http_url *u, struct curl_slist *headers)
{
	CURL *c = h->curl;

	curl_easy_reset(c); /* keeps connections */
	curl_easy_setopt(c, CURLOPT_URL, u->text);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "rkt/" RKT_VERSION);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(h->o.stall_s ? h->o.stall_s : STALL_S));
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, h->o.insecure_tls ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, h->o.insecure_tls ? 0L : 2L);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->error);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, hop);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, hop);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, hop);
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, hop);
}

static struct curl_slist *build_headers(const struct http *h, const struct http_request *rq,
					const struct http_url *u, bool credentials)
{
	struct curl_slist *list = NULL;
	auto_strv lines = credentials ? http_auth_headers(h->o.config, u, time(NULL)) : NULL;

	if (rq->if_none_match)
		strv_pushf(&lines, "If-None-Match: %s", rq->if_none_match);
	if (rq->offset > 0)
		strv_pushf(&lines, "Range: bytes=%lld-", (long long)rq->offset);
	if (rq->offset > 0 && rq->if_range)
		strv_pushf(&lines, "If-Range: %s", rq->if_range);
	for (char **l = lines; l && *l; l++)
		list = curl_slist_append(list, *l);
	return list;
}

/* Failures that another attempt may cure. */
static bool transient(CURLcode c)
{
	static const CURLcode codes[] = {
		CURLE_PARTIAL_FILE, CURLE_OPERATION_TIMEDOUT, CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,   CURLE_RECV_ERROR,         CURLE_HTTP2,
		CURLE_HTTP2_STREAM,
	};
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (c == codes[i])
			return true;
	}
	return false;
}

static int judge(struct http *h, const struct hop *hop, CURLcode c, struct err *e)
{
	if (hop->err.code)
		return err_copy(e, &hop->err);
	if (c == CURLE_OK || (c == CURLE_WRITE_ERROR && !hop->take))
		return 0;
	/* An answer whose body nobody wants is complete with its header. */
	if (hop->complete && hop->head->status >= 300 && !hop->take)
		return 0;
	if (hop->refused)
		return err_set(e, ERR_NET, EPERM, "redirection to a link-local address refused");
	const char *why = h->error[0] ? h->error : curl_easy_strerror(c);
	return err_set(e, ERR_NET, transient(c) ? EAGAIN : EIO, "%s", why);
}

static int run_hop(struct http *h, const struct http_request *rq, const struct http_url *u, bool credentials,
		   bool first, struct http_head *head, struct err *e)
{
	struct hop hop = { .rq = rq, .head = head, .local_ok = first };
	struct curl_slist *headers = build_headers(h, rq, u, credentials);

	set_options(h, &hop, u, headers);
	h->error[0] = '\0';
	CURLcode c = curl_easy_perform(h->curl);
	curl_slist_free_all(headers);
	int r = judge(h, &hop, c, e);
	/* No body: the caller has not heard of it yet. */
	if (r >= 0 && begin(&hop) < 0)
		r = err_copy(e, &hop.err);
	return r;
}

/* Where a redirection leads, if it may. */
static int next_url(const struct http_url *at, const struct http_head *head, struct http_url *ret,
		    struct err *e)
{
	int r = http_url_parse(at->text, head->location, ret, e);

	if (r < 0)
		return err_ctx(e, "redirection refused");
	if (strcasecmp(at->scheme, "https") == 0 && strcasecmp(ret->scheme, "https") != 0)
		r = err_set(e, ERR_NET, EPERM, "redirection from https to http refused: \"%s\"", ret->text);
	else if (http_address_link_local(ret->host) && !http_address_link_local(at->host))
		r = err_set(e, ERR_NET, EPERM, "redirection to a link-local address refused: \"%s\"",
			    ret->text);
	if (r < 0)
		http_url_done(ret);
	return r;
}

int http_get(struct http *h, const struct http_request *rq, struct http_head *ret, struct err *e)
{
	struct http_url at = { 0 }, next = { 0 };
	bool credentials = true;
	int r = http_url_parse(NULL, rq->url, &at, e);

	for (int hops = 0; r >= 0; hops++) {
		http_head_init(ret);
		r = run_hop(h, rq, &at, credentials, hops == 0, ret, e);
		if (r < 0 || !http_head_redirects(ret))
			break;
		if (hops == REDIRECTS_MAX)
			r = err_set(e, ERR_NET, ELOOP, "more than %d redirections", REDIRECTS_MAX);
		if (r >= 0)
			r = next_url(&at, ret, &next, e);
		http_head_done(ret);
		if (r < 0)
			break;
		log_debug("redirected to \"%s\"", next.text);
		credentials = credentials && http_url_same_origin(&at, &next);
		http_url_done(&at);
		at = next;
		next = (struct http_url){ 0 };
	}
	http_url_done(&at);
	if (r < 0)
		http_head_done(ret);
	return r;
}

/* ---- small documents ---- */

struct small {
	struct buf *out;
	size_t max;
};

static int small_begin(void *arg, const struct http_head *h, struct err *e)
{
	(void)arg;
	(void)e;
	return h->status == 200;
}

static int small_body(void *arg, const void *p, size_t n, struct err *e)
{
	struct small *s = arg;

	if (n > s->max - s->out->len)
		return err_set(e, ERR_NET, EFBIG, "answer is larger than %zu bytes", s->max);
	buf_add(s->out, p, n);
	return 0;
}

int http_get_small(struct http *h, const char *url, size_t max, struct http_head *ret, struct buf *out,
		   struct err *e)
{
	struct small s = { out, max };
	const struct http_request rq = { .url = url, .begin = small_begin, .body = small_body, .arg = &s };
	int r = -EAGAIN;

	for (int attempt = 0; r == -EAGAIN && attempt < 3; attempt++) {
		buf_clear(out);
		err_clear(e);
		r = http_get(h, &rq, ret, e);
	}
	return r;
}
