/*
 * fetchurl — an image from http(s): signature and download; what is known of it already is fetchknown.h's.
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/when.h"
#include "stage0/download.h"
#include "stage0/fetchknown.h"
#include "stage0/http.h"
#include "stage0/interrupt.h"

#define REMEDY                                                                                               \
	"name the signature with --signature=FILE, or accept unsigned images with --insecure-options=image"

/* One image on its way from an URL. */
struct flight {
	struct job *j;
	const struct wanted *want;
	struct http *http;
	struct trust trust;
	struct known known;
};

/* "https://h/x.aci?a" → "https://h/x.aci.asc?a"; heap. */
static char *signature_url(const char *url)
{
	size_t path = strcspn(url, "?#");
	size_t query = strcspn(url + path, "#");
	return xasprintf("%.*s.asc%.*s", (int)path, url, (int)query, url + path);
}

/* 0, or -EAGAIN: the server will have it later (202). */
static int fetch_signature(struct flight *f, struct err *e)
{
	auto_free char *url = signature_url(f->want->url);
	auto_buf text = BUF_INIT;
	struct http_head head;

	log_debug("fetching signature from %s", url);
	http_head_init(&head);
	int r = http_get_small(f->http, url, SIGFILE_MAX, &head, &text, e);
	int status = head.status;
	http_head_done(&head);
	if (r < 0)
		return err_ctx(e, "fetch signature \"%s\"", url);
	if (status == 202) {
		err_set(e, ERR_TRUST, EAGAIN, "the server has not yet got the signature \"%s\"", url);
		return -EAGAIN;
	}
	if (status != 200) {
		err_set(e, ERR_TRUST, ENOENT,
			"error opening signature file \"%s\": the server answered %d %s", url, status,
			http_status_text(status));
		return err_hint(e, REMEDY);
	}
	return trust_read_mem(&f->trust, buf_str(&text), text.len, url, e);
}

/* Before the image: the signature, and whether its maker is anybody we trust. */
static int early_trust(struct flight *f, const struct work *w, struct err *e)
{
	int r;

	if (!f->trust.required)
		return 0;
	if (f->want->signature)
		r = trust_read_file(&f->trust, f->want->signature, e);
	else
		r = fetch_signature(f, e);
	if (r == -EAGAIN && e->cls == ERR_TRUST) {
		log_debug("signature comes later");
		err_clear(e);
		return 0;
	}
	return r < 0 ? r : trust_issuer(f->j, &f->trust, w, e);
}

static int save_record(struct flight *f, const char *id, const struct download *d, struct err *e)
{
	struct url_info u = {
		.url = (char *)f->want->url,
		.image_id = (char *)id,
		.etag = d->etag || !d->not_modified ? d->etag : f->known.record.etag,
		.max_age = d->max_age,
		.fetched = when_ns(when_now()),
	};
	return store_url_save(&f->j->store, &u, e);
}

static int download_and_import(struct flight *f, struct download *d, char ret_id[IMAGE_ID_LEN + 1],
			       struct err *e)
{
	auto_work w = WORK_INIT;
	int r = work_open(f->j, &w, e);

	if (r >= 0 && !f->trust.have_sig)
		r = early_trust(f, &w, e);
	if (r >= 0)
		r = download_run(d, w.fd, "blob", e);
	if (r >= 0 && d->not_modified)
		return known_take(&f->known, ret_id);
	if (r >= 0 && f->trust.required && !f->trust.have_sig)
		r = fetch_signature(f, e);
	return r < 0 ? r : image_finish(f->j, f->want, &f->trust, &w, ret_id, e);
}

static int fly(struct flight *f, char ret_id[IMAGE_ID_LEN + 1], bool *fetched, struct err *e)
{
	struct download d = {
		.store = &f->j->store,
		.http = f->http,
		.url = f->want->url,
		.if_none_match = f->known.good ? f->known.record.etag : NULL,
		.quiet = f->j->quiet,
	};

	log_debug("remote fetching from URL \"%s\"", f->want->url);
	log_debug("fetching image from %s", f->want->url);
	int r = download_and_import(f, &d, ret_id, e);
	if (r < 0 && d.resumed && r != -EINTR && (e->cls == ERR_TRUST || e->cls == ERR_INPUT)) {
		/* Its first part may be of another version than the server says. */
		log_info("the resumed download is damaged, starting over");
		err_clear(e);
		verify_result_done(&f->trust.first);
		verify_result_done(&f->trust.scoped);
		d.fresh = true;
		d.resumed = false;
		r = download_and_import(f, &d, ret_id, e);
	}
	if (r >= 0)
		r = save_record(f, ret_id, &d, e);
	*fetched = !d.not_modified;
	download_done(&d);
	return r;
}

int image_from_url(struct job *j, const struct wanted *want, char ret_id[IMAGE_ID_LEN + 1], bool *fetched,
		   struct err *e)
{
	struct flight f = { .j = j, .want = want, .trust = { .required = !wanted_unsigned(j, want) } };
	struct http_options o = { &j->config, j->insecure & INSECURE_TLS, j->stall_s };
	auto_close int lock = FD_NONE;

	known_init(&f.known, j, want);
	*fetched = false;
	int r = known_or_queue(&f.known, &lock, e);
	if (r == 0) {
		f.http = http_new(&o, e);
		r = f.http ? fly(&f, ret_id, fetched, e) : -e->code;
	} else if (r > 0) {
		r = known_take(&f.known, ret_id);
	}
	http_free(f.http);
	trust_done(&f.trust);
	known_done(&f.known);
	return r;
}
