/*
 * http — one GET over libcurl, redirects included (threats.md R28, T37).
 *
 * Redirects are followed here and not by the library, hop by hop: at most ten, never from https to
 * http, never to another scheme, to credentials in the URL or to link-local addresses.
 * Credentials of the configuration go to the origin (scheme, host, port) of the URL that the user
 * gave and only over https; after the first step to another origin none are sent any more, also
 * not on the way back.  Proxies come from the environment, as libcurl reads it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "stage0/config.h"
#include "stage0/httphead.h"

struct http; /* opaque: a connection cache and what is the same for every request */

struct http_options {
	const struct config *config; /* credentials; NULL: never any */
	bool insecure_tls;           /* take any certificate */
	int stall_s;                 /* seconds below 128 bytes/s before giving up; 0 = 30 */
};

/* Trust of one registry; paths, each may be NULL. */
struct http_tls {
	const char *ca_file, *cert, *key;
};

struct http_request {
	const char *url;
	const char *method;   /* NULL: GET */
	char *const *headers; /* strv: sent with every hop; or NULL */
	char *const *
		credentials; /* strv: header lines instead of the configuration's, under the same rules; or NULL */
	const struct http_tls *tls; /* only for the origin of @url; or NULL */
	const void *data;           /* body to send, or NULL */
	int data_fd;                /* with @data NULL and @data_size: the body, from @data_offset */
	int64_t data_offset, data_size;
	int64_t linger_ms;         /* after a signal that asks us to stop, it may still take so long to end */
	const char *if_none_match; /* or NULL */
	int64_t offset;            /* > 0: ask for the rest from this byte */
	const char *if_range;      /* with @offset: ETag or date, or NULL */
	/* Called once for the answer that is not a redirection, before its body: 1 take the body,
	 * 0 drop it, -errno with @e stop. */
	int (*begin)(void *arg, const struct http_head *h, struct err *e);
	int (*body)(void *arg, const void *p, size_t n, struct err *e); /* 0, or -errno with @e */
	void (*progress)(void *arg, int64_t now,
			 int64_t total); /* of this answer; total 0 unknown; may be NULL */
	void *arg;
};

struct http *http_new(const struct http_options *o, struct err *e);
void http_free(struct http *h);
void http_freep(struct http **h);
#define auto_http __attribute__((cleanup(http_freep))) struct http

/*
 * Perform; *ret (to be done with http_head_done) describes the last answer.  0 when it came completely, whatever
 * its status.  Errors: -EAGAIN the connection broke or stalled, trying again may help; -EPERM the URL or a
 * redirection is refused; -EPROTO the peer does not speak TLS as it should; -ENOTCONN there is no connection at all;
 * -EINTR; else the callback's or what libcurl could not do.
 */
int http_get(struct http *h, const struct http_request *rq, struct http_head *ret, struct err *e);

/*
 * A request whose answer is small, into memory: @rq without callbacks; the body of an error is cut at @max, any other
 * above it is -EFBIG.  Broken connections are tried again twice, unless something was sent.
 */
int http_fetch(struct http *h, const struct http_request *rq, size_t max, struct http_head *ret,
	       struct buf *out, struct err *e);
/* A small document into memory: 0 and *ret, or like http_get; -EFBIG above @max. */
int http_get_small(struct http *h, const char *url, size_t max, struct http_head *ret, struct buf *out,
		   struct err *e);

/* ---- several at once ---- */

struct http_many; /* opaque */

/* Transfers of @h side by side; @h outlives it.  NULL and @e. */
struct http_many *http_many_new(struct http *h, struct err *e);
/* Ends what is under way, without calling anybody. */
void http_many_free(struct http_many *m);
/* Called when a transfer ended: @r as http_get returns, @head and @e borrowed; may start another. */
typedef void http_ended(void *arg, int r, const struct http_head *head, const struct err *e);
/* Start one.  @rq and what it points to stay until @ended was called with @rq->arg. */
int http_many_start(struct http_many *m, const struct http_request *rq, http_ended *ended, struct err *e);
/* Move bytes until something ended or @ms have passed; how many are under way, or -errno. */
int http_many_turn(struct http_many *m, int ms, struct err *e);
