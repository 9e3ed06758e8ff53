/*
 * httphop — see httphop.h and, for the rules, http.h.
 */
#include "stage0/httphop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/ticks.h"
#include "stage0/interrupt.h"
#include "version.h"

#define REDIRECTS_MAX 10
#define CONNECT_S     20
#define STALL_S       30
#define STALL_BYTES   128       /* a second */
#define DROPPED_MAX   (1 << 20) /* bytes of a body nobody wants that are read for politeness */
#define RECEIVE_BYTES (256L << 10)

/* ---- callbacks of libcurl ---- */

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct http_hop *hop = arg;

	n *= size;
	http_head_line(hop->head, p, n);
	hop->complete = n <= 2 && p[0] != ' '; /* the empty line */
	return n;
}

/* Tell the caller about the answer, once, unless it only leads elsewhere. */
static int begin(struct http_hop *hop)
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
	struct http_hop *hop = arg;

	n *= size;
	if (begin(hop) < 0)
		return 0;
	if (!hop->take) {
		hop->dropped += n;
		return hop->dropped > DROPPED_MAX ? 0 : n;
	}
	return hop->rq->body(hop->rq->arg, p, n, &hop->err) < 0 ? 0 : n;
}

/* A signal came, but it may come to its end yet. */
static bool lingers(struct http_hop *hop)
{
	if (!interrupted() || hop->rq->linger_ms <= 0)
		return false;
	const int64_t now = ticks_ms();
	if (!hop->give_up)
		hop->give_up = now + hop->rq->linger_ms;
	return now < hop->give_up;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct http_hop *hop = arg;

	(void)up_total;
	(void)up_now;
	if (!lingers(hop) && interrupt_check(&hop->err) < 0)
		return 1;
	if (hop->take && hop->rq->progress)
		hop->rq->progress(hop->rq->arg, now, total);
	return 0;
}

/* The address is known, nothing has been sent.  The user may name a link-local one, a server may not. */
static int on_connected(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct http_hop *hop = arg;

	(void)local_ip;
	(void)port;
	(void)local_port;
	if (hop->hops == 0 || !http_address_link_local(ip))
		return CURL_PREREQFUNC_OK;
	hop->refused = true;
	return CURL_PREREQFUNC_ABORT;
}

/* The body to send, from memory or from a file. */
static size_t on_send(char *p, size_t size, size_t n, void *arg)
{
	struct http_hop *hop = arg;
	const struct http_request *rq = hop->rq;
	size_t left = (size_t)(rq->data_size - hop->sent);

	n = size * n < left ? size * n : left;
	if (rq->data) {
		memcpy(p, (const char *)rq->data + hop->sent, n);
	} else if (n > 0) {
		ssize_t got = pread(rq->data_fd, p, n, rq->data_offset + hop->sent);

		if (got <= 0) {
			err_sys(&hop->err, got < 0 ? errno : EIO, "read what is to be sent");
			return CURL_READFUNC_ABORT;
		}
		n = (size_t)got;
	}
	hop->sent += (int64_t)n;
	return n;
}

/* libcurl goes back when a connection that it used again turns out to be dead. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_hop *hop = arg;

	if (origin != SEEK_SET || offset < 0 || offset > hop->rq->data_size)
		return CURL_SEEKFUNC_FAIL;
	hop->sent = offset;
	return CURL_SEEKFUNC_OK;
}

/* ---- one hop ---- */

static void set_callbacks(struct http_hop *p)
{
	CURL *c = p->curl;

	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->error);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, p);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, p);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, p);
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, p);
}

static void set_tls(struct http_hop *p)
{
	const struct http_tls *t = p->origin ? p->rq->tls : NULL;
	CURL *c = p->curl;

	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, p->h->o.insecure_tls ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, p->h->o.insecure_tls ? 0L : 2L);
	if (t && t->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, t->ca_file);
	if (t && t->cert)
		curl_easy_setopt(c, CURLOPT_SSLCERT, t->cert);
	if (t && t->key)
		curl_easy_setopt(c, CURLOPT_SSLKEY, t->key);
}

/* GET, or another method, which is never sent on to where a redirection leads. */
static void set_method(struct http_hop *p)
{
	const struct http_request *rq = p->rq;
	CURL *c = p->curl;

	if (!rq->method)
		return;
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, rq->method);
	if (strcmp(rq->method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_send);
	curl_easy_setopt(c, CURLOPT_READDATA, p);
	curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(c, CURLOPT_SEEKDATA, p);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rq->data_size);
}

static void set_options(struct http_hop *p)
{
	CURL *c = p->curl;

	curl_easy_reset(c); /* keeps connections */
	curl_easy_setopt(c, CURLOPT_URL, p->at.text);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "rkt/" RKT_VERSION);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, p->headers);
	curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(p->h->o.stall_s ? p->h->o.stall_s : STALL_S));
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
	set_tls(p);
	set_method(p);
	set_callbacks(p);
}

/* Credentials never travel in clear, whoever asks for it. */
static char **credential_lines(const struct http_hop *p)
{
	if (!p->credentials)
		return NULL;
	if (!p->rq->credentials)
		return http_auth_headers(p->h->o.config, &p->at, time(NULL));
	return strcasecmp(p->at.scheme, "https") == 0 ? strv_copy(p->rq->credentials) : NULL;
}

static void build_headers(struct http_hop *p)
{
	const struct http_request *rq = p->rq;
	auto_strv lines = credential_lines(p);

	strv_push_all(&lines, rq->headers);
	if (rq->if_none_match)
		strv_pushf(&lines, "If-None-Match: %s", rq->if_none_match);
	if (rq->offset > 0)
		strv_pushf(&lines, "Range: bytes=%lld-", (long long)rq->offset);
	if (rq->offset > 0 && rq->if_range)
		strv_pushf(&lines, "If-Range: %s", rq->if_range);
	if (rq->method)
		strv_push(&lines, "Expect:"); /* no waiting for 100 */
	curl_slist_free_all(p->headers);
	p->headers = NULL;
	for (char **l = lines; l && *l; l++)
		p->headers = curl_slist_append(p->headers, *l);
}

static void prepare(struct http_hop *p)
{
	p->begun = p->take = p->complete = p->refused = false;
	p->dropped = 0;
	p->sent = 0;
	p->error[0] = '\0';
	http_head_init(p->head);
	build_headers(p);
	set_options(p);
}

/* What an error of libcurl means to callers. */
static int meaning(CURLcode c)
{
	static const struct {
		CURLcode c;
		int error;
	} map[] = {
		{ CURLE_PARTIAL_FILE, EAGAIN },      { CURLE_OPERATION_TIMEDOUT, EAGAIN },
		{ CURLE_GOT_NOTHING, EAGAIN },       { CURLE_SEND_ERROR, EAGAIN },
		{ CURLE_RECV_ERROR, EAGAIN },        { CURLE_HTTP2, EAGAIN },
		{ CURLE_HTTP2_STREAM, EAGAIN },      { CURLE_SSL_CONNECT_ERROR, EPROTO },
		{ CURLE_COULDNT_CONNECT, ENOTCONN }, { CURLE_COULDNT_RESOLVE_HOST, ENOTCONN },
	};
	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		if (c == map[i].c)
			return map[i].error;
	}
	return EIO;
}

/* What libcurl says last counts, but for what it says when a connection has gone before it could ask for the addresses: that
 * is no reason, and comes before the reason or without one. */
static const char *reason(const struct http_hop *hop, CURLcode c)
{
	static const char *const beside[] = { "getpeername() failed", "getsockname() failed" };

	for (size_t i = 0; i < ARRAY_LEN(beside); i++)
		if (strncmp(hop->error, beside[i], strlen(beside[i])) == 0)
			return curl_easy_strerror(c);
	return hop->error[0] ? hop->error : curl_easy_strerror(c);
}

static int judge(const struct http_hop *hop, CURLcode c, struct err *e)
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
	return err_set(e, ERR_NET, meaning(c), "%s", reason(hop, c));
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

/* To where the answer leads, if there are not too many of these. */
static int follow(struct http_hop *p, struct err *e)
{
	struct http_url next = { 0 };
	int r = 0;

	if (p->rq->method && strcmp(p->rq->method, "HEAD") != 0)
		r = err_set(e, ERR_NET, EPERM, "the answer to %s is a redirection", p->rq->method);
	else if (p->hops == REDIRECTS_MAX)
		r = err_set(e, ERR_NET, ELOOP, "more than %d redirections", REDIRECTS_MAX);
	if (r == 0)
		r = next_url(&p->at, p->head, &next, e);
	http_head_done(p->head);
	if (r < 0)
		return r;
	log_debug("redirected to \"%s\"", next.text);
	p->origin = p->origin && http_url_same_origin(&p->at, &next);
	p->credentials = p->credentials && p->origin;
	p->hops++;
	http_url_done(&p->at);
	p->at = next;
	prepare(p);
	return 1;
}

int http_hop_start(struct http_hop *p, const struct http *h, CURL *curl, const struct http_request *rq,
		   struct http_head *head, struct err *e)
{
	*p = (struct http_hop){
		.h = h, .curl = curl, .rq = rq, .head = head, .credentials = true, .origin = true
	};
	http_head_init(head);
	int r = http_url_parse(NULL, rq->url, &p->at, e);
	if (r == 0)
		prepare(p);
	return r;
}

int http_hop_next(struct http_hop *p, CURLcode c, struct err *e)
{
	int r = judge(p, c, e);

	if (r == 0 && http_head_redirects(p->head))
		return follow(p, e);
	/* No body: the caller has not heard of it yet. */
	if (r == 0 && begin(p) < 0)
		r = err_copy(e, &p->err);
	return r;
}

void http_hop_done(struct http_hop *p)
{
	http_url_done(&p->at);
	curl_slist_free_all(p->headers);
	p->headers = NULL;
}
