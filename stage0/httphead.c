/*
 * httphead — response header fields.
 */
#include "stage0/httphead.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/strv.h"

#define VALUE_MAX   8192                 /* bytes of a field we keep */
#define REPEATS_MAX 16                   /* fields of one name that we keep */
#define MAX_AGE_MAX (10LL * 365 * 86400) /* seconds; more is for ever */

void http_head_init(struct http_head *h)
{
	*h = (struct http_head){
		.length = -1, .range_from = -1, .range_total = -1, .retry_after = -1, .range_last = -1
	};
}

void http_head_done(struct http_head *h)
{
	free(h->etag);
	free(h->last_modified);
	free(h->location);
	free(h->content_type);
	free(h->content_digest);
	strv_free(h->challenges);
	strv_free(h->warnings);
	http_head_init(h);
}

static int64_t number(const char *p, size_t n)
{
	char text[24];
	int64_t v = -1;

	if (n == 0 || n >= sizeof(text) || !isdigit((unsigned char)p[0]))
		return -1;
	memcpy(text, p, n);
	text[n] = '\0';
	return parse_i64(text, &v) < 0 ? -1 : v;
}

/* Replace *to by the value if it may be sent back in a request. */
static void keep(char **to, const char *p, size_t n)
{
	free(*to);
	*to = NULL;
	if (n == 0 || n > VALUE_MAX)
		return;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			return;
	}
	*to = xstrndup(p, n);
}

static void field_etag(struct http_head *h, const char *p, size_t n)
{
	keep(&h->etag, p, n);
}

static void field_last_modified(struct http_head *h, const char *p, size_t n)
{
	keep(&h->last_modified, p, n);
}

static void field_location(struct http_head *h, const char *p, size_t n)
{
	keep(&h->location, p, n);
}

static void field_content_type(struct http_head *h, const char *p, size_t n)
{
	const char *end = memchr(p, ';', n);

	n = end ? (size_t)(end - p) : n;
	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	keep(&h->content_type, p, n);
}

static void field_content_digest(struct http_head *h, const char *p, size_t n)
{
	keep(&h->content_digest, p, n);
}

/* One more value of a field that may come several times. */
static void keep_also(char ***list, const char *p, size_t n)
{
	char *value = NULL;

	keep(&value, p, n);
	if (value && strv_len(*list) < REPEATS_MAX)
		strv_push(list, value);
	free(value);
}

static void field_challenge(struct http_head *h, const char *p, size_t n)
{
	keep_also(&h->challenges, p, n);
}

/* 299 - "text": what a registry has to say to people (RFC 7234 section 5.5). */
static void field_warning(struct http_head *h, const char *p, size_t n)
{
	const char *from = memchr(p, '"', n);
	const char *to = from ? memrchr(from + 1, '"', (size_t)(p + n - from - 1)) : NULL;

	if (to && n > 4 && memcmp(p, "299 ", 4) == 0)
		keep_also(&h->warnings, from + 1, (size_t)(to - from - 1));
}

static void field_retry_after(struct http_head *h, const char *p, size_t n)
{
	h->retry_after = number(p, n);
}

static void field_length(struct http_head *h, const char *p, size_t n)
{
	h->length = number(p, n);
}

/* "bytes 10-99/100", "bytes 10-99/\*", "bytes *\/100". */
static void field_content_range(struct http_head *h, const char *p, size_t n)
{
	const char *end = p + n;

	h->range_from = h->range_total = -1;
	if (n < 6 || strncasecmp(p, "bytes ", 6) != 0)
		return;
	p += 6;
	const char *slash = memchr(p, '/', (size_t)(end - p));
	if (!slash)
		return;
	h->range_total = number(slash + 1, (size_t)(end - slash - 1));
	const char *dash = memchr(p, '-', (size_t)(slash - p));
	if (!dash)
		return;
	int64_t from = number(p, (size_t)(dash - p)), to = number(dash + 1, (size_t)(slash - dash - 1));
	if (from >= 0 && to >= from && (h->range_total < 0 || to < h->range_total))
		h->range_from = from;
}

/* "0-99", of an upload: so much has arrived. */
static void field_range(struct http_head *h, const char *p, size_t n)
{
	if (n > 2 && memcmp(p, "0-", 2) == 0)
		h->range_last = number(p + 2, n - 2);
}

static bool directive_is(const char *p, size_t n, const char *name)
{
	return n == strlen(name) && strncasecmp(p, name, n) == 0;
}

static void field_cache_control(struct http_head *h, const char *p, size_t n)
{
	const char *end = p + n;
	bool never = false;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;
		while (p < stop && (*p == ' ' || *p == '\t'))
			p++;
		size_t len = (size_t)(stop - p);
		while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		if (directive_is(p, len, "no-store") || directive_is(p, len, "no-cache"))
			never = true;
		if (len > 8 && strncasecmp(p, "max-age=", 8) == 0) {
			int64_t v = number(p + 8, len - 8);
			h->max_age = v < 0 ? 0 : v > MAX_AGE_MAX ? MAX_AGE_MAX : v;
		}
		p = comma ? comma + 1 : end;
	}
	if (never)
		h->max_age = 0;
}

static const struct {
	const char *name;
	void (*take)(struct http_head *h, const char *p, size_t n);
} fields[] = {
	{ "etag", field_etag },
	{ "last-modified", field_last_modified },
	{ "location", field_location },
	{ "content-length", field_length },
	{ "content-range", field_content_range },
	{ "range", field_range },
	{ "cache-control", field_cache_control },
	{ "content-type", field_content_type },
	{ "docker-content-digest", field_content_digest },
	{ "www-authenticate", field_challenge },
	{ "warning", field_warning },
	{ "retry-after", field_retry_after },
};

/* "HTTP/1.1 200 OK", "HTTP/2 200". */
static bool status_line(struct http_head *h, const char *line, size_t n)
{
	if (n < 5 || memcmp(line, "HTTP/", 5) != 0)
		return false;
	http_head_done(h);
	const char *sp = memchr(line, ' ', n);
	if (sp && (size_t)(line + n - sp) >= 4) {
		int64_t v = number(sp + 1, 3);
		h->status = v >= 100 && v <= 599 ? (int)v : 0;
	}
	return true;
}

void http_head_line(struct http_head *h, const char *line, size_t n)
{
	while (n && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	if (status_line(h, line, n))
		return;
	const char *colon = n ? memchr(line, ':', n) : NULL;
	if (!colon)
		return;
	size_t name = (size_t)(colon - line);
	const char *p = colon + 1;
	while (p < line + n && (*p == ' ' || *p == '\t'))
		p++;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (directive_is(line, name, fields[i].name))
			fields[i].take(h, p, (size_t)(line + n - p));
	}
}

bool http_head_redirects(const struct http_head *h)
{
	return h->location && (h->status == 301 || h->status == 302 || h->status == 303 || h->status == 307 ||
			       h->status == 308);
}

bool http_etag_strong(const char *etag)
{
	return etag && etag[0] == '"';
}

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 408, "Request Timeout" },
		{ 410, "Gone" },
		{ 416, "Range Not Satisfiable" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "";
}
