/*
 * httpauth — an URL in parts, what an origin is, and which headers an origin gets.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "stage0/config.h"

struct http_url {
	char *text;                 /* normalised, without fragment */
	char *scheme, *host, *port; /* port always set; an IPv6 host has its brackets */
	char *path, *query;         /* query may be NULL */
};

/* Parse @text, relative to @base if not NULL.  -EPERM: not http or https, credentials in it, or not an URL. */
int http_url_parse(const char *base, const char *text, struct http_url *ret, struct err *e);
void http_url_done(struct http_url *u);
/* Same scheme, host and port? */
bool http_url_same_origin(const struct http_url *a, const struct http_url *b);
/* Does the host part spell a link-local address (169.254/16, fe80::/10) or the metadata address fd00:ec2::254? */
bool http_address_link_local(const char *host);

/* "Authorization: Basic …"; heap. */
char *http_basic(const char *user, const char *password);
/* The header lines that authenticate a GET of @u by the configuration; strv, NULL when there are none. */
char **http_auth_headers(const struct config *c, const struct http_url *u, time_t now);
