/* registry — places and documents; see registry.h. */
#include "stage0/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/strv.h"
#include "oci/digest.h"
#include "stage0/backoff.h"

static const char accept_types[] =
	"Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
	"application/vnd.docker.distribution.manifest.list.v2+json, "
	"application/vnd.docker.distribution.manifest.v2+json";

/* ---- places ---- */

static void add_place(struct registry *r, const struct registry_options *o, char *base, bool mirror,
		      bool may_http)
{
	struct registry_place *p;

	r->places = xreallocarray(r->places, r->nplaces + 1, sizeof(*p));
	p = &r->places[r->nplaces++];
	*p = (struct registry_place){ .base = base, .host = xstrdup(strstr(base, "://") + 3) };
	p->may_http = may_http || regauth_loopback(p->host);
	p->auth = (struct regauth){
		.http = o->http,
		.config = o->config,
		.env = o->env,
		.host = p->host,
		.repository = r->repository,
		.actions = o->actions,
		.clear = strncmp(base, "http://", 7) == 0,
		.anonymous = mirror,
	};
}

void registry_open(struct registry *r, const struct registry_options *o, const char *host,
		   const char *repository)
{
	const struct registry_entry *c = o->config ? config_registry(o->config, host) : NULL;

	/* people say docker.io */
	if (!c && o->config && strcmp(host, "registry-1.docker.io") == 0)
		c = config_registry(o->config, "docker.io");
	*r = (struct registry){ .http = o->http, .host = xstrdup(host), .repository = xstrdup(repository) };
	if (c)
		r->tls = (struct http_tls){ c->ca_file, c->cert_file, c->key_file };
	for (char **m = c && strcmp(o->actions, "pull") == 0 ? c->mirrors : NULL; m && *m; m++)
		add_place(r, o, xstrdup(*m), true, false);
	add_place(r, o, xasprintf("https://%s", host), false, o->allow_http || (c && c->allow_http));
	for (size_t i = 0; i < r->nplaces; i++)
		r->places[i].auth.tls = &r->tls;
}

void registry_close(struct registry *r)
{
	for (size_t i = 0; i < r->nplaces; i++) {
		regauth_done(&r->places[i].auth);
		free(r->places[i].base);
		free(r->places[i].host);
	}
	free(r->places);
	free(r->host);
	free(r->repository);
	*r = (struct registry){ .http = NULL };
}

int registry_fall_back(struct registry_place *p, int r, struct err *e)
{
	if ((r != -EPROTO && r != -ENOTCONN) || !p->may_http || p->auth.clear)
		return 0;
	log_debug("%s does not speak https (%s), trying http", p->host, e->text);
	err_clear(e);
	free(p->base);
	p->base = xasprintf("http://%s", p->host);
	p->auth.clear = true;
	return 1;
}

bool registry_next_place(int r)
{
	return r == -ENOENT || r == -EAGAIN || r == -ENOTCONN || r == -EPROTO || r == -EIO || r == -EACCES ||
	       r == -EBADMSG;
}

/* ---- answers ---- */

/* {"errors":[{"code","message"}]}: the first one's words, if that is what it is; heap or NULL. */
static char *own_words(const struct buf *body)
{
	struct err ignored = ERR_INIT;
	const char *code = "", *message = "";
	auto_json doc = body && body->len ? json_parse(body->data, body->len, &ignored) : NULL;
	const json_t *first = doc ? json_array_get(json_member(doc, "errors"), 0) : NULL;

	if (!first || json_get_str(first, "", "code", false, &code, &ignored) < 0 ||
	    json_get_str(first, "", "message", false, &message, &ignored) < 0 || (!*code && !*message))
		return NULL;
	return xasprintf("%.60s%s%.200s", code, *code && *message ? ": " : "", message);
}

int registry_status_error(const struct registry_place *p, int status, const struct buf *body, struct err *e)
{
	auto_free char *words = own_words(body);
	int code = status == 404                    ? ENOENT
		   : status == 401 || status == 403 ? EACCES
		   : status == 429 || status == 408 ? EAGAIN
		   : status >= 500                  ? EAGAIN
						    : EPROTO;

	err_set(e, ERR_NET, code, "%s answered %d %s", p->host, status, http_status_text(status));
	if (code == EACCES)
		err_ctx(e, "not there, or no access to it");
	if (words)
		err_hint(e, "%s", words);
	return -code;
}

static void show_warnings(const struct registry_place *p, const struct http_head *head)
{
	for (char **w = head->warnings; w && *w; w++)
		log_warn("%s says: %.400s", p->host, *w);
}

/* The registry itself has nobody to stand in for it: 1 it is asked once more, after the time that it wants. */
static int patience(const struct registry *r, const struct registry_place *p, bool get,
		    const struct http_head *head, int failures, struct err *e)
{
	if (!backoff_refused(head->status) && !(get && head->status >= 500))
		return 0;
	if (p != &r->places[r->nplaces - 1] || failures >= BACKOFF_TRIES)
		return 0;
	log_debug("%s answered %d; trying again", p->host, head->status);
	int result = backoff_wait(backoff_ms(failures, head->retry_after), e);
	return result < 0 ? result : 1;
}

int registry_ask(struct registry *r, struct registry_place *p, const struct http_request *like,
		 const char *path, size_t max, struct http_head *head, struct buf *out, struct err *e)
{
	for (int failures = 0;;) {
		auto_free char *url = xasprintf("%s%s", p->base, path);
		struct http_request rq = *like;
		bool again = false;

		http_head_done(head);
		http_head_init(head);
		rq.url = url;
		rq.credentials = p->auth.lines;
		rq.tls = &r->tls;
		log_debug("%s %s", rq.method ? rq.method : "GET", url);
		int result = http_fetch(r->http, &rq, max, head, out, e);
		if (result == 0 && head->status == 401) {
			result = regauth_answer(&p->auth, head, e);
			again = result == 0;
		} else if (result == 0) {
			regauth_accepted(&p->auth);
			show_warnings(p, head);
			result = patience(r, p, !rq.method, head, ++failures, e);
			again = result > 0;
		} else {
			again = registry_fall_back(p, result, e) > 0;
		}
		if (!again)
			return result;
	}
}

/* One GET at one place, with whatever it takes to be let in. */
static int get_at(struct registry *r, struct registry_place *p, const char *path, size_t max,
		  struct registry_document *ret, struct err *e)
{
	auto_strv headers = NULL;
	struct http_head head;
	int result;

	strv_push(&headers, accept_types);
	const struct http_request rq = { .headers = headers };
	http_head_init(&head);
	result = registry_ask(r, p, &rq, path, max, &head, &ret->text, e);
	if (result == 0) {
		if (head.status != 200)
			result = registry_status_error(p, head.status, &ret->text, e);
		free(ret->media_type);
		ret->media_type = xstrdup(head.content_type);
		free(ret->digest);
		ret->digest = xstrdup(head.content_digest);
	}
	http_head_done(&head);
	return result;
}

void registry_document_done(struct registry_document *d)
{
	buf_done(&d->text);
	free(d->media_type);
	free(d->digest);
	*d = (struct registry_document){ .text = BUF_INIT };
}

/* Compute, and compare with what was asked for, or with what the registry claims. */
static int check_digest(struct registry_document *d, const char *reference, struct err *e)
{
	const char *want = oci_digest_valid(reference)                ? reference
			   : d->digest && oci_digest_valid(d->digest) ? d->digest
								      : NULL;
	const char *algo = want ? oci_digest_algo(want) : "sha256";
	char hex[HASH_HEX_MAX];
	struct hash *h = hash_new(algo);

	hash_update(h, d->text.data, d->text.len);
	hash_hex(h, hex);
	hash_free(h);
	char *own = xasprintf("%s:%s", algo, hex);
	int r = 0;
	if (want && strcmp(own, want) != 0)
		r = err_set(e, ERR_TRUST, EBADMSG, "the manifest has digest %s, not %s", own, want);
	free(d->digest);
	d->digest = own;
	return r;
}

int registry_manifest(struct registry *r, const char *reference, struct registry_document *ret, struct err *e)
{
	auto_free char *path = xasprintf("/v2/%s/manifests/%s", r->repository, reference);
	int result = -ENOENT;

	for (size_t i = 0; i < r->nplaces; i++) {
		registry_document_done(ret);
		err_clear(e);
		result = get_at(r, &r->places[i], path, REGISTRY_MANIFEST_MAX, ret, e);
		if (result == 0)
			result = check_digest(ret, reference, e);
		if (result == 0)
			return 0;
		log_debug("%s: %s", r->places[i].host, e->text);
		if (!registry_next_place(result))
			break;
	}
	registry_document_done(ret);
	return result;
}
