/*
 * httpauth — parsed by libcurl's own parser, so that what is checked is what is connected to.
 */
#include "stage0/httpauth.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/base64.h"
#include "base/strv.h"
#include "stage0/sigv4.h"

void http_url_done(struct http_url *u)
{
	free(u->text);
	free(u->scheme);
	free(u->host);
	free(u->port);
	free(u->path);
	free(u->query);
	*u = (struct http_url){ 0 };
}

/* A part as a heap string, NULL when absent. */
static char *part(CURLU *u, CURLUPart what, unsigned int flags)
{
	char *p = NULL, *copy;

	if (curl_url_get(u, what, &p, flags) != CURLUE_OK)
		return NULL;
	copy = xstrdup(p);
	curl_free(p);
	return copy;
}

static int parse(CURLU *u, const char *base, const char *text, struct http_url *ret, struct err *e)
{
	CURLUcode c = base ? curl_url_set(u, CURLUPART_URL, base, 0) : CURLUE_OK;

	if (c == CURLUE_OK)
		c = curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
	if (c != CURLUE_OK)
		return err_set(e, ERR_NET, EPERM, "\"%s\" is not a valid URL: %s", text,
			       curl_url_strerror(c));
	auto_free char *user = part(u, CURLUPART_USER, 0), *password = part(u, CURLUPART_PASSWORD, 0);
	ret->scheme = part(u, CURLUPART_SCHEME, 0);
	ret->host = part(u, CURLUPART_HOST, 0);
	if (!ret->scheme || !ret->host ||
	    (strcasecmp(ret->scheme, "http") != 0 && strcasecmp(ret->scheme, "https") != 0))
		return err_set(e, ERR_NET, EPERM, "URL scheme \"%s\" is not http or https",
			       ret->scheme ? ret->scheme : "");
	if (user || password)
		return err_set(e, ERR_NET, EPERM,
			       "credentials inside an URL are refused; put them into auth.d");
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	ret->port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	ret->path = part(u, CURLUPART_PATH, 0);
	ret->query = part(u, CURLUPART_QUERY, 0);
	ret->text = part(u, CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
	if (!ret->port || !ret->path || !ret->text)
		return err_set(e, ERR_NET, EPERM, "\"%s\" is not a valid URL", text);
	return 0;
}

int http_url_parse(const char *base, const char *text, struct http_url *ret, struct err *e)
{
	struct http_url out = { 0 };
	CURLU *u = curl_url();
	int r = u ? parse(u, base, text, &out, e) : err_set(e, ERR_SYS, ENOMEM, "out of memory");

	curl_url_cleanup(u);
	if (r < 0)
		http_url_done(&out);
	else
		*ret = out;
	return r;
}

bool http_url_same_origin(const struct http_url *a, const struct http_url *b)
{
	return strcasecmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}

bool http_address_link_local(const char *host)
{
	static const char *const starts[] = { "169.254.",       "fe8", "fe9", "fea", "feb", "fd00:ec2::254",
					      "::ffff:169.254." };
	const char *p = *host == '[' ? host + 1 : host;
	bool v6 = strchr(p, ':') != NULL;

	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		if (strncasecmp(p, starts[i], strlen(starts[i])) == 0 && (v6 || i == 0))
			return true;
	}
	return false;
}

char *http_basic(const char *user, const char *password)
{
	auto_free char *plain = xasprintf("%s:%s", user ? user : "", password ? password : "");
	auto_free char *text = base64_encode(plain, strlen(plain));

	return xasprintf("Authorization: Basic %s", text);
}

char **http_auth_headers(const struct config *c, const struct http_url *u, time_t now)
{
	bool https = strcasecmp(u->scheme, "https") == 0;
	bool plain_port = strcmp(u->port, https ? "443" : "80") == 0;
	auto_free char *with_port = xasprintf("%s:%s", u->host, u->port);
	const struct auth_entry *a = NULL;
	char **headers = NULL;

	if (!c || !https)
		return NULL;
	a = config_auth(c, with_port);
	if (!a && plain_port)
		a = config_auth(c, u->host);
	if (!a)
		return NULL;
	switch (a->type) {
	case AUTH_BASIC:
		strv_push_take(&headers, http_basic(a->user, a->password));
		break;
	case AUTH_OAUTH:
		strv_pushf(&headers, "Authorization: Bearer %s", a->token);
		break;
	case AUTH_AWS: {
		auto_free char *region = a->region ? xstrdup(a->region) : sigv4_region_of_host(u->host);
		struct sigv4 s = { a->access_key, a->secret_key, region, plain_port ? u->host : with_port,
				   u->path,       u->query,      now };
		sigv4_headers(&s, &headers);
		break;
	}
	}
	return headers;
}
