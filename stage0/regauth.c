/* regauth — see regauth.h. */
#include "stage0/regauth.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage0/backoff.h"
#include "stage0/challenge.h"
#include "stage0/httpauth.h"

#define ANSWER_MAX  (256u << 10)
#define REFUSED_MAX 2

void regauth_done(struct regauth *a)
{
	strv_free(a->lines);
	a->lines = NULL;
	regcreds_done(&a->creds);
	a->known = false;
}

void regauth_accepted(struct regauth *a)
{
	a->refused = 0;
}

/* ---- whom we tell what ---- */

/* The host of HOST or HOST:PORT, an IPv6 address with its brackets; heap. */
static char *host_only(const char *host)
{
	const char *close = host[0] == '[' ? strchr(host, ']') : NULL;

	return close ? xstrndup(host, (size_t)(close + 1 - host)) : xstrndup(host, strcspn(host, ":"));
}

static bool is_address(const char *host)
{
	return host[0] == '[' || strspn(host, "0123456789.") == strlen(host);
}

bool regauth_loopback(const char *host)
{
	auto_free char *h = host_only(host);

	return strcmp(h, "localhost") == 0 || strcmp(h, "[::1]") == 0 ||
	       (is_address(h) && strncmp(h, "127.", 4) == 0);
}

/* The part of a name that one owner has: two labels, three under the likes of co.uk. */
static const char *site_of(const char *host)
{
	const char *dots[3] = { NULL, NULL, NULL }; /* from the end */

	for (const char *p = host + strlen(host); p > host && !dots[2]; p--) {
		if (p[-1] == '.')
			dots[!dots[0] ? 0 : !dots[1] ? 1 : 2] = p - 1;
	}
	if (!dots[1])
		return host;
	bool country = strlen(dots[0] + 1) == 2 && dots[0] - dots[1] - 1 <= 3;
	if (!country)
		return dots[1] + 1;
	return dots[2] ? dots[2] + 1 : host;
}

bool regauth_same_site(const char *host, const char *realm_host)
{
	auto_free char *a = host_only(host), *b = host_only(realm_host);

	if (strcasecmp(a, b) == 0)
		return true;
	return !is_address(a) && !is_address(b) && strchr(a, '.') && strchr(b, '.') &&
	       strcasecmp(site_of(a), site_of(b)) == 0;
}

/* Look them up once; for a realm elsewhere there are none. */
static int credentials(struct regauth *a, const char *to_host, struct regcreds *ret, struct err *e)
{
	*ret = (struct regcreds){ NULL, NULL, NULL, NULL };
	if (a->anonymous)
		return 0;
	if (!a->known) {
		int r = regcreds_find(a->config, a->env, a->host, a->repository, &a->creds, e);

		if (r < 0)
			return r;
		a->known = true;
	}
	bool any = a->creds.user || a->creds.identity_token;
	if (any && !regauth_same_site(a->host, to_host)) {
		log_warn("credentials for %s are not sent to %s", a->host, to_host);
		return 0;
	}
	*ret = a->creds; /* borrowed */
	return 0;
}

static void set_line(struct regauth *a, char *line)
{
	strv_free(a->lines);
	a->lines = NULL;
	strv_push_take(&a->lines, line);
}

/* ---- Basic ---- */

static int answer_basic(struct regauth *a, struct err *e)
{
	struct regcreds c;
	int r = credentials(a, a->host, &c, e);

	if (r < 0)
		return r;
	if (!c.user)
		return err_set(e, ERR_NET, EACCES,
			       "%s asks for a user and a password, and there are none for it", a->host);
	set_line(a, http_basic(c.user, c.password));
	return 0;
}

/* ---- Bearer ---- */

static int add_query(CURLU *u, const char *name, const char *value)
{
	auto_free char *pair = xasprintf("%s=%s", name, value);

	return curl_url_set(u, CURLUPART_QUERY, pair, CURLU_APPENDQUERY | CURLU_URLENCODE) == CURLUE_OK
		       ? 0
		       : -EINVAL;
}

/* The realm with what it has to be asked; heap, or NULL. */
static char *token_url(const struct challenge *c, const char *scope, const char *user)
{
	CURLU *u = curl_url();
	char *text = NULL, *copy = NULL;
	int r = u && curl_url_set(u, CURLUPART_URL, c->realm, 0) == CURLUE_OK ? 0 : -EINVAL;

	if (r == 0 && c->service)
		r = add_query(u, "service", c->service);
	if (r == 0)
		r = add_query(u, "scope", scope);
	if (r == 0 && user)
		r = add_query(u, "account", user);
	if (r == 0 && curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK)
		copy = xstrdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

static void add_field(struct buf *b, const char *name, const char *value)
{
	char *v = curl_easy_escape(NULL, value, 0);

	buf_addf(b, "%s%s=%s", b->len ? "&" : "", name, v ? v : "");
	curl_free(v);
}

/* What was granted becomes the line to send. */
static int take_token(struct regauth *a, const struct buf *answer, struct err *e)
{
	const char *token = "", *access = "";
	auto_json doc = json_parse(buf_str(answer), answer->len, e);
	int r = doc ? json_get_str(doc, "", "token", false, &token, e) : -e->code;

	if (r == 0)
		r = json_get_str(doc, "", "access_token", false, &access, e);
	if (r < 0)
		return r;
	token = *token ? token : access;
	for (const char *p = token; *p; p++) {
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return err_set(e, ERR_NET, EPROTO, "the token has characters that no token has");
	}
	if (!*token)
		return err_set(e, ERR_NET, EPROTO, "there is no token in the answer");
	set_line(a, xasprintf("Authorization: Bearer %s", token));
	return 0;
}

struct token_request {
	const struct challenge *challenge;
	const char *scope;
	struct http_url realm;
	struct regcreds creds; /* borrowed */
};

/* An identity token is changed into an access token (OAuth2); -ENOSYS when the realm does not know how. */
static int token_by_post(struct regauth *a, const struct token_request *t, struct http_head *head,
			 struct buf *answer, struct err *e)
{
	auto_buf form = BUF_INIT;
	auto_strv type = NULL;

	add_field(&form, "grant_type", "refresh_token");
	add_field(&form, "service", t->challenge->service ? t->challenge->service : "");
	add_field(&form, "client_id", "rkt");
	add_field(&form, "scope", t->scope);
	add_field(&form, "refresh_token", t->creds.identity_token);
	strv_push(&type, "Content-Type: application/x-www-form-urlencoded");
	const struct http_request rq = {
		.url = t->challenge->realm,
		.method = "POST",
		.headers = type,
		.tls = a->tls,
		.data = form.data,
		.data_size = (int64_t)form.len,
	};
	if (strcasecmp(t->realm.scheme, "https") != 0)
		return err_set(e, ERR_NET, EPERM, "credentials are not sent in clear to %s", t->realm.host);
	return http_fetch(a->http, &rq, ANSWER_MAX, head, answer, e);
}

static int token_by_get(struct regauth *a, const struct token_request *t, struct http_head *head,
			struct buf *answer, struct err *e)
{
	auto_free char *url = token_url(t->challenge, t->scope, t->creds.user);
	auto_strv lines = NULL;

	if (!url)
		return err_set(e, ERR_NET, EPROTO, "the realm \"%.200s\" is no URL", t->challenge->realm);
	strv_push_take(&lines,
		       t->creds.user ? http_basic(t->creds.user, t->creds.password) : xstrdup("Accept: */*"));
	const struct http_request rq = { .url = url, .credentials = lines, .tls = a->tls };
	return http_fetch(a->http, &rq, ANSWER_MAX, head, answer, e);
}

/* One request, or two; *retry_after as the answer says. */
static int ask_realm(struct regauth *a, const struct token_request *t, int *status, int64_t *retry_after,
		     struct buf *answer, struct err *e)
{
	struct http_head head;
	int r = -ENOSYS;

	http_head_init(&head);
	if (t->creds.identity_token) {
		r = token_by_post(a, t, &head, answer, e);
		*status = head.status;
		if (r == 0 && (*status == 404 || *status == 405))
			r = -ENOSYS;
	}
	if (r == -ENOSYS) {
		http_head_done(&head);
		r = token_by_get(a, t, &head, answer, e);
		*status = head.status;
	}
	*retry_after = head.retry_after;
	http_head_done(&head);
	return r;
}

static int request_token(struct regauth *a, const struct token_request *t, struct err *e)
{
	auto_buf answer = BUF_INIT;
	int64_t retry_after = -1;
	int status = 0, r = ask_realm(a, t, &status, &retry_after, &answer, e);

	for (int n = 1; r == 0 && backoff_refused(status) && n < BACKOFF_TRIES; n++) {
		r = backoff_wait(backoff_ms(n, retry_after), e);
		if (r == 0)
			r = ask_realm(a, t, &status, &retry_after, &answer, e);
	}
	if (r < 0)
		return r;
	if (status == 401 || status == 403)
		return err_set(e, ERR_NET, EACCES, "%s does not accept the credentials for %s", t->realm.host,
			       a->host);
	if (status != 200)
		return err_set(e, ERR_NET, EPROTO, "the server answered %d %s", status,
			       http_status_text(status));
	return take_token(a, &answer, e);
}

/* A realm in clear is as good as its network: only of a registry that speaks so itself, on this machine. */
static int check_realm(const struct regauth *a, const struct http_url *u, struct err *e)
{
	if (strcasecmp(u->scheme, "https") == 0 || (regauth_loopback(u->host) && regauth_loopback(a->host)))
		return 0;
	return err_set(e, ERR_NET, EPERM, "the realm \"%s\" is not https", u->text);
}

static int answer_bearer(struct regauth *a, const struct challenge *c, struct err *e)
{
	struct token_request t = { .challenge = c, .scope = c->scope };
	auto_free char *scope = xasprintf("repository:%s:%s", a->repository, a->actions);
	int r = http_url_parse(NULL, c->realm, &t.realm, e);

	if (r < 0)
		return r;
	if (!t.scope)
		t.scope = scope;
	r = check_realm(a, &t.realm, e);
	if (r == 0)
		r = credentials(a, t.realm.host, &t.creds, e);
	if (r == 0 && t.creds.bearer)
		set_line(a, xasprintf("Authorization: Bearer %s", t.creds.bearer));
	else if (r == 0 && request_token(a, &t, e) < 0)
		r = err_ctx(e, "get a token from \"%s\"", t.realm.text);
	http_url_done(&t.realm);
	return r;
}

int regauth_answer(struct regauth *a, const struct http_head *head, struct err *e)
{
	struct challenge c;
	int r;

	if (a->clear)
		return err_set(e, ERR_NET, EACCES,
			       "%s asks who we are, but speaks only http: nothing is sent in clear", a->host);
	if (a->refused++ >= REFUSED_MAX)
		return err_set(e, ERR_NET, EACCES, "%s refuses what it granted", a->host);
	challenge_pick(head->challenges, &c);
	if (c.scheme == CHALLENGE_BEARER)
		r = answer_bearer(a, &c, e);
	else if (c.scheme == CHALLENGE_BASIC && !a->lines)
		r = answer_basic(a, e);
	else if (c.scheme == CHALLENGE_BASIC)
		r = err_set(e, ERR_NET, EACCES, "%s does not accept the credentials for it", a->host);
	else
		r = err_set(e, ERR_NET, EACCES, "%s wants an authentication that is unknown here", a->host);
	challenge_done(&c);
	return r;
}
