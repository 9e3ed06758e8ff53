/*
 * httphead — the few header fields of an HTTP response that fetching acts on (RFC 9110, 9111).
 *
 * Text in, values out; no network.  Values that could not be sent back safely (control bytes,
 * absurd length) count as absent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_head {
	int status; /* 0 before the first status line */
	char *etag, *last_modified, *location;
	char *content_type;   /* without its parameters */
	char *content_digest; /* Docker-Content-Digest */
	char **challenges;    /* strv: every WWW-Authenticate */
	char **warnings;      /* strv: the text of every Warning with code 299 */
	int64_t retry_after;  /* seconds, -1 when absent or a date */
	int64_t length;       /* Content-Length, -1 unknown */
	int64_t range_from;   /* Content-Range: first byte, -1 absent or malformed */
	int64_t range_total;  /* Content-Range: size of the whole, -1 unknown */
	int64_t range_last;   /* Range of an upload: the last byte that has arrived, -1 unknown */
	int64_t max_age;      /* Cache-Control: seconds; 0 for no-cache, no-store or nothing */
};

void http_head_init(struct http_head *h);
void http_head_done(struct http_head *h);
/* One line as it comes, with or without its end; a status line starts over (interim responses). */
void http_head_line(struct http_head *h, const char *line, size_t n);
/* Is this a redirection with somewhere to go? */
bool http_head_redirects(const struct http_head *h);
/* May this ETag stand in If-Range (not weak)? */
bool http_etag_strong(const char *etag);
/* "Not Found" for 404; "" when unknown. */
const char *http_status_text(int status);
