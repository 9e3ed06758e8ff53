/*
 * httphop — one request on its way along redirections, whoever drives the transfers.  Internal to http.
 */
#pragma once

#include <curl/curl.h>

#include "stage0/http.h"
#include "stage0/httpauth.h"

struct http {
	CURL *curl; /* for one at a time; keeps its connections */
	struct http_options o;
};

struct http_hop {
	const struct http *h;
	CURL *curl; /* borrowed; configured for the hop that comes next */
	const struct http_request *rq;
	struct http_head *head;
	struct http_url at;
	struct curl_slist *headers;
	bool credentials; /* may this hop carry them? */
	bool origin;      /* of the request's own URL? */
	int hops;
	/* of the answer under way */
	bool begun, take;
	bool complete; /* the header is */
	bool refused;  /* by the address check */
	size_t dropped;
	int64_t sent;    /* bytes of the body */
	int64_t give_up; /* monotonic ms, when a signal came and the request may linger */
	char error[CURL_ERROR_SIZE];
	struct err err; /* of a callback */
};

/* Configure @curl for the first hop of @rq; the answers go to @head.  http_hop_done in any case. */
int http_hop_start(struct http_hop *p, const struct http *h, CURL *curl, const struct http_request *rq,
		   struct http_head *head, struct err *e);
/* A transfer ended with @c: 1 @curl is configured for another hop, 0 that was the answer, -errno. */
int http_hop_next(struct http_hop *p, CURLcode c, struct err *e);
void http_hop_done(struct http_hop *p);
