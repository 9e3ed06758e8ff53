/*
 * fetchoci — an OCI or docker image: which one, whether it may be trusted, its parts, its entry in the store.
 *
 * Every document is hashed before it is parsed, and stored as it came.
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/when.h"
#include "oci/appview.h"
#include "oci/digest.h"
#include "oci/platform.h"
#include "stage0/fetchknown.h"
#include "stage0/http.h"
#include "stage0/imagelayers.h"
#include "stage0/interrupt.h"
#include "stage0/layersgc.h"
#include "stage0/ociimport.h"
#include "stage0/ocilocal.h"
#include "stage0/ocisign.h"

/* One image on its way. */
struct pull {
	struct job *j;
	const struct wanted *want;
	struct oci_reference ref;
	struct oci_platform platform;
	struct http *http;
	struct registry registry;
	struct oci_local *local;
	struct work archive; /* its contents */
	struct oci_source source;
	char *name, *version;            /* in the store; no version: NULL */
	struct registry_document top;    /* what the reference names */
	struct registry_document chosen; /* the manifest picked from it, if that is an index */
	struct oci_document manifest;
	struct oci_config config;
	struct verified_by *verified;
	size_t nverified;
	struct image_info info;
};

static const struct registry_document *manifest_of(const struct pull *p)
{
	return p->chosen.digest ? &p->chosen : &p->top;
}

/* ---- where from ---- */

static int registry_source(void *arg, const struct registry_blob *v, size_t n,
			   const struct registry_sink *sink, struct err *e)
{
	struct pull *p = arg;

	return registry_blobs(&p->registry, &p->j->store, v, n, sink, p->j->quiet, e);
}

static int local_source(void *arg, const struct registry_blob *v, size_t n, const struct registry_sink *sink,
			struct err *e)
{
	struct pull *p = arg;

	return oci_local_blobs(p->local, &p->j->store, v, n, sink, e);
}

static int open_local(struct pull *p, struct err *e)
{
	int r = work_open(p->j, &p->archive, e);

	if (r < 0)
		return r;
	p->local = oci_local_open(&p->ref, p->archive.fd, p->j->unpack, e);
	p->source = (struct oci_source){ local_source, p };
	return p->local ? 0 : -e->code;
}

static int open_source(struct pull *p, struct err *e)
{
	if (p->ref.transport != OCI_REGISTRY)
		return open_local(p, e);
	const struct http_options o = { &p->j->config, p->j->insecure & INSECURE_TLS, p->j->stall_s };

	p->http = http_new(&o, e);
	if (!p->http)
		return -e->code;
	const struct registry_options ro = {
		.http = p->http,
		.config = &p->j->config,
		.env = environ,
		.actions = "pull",
		.allow_http = p->j->insecure & INSECURE_HTTP,
	};
	registry_open(&p->registry, &ro, p->ref.host, p->ref.repository);
	p->source = (struct oci_source){ registry_source, p };
	return 0;
}

/* Document @digest, or with NULL the one that the reference names. */
static int get_document(struct pull *p, const char *digest, struct registry_document *ret, struct err *e)
{
	const char *named = p->ref.digest ? p->ref.digest : p->ref.tag;

	return p->local ? oci_local_document(p->local, digest, &p->platform, ret, e)
			: registry_manifest(&p->registry, digest ? digest : named, ret, e);
}

/* ---- which one ---- */

/* The manifest for our platform, through indexes if need be. */
static int choose(struct pull *p, struct err *e)
{
	for (int depth = 0;; depth++) {
		const struct registry_document *d = manifest_of(p);
		struct oci_document doc = { 0 };
		size_t i = 0;
		int r = oci_document_parse(buf_str(&d->text), d->text.len, d->media_type, &doc, e);

		if (r < 0)
			return err_ctx(e, "manifest %s", d->digest);
		if (doc.media == OCI_MEDIA_MANIFEST) {
			p->manifest = doc;
			return 0;
		}
		if (depth == OCI_NESTING_MAX)
			r = err_set(e, ERR_INPUT, EINVAL, "more than %d indexes in indexes", OCI_NESTING_MAX);
		if (r == 0)
			r = oci_platform_pick(&doc, &p->platform, &i, e);
		struct registry_document next = { .text = BUF_INIT };
		if (r == 0)
			r = get_document(p, doc.entries[i].digest, &next, e);
		if (r == 0 && (int64_t)next.text.len != doc.entries[i].size)
			r = err_set(e, ERR_TRUST, EBADMSG,
				    "manifest %s has %zu bytes, and the index says %lld", next.digest,
				    next.text.len, (long long)doc.entries[i].size);
		registry_document_done(&p->chosen);
		p->chosen = next;
		oci_document_done(&doc);
		if (r < 0)
			return err_ctx(e, "index %s", p->top.digest);
	}
}

/* ---- trust ---- */

static int verify(struct pull *p, const struct work *w, struct err *e)
{
	const struct oci_signed what = {
		.name = p->name,
		.ref = &p->ref,
		.digests = { p->top.digest, p->chosen.digest },
		.registry = p->ref.transport == OCI_REGISTRY ? &p->registry : NULL,
		.tmp = w->path,
	};

	if (wanted_unsigned(p->j, p->want))
		return 0;
	return oci_verify(p->j, &what, &p->verified, &p->nverified, e);
}

/* ---- its parts ---- */

/* The config, into the store and parsed. */
static int get_config(struct pull *p, struct err *e)
{
	const struct oci_descriptor *d = &p->manifest.config;
	auto_buf text = BUF_INIT;

	if (d->size > OCI_CONFIG_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "config %s has more than %u bytes", d->digest,
			       OCI_CONFIG_MAX);
	int r = oci_import_blob(p->j, &p->source, d->digest, d->size, e);
	if (r < 0)
		return r;
	auto_close int fd = store_blob_fd(&p->j->store, d->digest);
	r = fd < 0 ? fd : fd_read_all(fd, OCI_CONFIG_MAX, &text);
	if (r < 0)
		return err_sys(e, -r, "read config %s", d->digest);
	r = oci_config_parse(buf_str(&text), text.len, &p->config, e);
	if (r == 0)
		r = oci_config_check(&p->config, &p->manifest, &p->platform, e);
	if (r == 0 && !p->manifest.n)
		r = err_set(e, ERR_INPUT, EINVAL, "the image has no layers");
	return r < 0 ? err_ctx(e, "config %s", d->digest) : 0;
}

static int get_layers(struct pull *p, struct err *e)
{
	struct image_info *i = &p->info;

	i->layers = xcalloc(p->manifest.n, sizeof(*i->layers));
	i->nlayers = p->manifest.n;
	for (size_t k = 0; k < i->nlayers; k++) {
		i->layers[k].digest = xstrdup(p->manifest.entries[k].digest);
		i->layers[k].size = (uint64_t)p->manifest.entries[k].size;
		i->layers[k].diff_id = xstrdup(p->config.diff_ids[k]);
	}
	return oci_import_layers(p->j, &p->source, i->layers, i->nlayers, &i->root_layer, e);
}

/* ---- its entry in the store ---- */

/* The manifest as rkt sees it, into info->manifest, name and labels. */
static int view(struct pull *p, struct err *e)
{
	const struct oci_origin o = {
		.name = p->name,
		.tag = p->version,
		.original = p->want->text ? p->want->text : p->want->url,
		.host = p->ref.host,
		.repository = p->ref.repository ? p->ref.repository : p->name,
		.config_digest = p->manifest.config.digest,
		.manifest_digest = manifest_of(p)->digest,
	};
	auto_strv warnings = NULL;
	auto_image_manifest m = oci_app_view(&p->config, &o, &warnings, e);

	if (!m)
		return err_ctx(e, "config %s", p->manifest.config.digest);
	for (char **w = warnings; w && *w; w++)
		log_warn("%s", *w);
	auto_json doc = image_manifest_to_json(m);
	p->info.manifest = json_text(doc, JSON_LINE);
	p->info.name = xstrdup(m->name);
	pairs_copy(&p->info.labels, &m->labels);
	return 0;
}

static void add_sizes(struct pull *p)
{
	struct image_info *i = &p->info;

	i->blob_size = manifest_of(p)->text.len + (uint64_t)p->manifest.config.size;
	for (size_t k = 0; k < i->nlayers; k++) {
		auto_free char *path = xasprintf("tree/%s/rootfs", i->layers[k].tree);
		uint64_t tree = 0;

		i->blob_size += i->layers[k].size;
		(void)tree_size_at(p->j->store.cas_fd, path, &tree); /* for display only */
		i->tree_size += tree;
	}
	i->size = i->tree_size;
}

static void fill_info(struct pull *p)
{
	struct image_info *i = &p->info;
	const char *hex = i->id + strlen("sha256-");

	i->digest = xstrdup(i->id);
	i->blob_algo = xstrdup("sha256");
	i->blob_digest = xstrdup(hex);
	i->origin = xstrdup(p->want->url);
	i->import_time = when_ns(when_now());
	i->latest = p->ref.tag && strcmp(p->ref.tag, "latest") == 0;
	i->config_digest = xstrdup(p->manifest.config.digest);
	i->verified = p->verified;
	i->nverified = p->nverified;
	p->verified = NULL;
	p->nverified = 0;
}

/* The id is the digest of the manifest by SHA-256, whatever it was named by. */
static void set_id(struct pull *p)
{
	const struct registry_document *d = manifest_of(p);
	struct hash *h = hash_new("sha256");
	char hex[HASH_HEX_MAX];

	hash_update(h, d->text.data, d->text.len);
	hash_hex(h, hex);
	hash_free(h);
	(void)snprintf(p->info.id, sizeof(p->info.id), "sha256-%.64s", hex);
}

/* The very bytes that were verified before do not lose that by an import that did not look. */
static void keep_verification(struct pull *p)
{
	struct image_info before = { .id = "" };
	struct err ignored = ERR_INIT;

	if (p->info.nverified || store_image_load(&p->j->store, p->info.id, &before, &ignored) < 0)
		return;
	if (strcmp(before.name, p->info.name) == 0) {
		p->info.verified = steal_ptr(&before.verified);
		p->info.nverified = before.nverified;
		before.nverified = 0;
	}
	image_info_done(&before);
}

static int publish(struct pull *p, const struct work *w, struct err *e)
{
	const struct store *s = &p->j->store;
	const struct buf *text = &manifest_of(p)->text;
	int r = write_file_at(w->fd, "manifest", text->data, text->len, 0640, 0);

	if (r < 0)
		return err_sys(e, -r, "write the manifest");
	r = store_publish_blob(s, w->fd, "manifest", p->info.blob_algo, p->info.blob_digest, e);
	if (r < 0)
		return r;
	auto_close int lock = store_lock(s, "image", p->info.id, 1, e);
	if (lock < 0)
		return lock;
	keep_verification(p);
	r = store_publish_image(s, &p->info, e);
	return r < 0 ? r : 0;
}

static int save_record(struct pull *p, struct err *e)
{
	const struct url_info u = {
		.url = (char *)p->want->url,
		.image_id = p->info.id,
		.etag = p->top.digest,
		.fetched = when_ns(when_now()),
	};

	return store_url_save(&p->j->store, &u, e);
}

/* ---- the way of one image ---- */

static int obtain(struct pull *p, const struct work *w, struct err *e)
{
	int r = choose(p, e);

	if (r >= 0)
		r = verify(p, w, e);
	if (r < 0)
		return r;
	/* from here on nobody collects what we find or bring */
	auto_close int lock = layers_lock(&p->j->store, e);
	r = lock < 0 ? lock : get_config(p, e);
	set_id(p);
	if (r >= 0)
		r = view(p, e);
	if (r >= 0)
		r = get_layers(p, e);
	if (r < 0)
		return r;
	add_sizes(p);
	fill_info(p);
	return publish(p, w, e);
}

/* Ask what the reference names; the record may know that. */
static int fetch(struct pull *p, struct known *known, bool *fetched, struct err *e)
{
	auto_work w = WORK_INIT;
	int r = open_source(p, e);

	if (r >= 0)
		r = get_document(p, NULL, &p->top, e);
	if (r < 0)
		return r;
	if (known->good && known->record.etag && strcmp(known->record.etag, p->top.digest) == 0) {
		(void)known_take(known, p->info.id);
		return save_record(p, e);
	}
	*fetched = true;
	r = work_open(p->j, &w, e);
	if (r >= 0)
		r = obtain(p, &w, e);
	return r < 0 ? r : save_record(p, e);
}

/* The reference behind the colon if it is a name by itself, "busybox:1"; else the file's name, and that as the version. */
static void name_local(struct pull *p)
{
	const char *base = path_base(p->ref.path), *tail = strstr(base, ".tar");
	auto_free char *as = p->ref.ref ? xasprintf("docker:%s", p->ref.ref) : NULL;
	auto_free char *name = xstrndup(base, tail && tail > base ? (size_t)(tail - base) : strlen(base));
	struct oci_reference r = { 0 };
	struct err ignored = ERR_INIT;

	if (as && strpbrk(p->ref.ref, ":/") && oci_reference_parse(as, &r, &ignored) == 0) {
		free(name);
		name = xasprintf("%s/%s", r.host, r.repository);
		p->version = xstrdup(r.tag);
	} else {
		p->version = p->ref.ref ? ac_identifier_sanitize(p->ref.ref) : NULL;
	}
	p->name = ac_identifier_sanitize(name);
	if (!p->name)
		p->name = xstrdup("image");
	oci_reference_done(&r);
}

/* What the image is called in the store. */
static void name_it(struct pull *p)
{
	if (p->ref.transport != OCI_REGISTRY) {
		name_local(p);
		return;
	}
	auto_free char *name = xasprintf("%s/%s", p->ref.host, p->ref.repository);

	p->name = ac_identifier_sanitize(name); /* HOST:PORT/… */
	p->version = p->ref.tag ? xstrdup(p->ref.tag) : NULL;
}

/* The URL is the reference, and ",arch=…" if one was asked for. */
static int parse(struct pull *p, struct err *e)
{
	size_t n = strlen(p->want->url), tail = p->want->arch ? strlen(",arch=") + strlen(p->want->arch) : 0;
	auto_free char *text = xstrndup(p->want->url, n > tail ? n - tail : n);
	int r = oci_reference_parse(text, &p->ref, e);

	if (r == 0)
		r = oci_platform_make(p->want->arch, &p->platform, e);
	if (r == 0)
		name_it(p);
	return r;
}

static void pull_done(struct pull *p)
{
	if (p->http && p->ref.transport == OCI_REGISTRY)
		registry_close(&p->registry);
	http_free(p->http);
	oci_local_free(p->local);
	work_done(&p->archive);
	registry_document_done(&p->top);
	registry_document_done(&p->chosen);
	oci_document_done(&p->manifest);
	oci_config_done(&p->config);
	oci_platform_done(&p->platform);
	oci_reference_done(&p->ref);
	oci_verified_free(p->verified, p->nverified);
	image_info_done(&p->info);
	free(p->name);
	free(p->version);
}

int image_from_oci(struct job *j, const struct wanted *want, char ret_id[IMAGE_ID_LEN + 1], bool *fetched,
		   struct err *e)
{
	struct wanted w = *want;
	struct pull p = { .j = j, .want = &w, .top.text = BUF_INIT, .chosen.text = BUF_INIT };
	struct known known;
	auto_close int lock = FD_NONE;
	p.archive = (struct work)WORK_INIT;
	int r = parse(&p, e);

	*fetched = false;
	/* what lies on disk may change under its name */
	if (p.ref.transport != OCI_REGISTRY)
		w.policy = "update";
	known_init(&known, j, &w);
	known.pinned = r == 0 && p.ref.digest;
	if (r == 0)
		r = known_or_queue(&known, &lock, e);
	if (r == 0) {
		r = fetch(&p, &known, fetched, e);
		if (r == 0)
			memcpy(ret_id, p.info.id, IMAGE_ID_LEN + 1);
	} else if (r > 0) {
		r = known_take(&known, ret_id);
	}
	known_done(&known);
	pull_done(&p);
	return r < 0 ? r : 0;
}
