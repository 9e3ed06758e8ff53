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

struct http_request {
	const char *url;
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
 * redirection is refused; -EINTR; else the callback's or what libcurl could not do.
 */
int http_get(struct http *h, const struct http_request *rq, struct http_head *ret, struct err *e);

/* A small document into memory: 0 and *ret, or like http_get; -EFBIG above @max. */
int http_get_small(struct http *h, const char *url, size_t max, struct http_head *ret, struct buf *out,
		   struct err *e);
