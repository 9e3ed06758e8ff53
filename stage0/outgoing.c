/* outgoing — see outgoing.h. */
#include "stage0/outgoing.h"

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
#include "base/strv.h"
#include "image/writer.h"
#include "oci/appconfig.h"
#include "oci/appview.h"
#include "oci/document.h"
#include "stage0/imagelayers.h"
#include "stage0/interrupt.h"

#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define CONFIG   "application/vnd.oci.image.config.v1+json"
#define LAYER    "application/vnd.oci.image.layer.v1.tar+gzip"

#define NO_DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

void outgoing_done(struct outgoing *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->blobs[i].digest);
		fd_close(&o->blobs[i].fd);
	}
	free(o->blobs);
	free(o->manifest);
	free(o->media_type);
	free(o->digest);
	strv_free(o->layers);
	*o = (struct outgoing){ 0 };
}

static bool has(const struct outgoing *o, const char *digest)
{
	for (size_t i = 0; i < o->n; i++) {
		if (strcmp(o->blobs[i].digest, digest) == 0)
			return true;
	}
	return false;
}

/* Takes @fd. */
static int add(struct outgoing *o, const char *digest, int fd, struct err *e)
{
	auto_close int own = fd;
	struct stat st;

	if (own < 0 || fstat(own, &st) < 0)
		return err_sys(e, own < 0 ? -own : errno, "open blob %s", digest);
	o->blobs = xreallocarray(o->blobs, o->n + 1, sizeof(*o->blobs));
	o->blobs[o->n++] = (struct outgoing_blob){ xstrdup(digest), st.st_size, steal_fd(&own) };
	return 0;
}

/* ---- as it came ---- */

static int take_manifest(struct outgoing *o, const struct buf *text, struct err *e)
{
	struct oci_document doc = { 0 };
	const char *type = NULL;
	int r = oci_document_parse(buf_str(text), text->len, NULL, &doc, e);

	oci_document_done(&doc);
	if (r < 0)
		return r;
	auto_json json = json_parse(buf_str(text), text->len, e);
	if (!json || json_get_str(json, "", "mediaType", false, &type, e) < 0)
		return -e->code;
	o->media_type = xstrdup(type ? type : MANIFEST);
	o->manifest = xstrndup(buf_str(text), text->len);
	o->len = text->len;
	return 0;
}

static int from_layers(struct job *j, const struct image_info *i, struct outgoing *o, struct err *e)
{
	auto_buf text = BUF_INIT;
	auto_close int fd = store_blob_open(&j->store, i, e);

	if (fd < 0)
		return fd;
	int r = fd_read_all(fd, OCI_DOCUMENT_MAX, &text);
	if (r < 0)
		return err_sys(e, -r, "read the manifest");
	o->digest = xasprintf("%s:%s", i->blob_algo, i->blob_digest);
	r = take_manifest(o, &text, e);
	if (r == 0)
		r = add(o, i->config_digest, store_blob_fd(&j->store, i->config_digest), e);
	for (size_t k = 0; r == 0 && k < i->nlayers; k++) {
		const char *digest = i->layers[k].digest;

		strv_push(&o->layers, digest);
		if (!has(o, digest))
			r = add(o, digest, store_blob_fd(&j->store, digest), e);
	}
	return r;
}

/* ---- made of an ACI, or of a directory ---- */

static int see(void *arg, const void *p, size_t n, struct err *e)
{
	hash_update(arg, p, n);
	return interrupt_check(e);
}

/* The tree @name of @dir as a layer in the file "layer" of @w; its digest when unpacked is *diff_id. */
static int write_layer(int dir, const char *name, const struct work *w, char **diff_id, struct err *e)
{
	auto_close int out = openat(w->fd, "layer", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char hex[HASH_HEX_MAX];

	if (out < 0)
		return err_sys(e, errno, "create the layer");
	struct hash *h = hash_new("sha256");
	int r = layer_write(dir, name, out, COMP_GZIP, see, h, e);
	hash_hex(h, hex);
	hash_free(h);
	*diff_id = xasprintf("sha256:%s", hex);
	return r;
}

/* The file @name of @w by its digest; a descriptor for the manifest. */
static json_t *add_file(struct outgoing *o, const struct work *w, const char *name, const char *media,
			struct err *e)
{
	int fd = openat(w->fd, name, O_RDONLY | O_CLOEXEC);
	char hex[HASH_HEX_MAX];

	if (fd < 0) {
		(void)err_sys(e, errno, "open %s", name);
		return NULL;
	}
	if (hash_fd("sha256", fd, hex, e) < 0) {
		fd_close(&fd);
		return NULL;
	}
	auto_free char *digest = xasprintf("sha256:%s", hex);
	if (add(o, digest, fd, e) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:I}", "mediaType", media, "digest", digest, "size",
			 (json_int_t)o->blobs[o->n - 1].size);
}

static json_t *config_of_aci(const struct image_info *i, const char *diff_id, struct err *e)
{
	auto_image_manifest m = image_manifest_parse(i->manifest, strlen(i->manifest), e);
	auto_strv warnings = NULL;
	json_t *doc = m ? oci_config_of(m, diff_id, &warnings, e) : NULL;

	for (char **l = warnings; l && *l; l++)
		log_warn("%s", *l);
	return doc;
}

static json_t *config_of_parts(const struct outgoing_parts *p, const char *diff_id)
{
	json_object_set_new(p->config, "rootfs",
			    json_pack("{s:s, s:[s]}", "type", "layers", "diff_ids", diff_id));
	return json_incref(p->config);
}

/* Could we run it?  Else nobody should get it from us. */
static int check_parts(const struct image_info *i, const struct outgoing_parts *p, struct err *e)
{
	auto_json doc = config_of_parts(p, "sha256:" NO_DIGEST);
	auto_free char *text = json_text(doc, JSON_LINE);
	const struct oci_origin o = {
		.name = i->name, .original = i->name, .host = "", .repository = i->name
	};
	struct oci_config c = { 0 };
	auto_strv warnings = NULL;
	int r = oci_config_parse(text, strlen(text), &c, e);
	auto_image_manifest m = r < 0 ? NULL : oci_app_view(&c, &o, &warnings, e);

	for (char **l = warnings; l && *l; l++)
		log_warn("%s", *l);
	oci_config_done(&c);
	return m ? 0 : err_ctx(e, "config");
}

static int write_config(const struct image_info *i, const struct outgoing_parts *p, const struct work *w,
			const char *diff_id, struct err *e)
{
	auto_json doc = p ? config_of_parts(p, diff_id) : config_of_aci(i, diff_id, e);

	if (!doc)
		return -e->code;
	auto_free char *text = json_text(doc, JSON_LINE);
	int r = write_file_at(w->fd, "config", text, strlen(text), 0600, 0);
	return r < 0 ? err_sys(e, -r, "write the config") : 0;
}

/* The root of ACI @i in the store; who removes the image waits until it is packed. */
static int write_stored(struct job *j, const struct image_info *i, const struct work *w, char **diff_id,
			struct err *e)
{
	auto_free char *path = xasprintf("tree/%s", i->id);
	auto_close int lock = store_lock(&j->store, "image", i->id, 1, e);
	if (lock < 0)
		return lock;
	auto_close int dir = openat(j->store.cas_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return dir < 0 ? err_sys(e, errno, "open the tree of image %s", i->id)
		       : write_layer(dir, "rootfs", w, diff_id, e);
}

static int from_tree(struct job *j, const struct image_info *i, const struct outgoing_parts *p,
		     const struct work *w, struct outgoing *o, struct err *e)
{
	auto_free char *diff_id = NULL;
	char hex[HASH_HEX_MAX];
	int r = p ? check_parts(i, p, e) : 0;

	if (r == 0)
		r = p ? write_layer(p->dir, p->name, w, &diff_id, e) : write_stored(j, i, w, &diff_id, e);
	if (r == 0)
		r = write_config(i, p, w, diff_id, e);
	if (r < 0)
		return r;
	json_t *config = add_file(o, w, "config", CONFIG, e);
	json_t *layer = config ? add_file(o, w, "layer", LAYER, e) : NULL;
	auto_json doc = layer ? json_pack("{s:i, s:s, s:o, s:[o]}", "schemaVersion", 2, "mediaType", MANIFEST,
					  "config", config, "layers", layer)
			      : NULL;
	if (!doc)
		return -e->code;
	strv_push(&o->layers, o->blobs[1].digest);
	o->media_type = xstrdup(MANIFEST);
	o->manifest = json_text(doc, JSON_LINE);
	o->len = strlen(o->manifest);
	struct hash *h = hash_new("sha256");
	hash_update(h, o->manifest, o->len);
	hash_hex(h, hex);
	hash_free(h);
	o->digest = xasprintf("sha256:%s", hex);
	return 0;
}

int outgoing_open(struct job *j, const struct image_info *i, const struct outgoing_parts *parts,
		  const struct work *w, struct outgoing *ret, struct err *e)
{
	struct outgoing o = { 0 };
	int r = i->nlayers ? from_layers(j, i, &o, e) : from_tree(j, i, parts, w, &o, e);

	if (r < 0)
		outgoing_done(&o);
	*ret = o;
	return r;
}
