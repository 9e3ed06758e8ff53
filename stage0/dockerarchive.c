/*
 * dockerarchive — what `docker save` writes, as an OCI image (formats.md section 12.5).
 *
 * manifest.json lists images by files of the archive.  The OCI manifest made for one of them holds what these files are, so it is the same whoever
 * makes it from the same archive.
 */
#include "stage0/ocilocal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/strv.h"
#include "oci/document.h"

#define LIST       "manifest.json"
#define IMAGES_MAX 4096

void docker_archive_done(struct docker_archive *a)
{
	buf_done(&a->manifest);
	strv_free(a->digests);
	strv_free(a->paths);
	*a = (struct docker_archive){ .manifest = BUF_INIT };
}

/* One spelling of "busybox", "busybox:latest", "docker.io/library/busybox"; heap, or NULL if it is none. */
static char *spelled(const char *name)
{
	auto_free char *text = xasprintf("docker:%s", name);
	struct err ignored = ERR_INIT;
	struct oci_reference r;

	if (oci_reference_parse(text, &r, &ignored) < 0)
		return NULL;
	char *one = oci_reference_text(&r);
	oci_reference_done(&r);
	return one;
}

static bool is_called(char *const *tags, const char *name)
{
	auto_free char *want = spelled(name);

	for (; want && tags && *tags; tags++) {
		auto_free char *have = spelled(*tags);

		if (have && strcmp(have, want) == 0)
			return true;
	}
	return false;
}

/* The entry of @list for @name, borrowed. */
static const json_t *pick(const json_t *list, const char *name, struct err *e)
{
	auto_strv all = NULL;

	if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > IMAGES_MAX) {
		(void)err_set(e, ERR_INPUT, EINVAL, "not a list of images");
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		auto_strv tags = NULL;

		if (json_is_null(json_object_get(entry, "RepoTags")))
			continue;
		if (json_get_strv(entry, "", "RepoTags", false, &tags, e) < 0)
			return NULL;
		if (name && is_called(tags, name))
			return entry;
		strv_push_all(&all, tags);
	}
	if (!name && json_array_size(list) == 1)
		return json_array_get(list, 0);
	auto_free char *names = strv_join(all, ", ");
	auto_buf shown = BUF_INIT;
	buf_add_escaped(&shown, names, strnlen(names, 400));
	(void)err_set(e, ERR_INPUT, name ? ENOENT : EINVAL,
		      name ? "no image \"%s\"; there are: %s"
			   : "several images, name one behind a colon%s: %s",
		      name ? name : "", buf_str(&shown));
	return NULL;
}

/* A descriptor of the file @path, whose digest is remembered. */
static json_t *describe(int root, const char *path, const char *media, struct docker_archive *a,
			struct err *e)
{
	auto_close int fd = oci_local_open_file(root, path, e);
	unsigned char magic[2] = { 0, 0 };
	char hex[HASH_HEX_MAX];
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || pread(fd, magic, sizeof(magic), 0) < 0) {
		(void)err_sys(e, errno, "read %s", path);
		return NULL;
	}
	if (hash_fd("sha256", fd, hex, e) < 0)
		return NULL;
	auto_free char *digest = xasprintf("sha256:%s", hex);
	auto_free char *type = xasprintf("%s%s", media, magic[0] == 0x1f && magic[1] == 0x8b ? "+gzip" : "");

	strv_push(&a->digests, digest);
	strv_push(&a->paths, path);
	return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size",
			 (json_int_t)st.st_size);
}

static int describe_all(int root, const json_t *entry, json_t *doc, struct docker_archive *a, struct err *e)
{
	const char *config = NULL;
	auto_strv layers = NULL;
	json_t *list = json_array();
	int r;

	json_object_set_new(doc, "layers", list);
	if (json_get_str(entry, "", "Config", true, &config, e) < 0 ||
	    json_get_strv(entry, "", "Layers", true, &layers, e) < 0)
		return -EINVAL;
	if (strv_len(layers) > OCI_LAYERS_MAX)
		return err_set(e, ERR_INPUT, EINVAL, "more than %d layers", OCI_LAYERS_MAX);
	json_t *d = describe(root, config, "application/vnd.oci.image.config.v1+json", a, e);
	r = d ? json_object_set_new(doc, "config", d) : -e->code;
	for (char **l = layers; r >= 0 && l && *l; l++) {
		d = describe(root, *l, "application/vnd.oci.image.layer.v1.tar", a, e);
		r = d ? json_array_append_new(list, d) : -e->code;
	}
	return r;
}

int docker_archive_read(int root, const char *name, struct docker_archive *ret, struct err *e)
{
	auto_buf text = BUF_INIT;
	auto_close int fd = oci_local_open_file(root, LIST, e);

	if (fd < 0)
		return fd;
	int r = fd_read_all(fd, OCI_DOCUMENT_MAX, &text);
	if (r < 0)
		return err_sys(e, -r, "read " LIST);
	auto_json list = json_parse(buf_str(&text), text.len, e);
	const json_t *entry = list ? pick(list, name, e) : NULL;
	if (!entry)
		return err_ctx(e, LIST);
	auto_json doc = json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType",
				  "application/vnd.oci.image.manifest.v1+json");
	r = describe_all(root, entry, doc, ret, e);
	if (r < 0)
		return err_ctx(e, LIST);
	auto_free char *made = json_text(doc, JSON_LINE);
	buf_adds(&ret->manifest, made);
	return 0;
}
