/* save — see save.h. */
#include "stage0/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/uuid.h"
#include "image/tarout.h"
#include "oci/digest.h"
#include "stage0/interrupt.h"
#include "stage0/mergeaci.h"

#define COPY_BYTES (256u << 10)
#define LAYOUT     "{\"imageLayoutVersion\":\"1.0.0\"}"

/* Where files go: into a directory, or a tar. */
struct sink {
	int dir; /* FD_NONE: a tar */
	int tar;
	uint64_t written;
};

static int put(struct sink *k, const void *p, size_t n, struct err *e)
{
	int r = write_full(k->tar, p, n);

	k->written += n;
	return r < 0 ? err_sys(e, -r, "write the archive") : 0;
}

static int copy(int from, int to, int64_t size, struct err *e)
{
	auto_free char *p = xmalloc(COPY_BYTES);

	for (int64_t at = 0; at < size;) {
		ssize_t n = pread(from, p, size - at < COPY_BYTES ? (size_t)(size - at) : COPY_BYTES, at);
		int r = n < 0 ? -errno : n == 0 ? -EIO : write_full(to, p, (size_t)n);

		if (r < 0)
			return err_sys(e, -r, "copy a blob");
		at += n;
		r = interrupt_check(e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int tar_file(struct sink *k, const char *name, const void *text, int fd, int64_t size, struct err *e)
{
	const struct tarout_entry t = { .name = name, .type = '0', .mode = 0644, .size = (uint64_t)size };
	auto_buf head = BUF_INIT;
	int r;

	tarout_header(&head, &t, NULL);
	r = put(k, buf_str(&head), head.len, e);
	if (r == 0)
		r = text ? put(k, text, (size_t)size, e) : copy(fd, k->tar, size, e);
	if (!text)
		k->written += (uint64_t)size;
	buf_clear(&head);
	tarout_pad(&head, k->written, 512);
	return r < 0 ? r : put(k, buf_str(&head), head.len, e);
}

static int dir_file(struct sink *k, const char *name, const void *text, int fd, int64_t size, struct err *e)
{
	auto_close int out = open_beneath(k->dir, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	int r = out < 0 ? out : text ? write_full(out, text, (size_t)size) : 0;

	if (r < 0)
		return err_sys(e, -r, "write %s", name);
	return text ? 0 : copy(fd, out, size, e);
}

/* @text, or the file @fd. */
static int file(struct sink *k, const char *name, const void *text, int fd, int64_t size, struct err *e)
{
	return k->dir >= 0 ? dir_file(k, name, text, fd, size, e) : tar_file(k, name, text, fd, size, e);
}

static int text_file(struct sink *k, const char *name, const char *text, struct err *e)
{
	return file(k, name, text, FD_NONE, (int64_t)strlen(text), e);
}

static char *blob_name(const char *digest)
{
	return xasprintf("blobs/%s/%s", oci_digest_algo(digest), oci_digest_hex(digest));
}

/* ---- what is in a layout ---- */

/* What the image is called: "HOST/NAME:VERSION", as far as it says. */
static char *full_name(const struct image_info *i)
{
	const char *version = pairs_get(&i->labels, "version");

	return xasprintf("%s:%s", i->name, version ? version : "latest");
}

static int write_index(struct sink *k, const struct outgoing *o, const struct image_info *i, struct err *e)
{
	auto_free char *name = full_name(i);
	const char *version = pairs_get(&i->labels, "version");
	auto_json doc = json_pack("{s:i, s:[{s:s, s:s, s:I, s:{s:s, s:s}}]}", "schemaVersion", 2, "manifests",
				  "mediaType", o->media_type, "digest", o->digest, "size", (json_int_t)o->len,
				  "annotations", "org.opencontainers.image.ref.name",
				  version ? version : "latest", "io.containerd.image.name", name);
	auto_free char *text = json_text(doc, JSON_LINE);

	return text_file(k, "index.json", text, e);
}

/* docker's own list. */
static int write_list(struct sink *k, const struct outgoing *o, const struct image_info *i, struct err *e)
{
	auto_free char *name = full_name(i), *config = blob_name(o->blobs[0].digest);
	json_t *layers = json_array();

	for (char **l = o->layers; l && *l; l++) {
		auto_free char *path = blob_name(*l);
		json_array_append_new(layers, json_string(path));
	}
	auto_json doc = json_pack("[{s:s, s:[s], s:o}]", "Config", config, "RepoTags", name, "Layers",
				  layers);
	auto_free char *text = json_text(doc, JSON_LINE);

	return text_file(k, "manifest.json", text, e);
}

static int write_blobs(struct sink *k, const struct outgoing *o, struct err *e)
{
	auto_free char *manifest = blob_name(o->digest);
	int r = file(k, manifest, o->manifest, FD_NONE, (int64_t)o->len, e);

	for (size_t n = 0; r == 0 && n < o->n; n++) {
		auto_free char *name = blob_name(o->blobs[n].digest);
		r = file(k, name, NULL, o->blobs[n].fd, o->blobs[n].size, e);
	}
	return r;
}

static int write_layout(struct sink *k, const struct outgoing *o, const struct image_info *i, bool docker,
			struct err *e)
{
	int r = text_file(k, "oci-layout", LAYOUT, e);

	if (r == 0)
		r = write_index(k, o, i, e);
	if (r == 0 && docker)
		r = write_list(k, o, i, e);
	return r == 0 ? write_blobs(k, o, e) : r;
}

/* ---- where it goes ---- */

struct place {
	const char *path;
	int at;           /* the directory */
	const char *base; /* the name there */
	char *tmp;        /* until it is complete */
};

/* A file without a name, if that can be: nothing of it stays, however we end. */
static int new_file(const struct place *p, bool *named)
{
	int fd = openat(p->at, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);

	*named = fd < 0;
	return fd >= 0 ? fd
		       : openat(p->at, p->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

/* Its name, which nothing has yet; @out a file that has none, or FD_NONE. */
static int put_in_place(const struct place *p, int out, struct err *e)
{
	char file[sizeof("/proc/self/fd/") + 11];
	int r;

	(void)snprintf(file, sizeof(file), "/proc/self/fd/%d", out);
	r = out >= 0 ? linkat(AT_FDCWD, file, p->at, p->base, AT_SYMLINK_FOLLOW)
		     : renameat2(p->at, p->tmp, p->at, p->base, RENAME_NOREPLACE);
	return r < 0 ? err_sys(e, errno, "write %s", p->path) : 0;
}

/* ---- the kinds ---- */

static int fill_directory(const struct image_info *i, const struct outgoing *o, const struct place *p,
			  struct err *e)
{
	if (mkdirat(p->at, p->tmp, 0755) < 0)
		return err_sys(e, errno, "create the directory");
	auto_close int dir = openat(p->at, p->tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct sink k = { .dir = dir, .tar = FD_NONE };
	int r = dir < 0 ? -errno : mkdir_p_at(dir, "blobs/sha256", 0755);
	if (r == 0)
		r = mkdir_p_at(dir, "blobs/sha512", 0755);
	if (r < 0)
		return err_sys(e, -r, "create the directory");
	r = write_layout(&k, o, i, false, e);
	(void)unlinkat(dir, "blobs/sha512", AT_REMOVEDIR); /* if nothing is in it */
	if (r == 0 && syncfs(dir) < 0)
		r = err_sys(e, errno, "write it to disk");
	return r;
}

static int save_directory(const struct image_info *i, const struct outgoing *o, const struct place *p,
			  struct err *e)
{
	struct err ignored = ERR_INIT;
	int r = fill_directory(i, o, p, e);

	if (r == 0)
		r = put_in_place(p, FD_NONE, e);
	if (r < 0)
		(void)rm_tree_at(p->at, p->tmp, &ignored);
	return r;
}

static int save_tar(const struct image_info *i, const struct outgoing *o, bool docker, int out, struct err *e)
{
	struct sink k = { .dir = FD_NONE, .tar = out };
	auto_buf end = BUF_INIT;
	int r = write_layout(&k, o, i, docker, e);

	if (r < 0)
		return r;
	(void)buf_reserve(&end, 1024);
	memset(end.data, 0, 1024);
	end.len = 1024;
	return put(&k, buf_str(&end), end.len, e);
}

/* The ACI itself, as it was downloaded. */
static int copy_aci(struct job *j, const struct image_info *i, int out, struct err *e)
{
	struct stat st;
	auto_close int fd = store_blob_open(&j->store, i, e);

	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : err_sys(e, errno, "look at the blob");
	return copy(fd, out, st.st_size, e);
}

static int save_aci(struct job *j, const struct image_info *i, int out, struct err *e)
{
	return i->nlayers ? merge_aci(j, i, out, e) : copy_aci(j, i, out, e);
}

static int save_file(struct job *j, const struct image_info *i, const char *format, const struct outgoing *o,
		     const struct place *p, struct err *e)
{
	bool named;
	auto_close int out = new_file(p, &named);
	int r;

	if (out < 0)
		return err_sys(e, errno, "create the file");
	r = o ? save_tar(i, o, strcmp(format, "docker-archive") == 0, out, e) : save_aci(j, i, out, e);
	if (r == 0 && fsync(out) < 0)
		r = err_sys(e, errno, "write it to disk");
	if (r == 0)
		r = put_in_place(p, named ? FD_NONE : out, e);
	if (r < 0 && named)
		(void)unlinkat(p->at, p->tmp, 0);
	return r;
}

static int write_as(struct job *j, const struct image_info *i, const struct outgoing_parts *parts,
		    const char *format, const struct place *p, struct err *e)
{
	struct outgoing o = { 0 };
	auto_work w = WORK_INIT;
	int r;

	if (strcmp(format, "aci") == 0)
		return save_file(j, i, format, NULL, p, e);
	r = work_open(j, &w, e);
	if (r >= 0)
		r = outgoing_open(j, i, parts, &w, &o, e);
	if (r >= 0)
		r = strcmp(format, "oci") == 0 ? save_directory(i, &o, p, e)
					       : save_file(j, i, format, &o, p, e);
	outgoing_done(&o);
	return r;
}

int save_image(struct job *j, const struct image_info *i, const struct outgoing_parts *parts,
	       const char *format, const char *path, struct err *e)
{
	const char *base = path_base(path);
	auto_free char *parent = xstrndup(path, (size_t)(base - path)), *tmp = NULL;
	auto_close int at = open(*parent ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char uuid[UUID_LEN + 1];
	struct stat st;
	int r = uuid_new(uuid);

	if (at < 0 || r < 0)
		return err_sys(e, at < 0 ? errno : -r, "open %s", parent);
	if (fstatat(at, base, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_sys(e, EEXIST, "write %s", path);
	tmp = xasprintf(".rkt-%s", uuid);
	const struct place p = { path, at, base, tmp };
	r = write_as(j, i, parts, format, &p, e);
	return r < 0 ? r : fsync_dir(at);
}
