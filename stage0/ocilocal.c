/* ocilocal — layouts, and blobs of whatever kind; see ocilocal.h. */
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
#include "base/fsat.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/strv.h"
#include "oci/digest.h"
#include "oci/document.h"
#include "stage0/interrupt.h"
#include "stage0/unpackrun.h"

#define COPY_BYTES (256u << 10)
#define SMALL_MAX  4096 /* bytes of oci-layout */

struct oci_local {
	const struct oci_reference *ref;
	int root;
	bool docker;
	struct docker_archive archive;
};

int oci_local_open_file(int root, const char *path, struct err *e)
{
	struct stat st;
	auto_close int fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return err_sys(e, -fd, "open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, EINVAL, "%s is not a regular file", path);
	return steal_fd(&fd);
}

static int read_small(int root, const char *path, size_t max, struct buf *out, struct err *e)
{
	auto_close int fd = oci_local_open_file(root, path, e);

	if (fd < 0)
		return fd;
	int r = fd_read_all(fd, max, out);
	return r < 0 ? err_sys(e, -r, "read %s", path) : 0;
}

/* ---- opening ---- */

/* {"imageLayoutVersion": "1.0.0"} */
static int check_layout(int root, struct err *e)
{
	auto_buf text = BUF_INIT;
	const char *version = "";
	int r = read_small(root, "oci-layout", SMALL_MAX, &text, e);

	if (r < 0)
		return err_hint(e, "an OCI image layout has that file");
	auto_json doc = json_parse(buf_str(&text), text.len, e);
	if (!doc || json_get_str(doc, "", "imageLayoutVersion", true, &version, e) < 0)
		return err_ctx(e, "oci-layout");
	return strcmp(version, "1.0.0") == 0 ? 0
					     : err_set(e, ERR_INPUT, ENOTSUP,
						       "oci-layout: version \"%.40s\" is not 1.0.0", version);
}

static int open_archive(const char *path, int tmp_fd, const char *unpack, struct err *e)
{
	auto_unpacked u = { .tail = BUF_INIT };
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_sys(e, errno, "open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, EINVAL, "%s is not a regular file", path);
	int r = unpack_run(unpack, "bundle", "sha256", fd, tmp_fd, &u, e);
	if (r < 0)
		return r;
	int root = openat(tmp_fd, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return root < 0 ? err_sys(e, errno, "open the contents of %s", path) : root;
}

static int open_layout(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "open %s", path) : fd;
}

struct oci_local *oci_local_open(const struct oci_reference *ref, int tmp_fd, const char *unpack,
				 struct err *e)
{
	struct oci_local *l = xcalloc(1, sizeof(*l));
	int r;

	l->ref = ref;
	l->archive.manifest = (struct buf)BUF_INIT;
	l->root = ref->transport == OCI_LAYOUT ? open_layout(ref->path, e)
					       : open_archive(ref->path, tmp_fd, unpack, e);
	r = l->root;
	/* newer ones of docker are layouts as well; names are better in its own list */
	l->docker = r >= 0 && ref->transport == OCI_DOCKER_ARCHIVE &&
		    faccessat(l->root, "manifest.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (r >= 0)
		r = l->docker ? docker_archive_read(l->root, ref->ref, &l->archive, e)
			      : check_layout(l->root, e);
	if (r >= 0)
		return l;
	oci_local_free(l);
	return NULL;
}

void oci_local_free(struct oci_local *l)
{
	if (!l)
		return;
	docker_archive_done(&l->archive);
	fd_close(&l->root);
	free(l);
}

/* ---- which image ---- */

static const char *name_of(const struct oci_descriptor *d, bool full)
{
	return pairs_get(&d->annotations,
			 full ? "io.containerd.image.name" : "org.opencontainers.image.ref.name");
}

static bool has_name(const struct oci_descriptor *d, const char *name)
{
	const char *full = name_of(d, true), *ref = name_of(d, false);

	return (full && strcmp(full, name) == 0) || (ref && strcmp(ref, name) == 0);
}

static int no_such(const struct oci_document *index, const char *name, struct err *e)
{
	auto_buf names = BUF_INIT;

	for (size_t i = 0; i < index->n && names.len < 400; i++) {
		const char *ref = name_of(&index->entries[i], false);

		if (ref) {
			buf_adds(&names, names.len ? ", " : "");
			buf_add_escaped(&names, ref, strnlen(ref, 80));
		}
	}
	if (name)
		return err_set(e, ERR_INPUT, ENOENT, "no image \"%s\" in index.json%s%s", name,
			       names.len ? "; there are: " : "", buf_str(&names));
	return err_set(e, ERR_INPUT, EINVAL, "several images in index.json, name one behind a colon: %s",
		       buf_str(&names));
}

static int pick(const struct oci_local *l, const struct oci_document *index, const struct oci_platform *want,
		size_t *ret, struct err *e)
{
	const char *name = l->ref->ref;
	bool named = false;

	for (size_t i = 0; i < index->n; i++) {
		named |= name_of(&index->entries[i], false) != NULL;
		*ret = i;
		if (name && has_name(&index->entries[i], name))
			return 0;
	}
	if (name || (index->n > 1 && named))
		return no_such(index, name, e);
	return index->n == 1 ? 0 : oci_platform_pick(index, want, ret, e);
}

/* ---- documents ---- */

static int take_document(const char *digest, const char *media_type, struct registry_document *ret,
			 struct err *e)
{
	char hex[HASH_HEX_MAX];
	struct hash *h = hash_new(oci_digest_algo(digest));

	hash_update(h, ret->text.data, ret->text.len);
	hash_hex(h, hex);
	hash_free(h);
	if (strcmp(hex, oci_digest_hex(digest)) != 0)
		return err_set(e, ERR_TRUST, EBADMSG, "the manifest has digest %s:%s, not %s",
			       oci_digest_algo(digest), hex, digest);
	ret->digest = xstrdup(digest);
	ret->media_type = xstrdup(media_type);
	return 0;
}

static int by_digest(const struct oci_local *l, const char *digest, const char *media_type,
		     struct registry_document *ret, struct err *e)
{
	auto_free char *path = xasprintf("blobs/%s/%s", oci_digest_algo(digest), oci_digest_hex(digest));
	int r = read_small(l->root, path, REGISTRY_MANIFEST_MAX, &ret->text, e);

	return r < 0 ? r : take_document(digest, media_type, ret, e);
}

static int from_index(const struct oci_local *l, const struct oci_platform *want,
		      struct registry_document *ret, struct err *e)
{
	auto_buf text = BUF_INIT;
	struct oci_document index = { 0 };
	size_t i = 0;
	int r = read_small(l->root, "index.json", OCI_DOCUMENT_MAX, &text, e);

	if (r < 0)
		return r;
	r = oci_document_parse(buf_str(&text), text.len, NULL, &index, e);
	if (r == 0 && index.media != OCI_MEDIA_INDEX)
		r = err_set(e, ERR_INPUT, EINVAL, "not an index");
	if (r < 0)
		(void)err_ctx(e, "index.json");
	if (r == 0)
		r = pick(l, &index, want, &i, e);
	if (r == 0)
		r = by_digest(l, index.entries[i].digest, index.entries[i].media_type, ret, e);
	if (r == 0 && (int64_t)ret->text.len != index.entries[i].size)
		r = err_set(e, ERR_TRUST, EBADMSG, "manifest %s has %zu bytes, and index.json says %lld",
			    ret->digest, ret->text.len, (long long)index.entries[i].size);
	oci_document_done(&index);
	return r;
}

static int made_up(const struct oci_local *l, struct registry_document *ret)
{
	char hex[HASH_HEX_MAX];
	struct hash *h = hash_new("sha256");

	buf_add(&ret->text, l->archive.manifest.data, l->archive.manifest.len);
	hash_update(h, ret->text.data, ret->text.len);
	hash_hex(h, hex);
	hash_free(h);
	ret->digest = xasprintf("sha256:%s", hex);
	return 0;
}

int oci_local_document(struct oci_local *l, const char *digest, const struct oci_platform *want,
		       struct registry_document *ret, struct err *e)
{
	int r;

	registry_document_done(ret);
	r = digest      ? by_digest(l, digest, NULL, ret, e)
	    : l->docker ? made_up(l, ret)
			: from_index(l, want, ret, e);
	if (r < 0)
		registry_document_done(ret);
	return r;
}

/* ---- blobs ---- */

static char *blob_path(const struct oci_local *l, const char *digest)
{
	for (size_t i = 0; l->docker && l->archive.digests && l->archive.digests[i]; i++) {
		if (strcmp(l->archive.digests[i], digest) == 0)
			return xstrdup(l->archive.paths[i]);
	}
	return xasprintf("blobs/%s/%s", oci_digest_algo(digest), oci_digest_hex(digest));
}

/* Copy and hash; no more than one byte too many. */
static int copy(int in, int out, int64_t size, struct hash *h, struct err *e)
{
	auto_free char *p = xmalloc(COPY_BYTES);
	int64_t total = 0;

	for (;;) {
		ssize_t n = read_full(in, p, COPY_BYTES);
		int r = n < 0 ? err_sys(e, (int)-n, "read the file") : interrupt_check(e);

		if (r < 0)
			return r;
		total += n;
		if (total > size || (n == 0 && total < size))
			return err_set(e, ERR_TRUST, EBADMSG,
				       "the file has %s than the %lld bytes that it should have",
				       total > size ? "more" : "less", (long long)size);
		if (n == 0)
			return 0;
		hash_update(h, p, (size_t)n);
		r = write_full(out, p, (size_t)n);
		if (r < 0)
			return err_sys(e, -r, "write to the store");
	}
}

static int copy_blob(const struct oci_local *l, const struct registry_blob *b, int dirfd, struct err *e)
{
	auto_free char *path = blob_path(l, b->digest);
	auto_close int in = oci_local_open_file(l->root, path, e), out = FD_NONE;
	char hex[HASH_HEX_MAX];

	if (in < 0)
		return in;
	out = openat(dirfd, "data", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (out < 0)
		return err_sys(e, errno, "create a file in the store");
	struct hash *h = hash_new(oci_digest_algo(b->digest));
	int r = copy(in, out, b->size, h, e);
	hash_hex(h, hex);
	hash_free(h);
	if (r == 0 && strcmp(hex, oci_digest_hex(b->digest)) != 0)
		r = err_set(e, ERR_TRUST, EBADMSG, "the file has digest %s:%s", oci_digest_algo(b->digest),
			    hex);
	return r;
}

int oci_local_blobs(struct oci_local *l, const struct store *s, const struct registry_blob *v, size_t n,
		    const struct registry_sink *sink, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *name = NULL;
		struct err ignored = ERR_INIT;

		if (sink->have(sink->arg, i))
			continue;
		auto_close int dir = store_tmp_dir(s, &name, e);
		int r = dir < 0 ? dir : copy_blob(l, &v[i], dir, e);
		if (r == 0)
			r = sink->take(sink->arg, i, dir, e);
		if (name)
			(void)rm_tree_at(s->tmp_fd, name, &ignored);
		if (r < 0)
			return err_ctx(e, "blob %s", v[i].digest);
	}
	return 0;
}
