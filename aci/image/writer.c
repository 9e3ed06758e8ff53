/*
 * writer — see writer.h.
 *
 * How it works: merge walks the tree, sorted and parents first; tarout makes the headers; libarchive's "raw" format is the compressor behind them.
 */
#include "image/writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/fswalk.h"
#include "base/strv.h"
#include "image/extract.h"
#include "image/tarout.h"
#include "schema/image.h"

#define MANIFEST "manifest"
#define ROOTFS   "rootfs"
#define WHITEOUT ".wh."

enum { CHUNK = 128 << 10, TAR_RECORD = 10240, SYMLINK_MAX_LEN = 4095 };

struct writer {
	struct archive *archive;
	uint64_t written;
	uint64_t entries, bytes; /* of an ACI */
	struct buf out;
	unsigned char *chunk;
	bool layer; /* the tree alone, named from its root */
	writer_see *see;
	void *see_arg;
	struct inode_set links; /* files with several names, by the first one */
};

static int emit(struct writer *w, const void *p, size_t n, struct err *e)
{
	if (n && archive_write_data(w->archive, p, n) != (la_ssize_t)n) {
		int code = archive_errno(w->archive);
		return err_sys(e, code > 0 ? code : EIO, "write the image");
	}
	w->written += n;
	return w->see ? w->see(w->see_arg, p, n, e) : 0;
}

static int emit_out(struct writer *w, struct err *e)
{
	int r = emit(w, buf_str(&w->out), w->out.len, e);

	buf_clear(&w->out);
	return r;
}

/* Exactly @size bytes of @fd, and the padding. */
static int emit_file(struct writer *w, int fd, uint64_t size, struct err *e)
{
	for (uint64_t left = size; left > 0;) {
		ssize_t n = read_full(fd, w->chunk, left < CHUNK ? (size_t)left : CHUNK);
		int r;

		if (n < 0)
			return err_sys(e, (int)-n, "read");
		if (n == 0)
			return err_set(e, ERR_STATE, EBUSY, "the file shrank while it was read");
		r = emit(w, w->chunk, (size_t)n, e);
		if (r < 0)
			return r;
		left -= (uint64_t)n;
	}
	tarout_pad(&w->out, w->written, 512);
	return emit_out(w, e);
}

/* Attributes that an image may carry, as records. */
static int xattr_records(int fd, struct buf *records, struct err *e)
{
	auto_free char *names = xmalloc(XATTR_LIST_MAX), *value = xmalloc(XATTR_SIZE_MAX);
	ssize_t n = flistxattr(fd, names, XATTR_LIST_MAX);
	auto_strv sorted = NULL;

	if (n < 0)
		return errno == ENOTSUP ? 0 : err_sys(e, errno, "list extended attributes");
	for (const char *at = names; at < names + n; at += strlen(at) + 1) {
		if ((strncmp(at, "user.", 5) == 0 && strncmp(at, "user.overlay.", 13) != 0) ||
		    strcmp(at, "security.capability") == 0)
			strv_push(&sorted, at);
	}
	strv_sort(sorted);
	for (size_t i = 0; i < strv_len(sorted); i++) {
		auto_free char *key = xasprintf("SCHILY.xattr.%s", sorted[i]);
		ssize_t len = fgetxattr(fd, sorted[i], value, XATTR_SIZE_MAX);

		if (strchr(sorted[i], '='))
			return err_set(e, ERR_INPUT, EINVAL, "extended attribute %s cannot be packed",
				       sorted[i]);
		if (len < 0)
			return err_sys(e, errno, "read extended attribute %s", sorted[i]);
		tarout_record(records, key, value, (size_t)len);
	}
	return 0;
}

/* What a reader of ACIs would refuse is not written. */
static int keep_limits(struct writer *w, const struct tarout_entry *t, struct err *e)
{
	size_t depth = 1;

	for (const char *p = t->name; (p = strchr(p, '/')); p++)
		depth += p[1] != '\0';
	if (strlen(t->name) > EXTRACT_PATH || depth > EXTRACT_DEPTH)
		return err_set(e, ERR_INPUT, ENAMETOOLONG, "no ACI may hold so long a path");
	w->bytes += t->size;
	if (++w->entries > EXTRACT_ENTRIES || w->bytes > EXTRACT_BYTES)
		return err_set(e, ERR_INPUT, EFBIG, "an ACI may hold %u entries and %llu GiB",
			       EXTRACT_ENTRIES, EXTRACT_BYTES >> 30);
	return 0;
}

static int emit_entry(struct writer *w, const struct tarout_entry *t, int fd, struct err *e)
{
	auto_buf records = BUF_INIT;
	int r = w->layer ? 0 : keep_limits(w, t, e);

	if (r == 0 && fd >= 0 && t->type != '1')
		r = xattr_records(fd, &records, e);
	if (r < 0)
		return r;
	tarout_header(&w->out, t, &records);
	r = emit_out(w, e);
	return r == 0 && t->size ? emit_file(w, fd, t->size, e) : r;
}

static char type_flag(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return 0;
	}
}

static int open_for(int at, const char *name, mode_t mode)
{
	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return FD_NONE;
	return openat(at, name,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (S_ISDIR(mode) ? O_DIRECTORY : 0));
}

/* One file, directory or other. */
static int write_entry(struct writer *w, int at, const char *name, const char *path, const struct stat *st,
		       struct err *e)
{
	struct tarout_entry t = { .name = path,
				  .type = type_flag(st->st_mode),
				  .mode = st->st_mode,
				  .uid = st->st_uid,
				  .gid = st->st_gid,
				  .mtime = st->st_mtim };
	auto_close int fd = open_for(at, name, st->st_mode);
	auto_free char *dir_name = NULL;
	char target[SYMLINK_MAX_LEN + 1];

	if (fd < 0 && fd != FD_NONE)
		return err_sys(e, errno, "open");
	if (t.type == '5')
		t.name = dir_name = xasprintf("%s/", path);
	if (t.type == '3' || t.type == '4')
		t.rdev = st->st_rdev;
	if (t.type == '2') {
		ssize_t n = readlinkat(at, name, target, SYMLINK_MAX_LEN);
		if (n < 0)
			return err_sys(e, errno, "read link");
		target[n] = '\0';
		t.link = target;
	}
	if (t.type == '0')
		t.size = (uint64_t)st->st_size;
	if (t.type != '5' && st->st_nlink > 1) {
		const char *first;
		if (inode_set_add(&w->links, st->st_dev, st->st_ino, path, &first)) {
			t.type = '1';
			t.link = first;
			t.size = 0;
		}
	}
	return emit_entry(w, &t, fd, e);
}

/* ---- what is written ---- */

/* One file of the tree. */
static int visit(void *arg, const struct merge_entry *x, struct err *e)
{
	struct writer *w = arg;
	auto_free char *inside = w->layer ? NULL : xasprintf(*x->path ? ROOTFS "/%s" : ROOTFS, x->path);
	const char *path = inside ? inside : *x->path ? x->path : ".";

	if (S_ISSOCK(x->st.st_mode))
		return 0;
	if (w->layer && (strncmp(x->name, WHITEOUT, strlen(WHITEOUT)) == 0 || merge_whiteout(&x->st)))
		return err_set(e, ERR_INPUT, EINVAL,
			       "%s would take a file away: no layer can have one of that kind", path);
	int r = write_entry(w, x->dir, x->name, path, &x->st, e);
	return r < 0 ? err_ctx(e, "%.200s", path) : 0;
}

/* The manifest: @text, or the file in @dirfd. */
static int write_manifest(struct writer *w, int dirfd, const char *text, struct err *e)
{
	const struct tarout_entry t = {
		.name = MANIFEST, .type = '0', .mode = 0644, .size = text ? strlen(text) : 0
	};
	struct stat st;

	if (!text) {
		if (fstatat(dirfd, MANIFEST, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, errno, "look at the manifest");
		return write_entry(w, dirfd, MANIFEST, MANIFEST, &st, e);
	}
	tarout_header(&w->out, &t, NULL);
	buf_add(&w->out, text, t.size);
	tarout_pad(&w->out, w->written + w->out.len, 512);
	return emit_out(w, e);
}

/* Two blocks of zeros, and a whole record as tar(1) writes. */
static int write_end(struct writer *w, struct err *e)
{
	(void)buf_reserve(&w->out, 1024);
	w->out.len += 1024;
	tarout_pad(&w->out, w->written + w->out.len, TAR_RECORD);
	return emit_out(w, e);
}

/* ---- the compressor ---- */

static int open_compressor(struct writer *w, int out, enum compression c, struct err *e)
{
	static int (*const add[])(struct archive *) = {
		[COMP_PLAIN] = archive_write_add_filter_none,  [COMP_GZIP] = archive_write_add_filter_gzip,
		[COMP_BZIP2] = archive_write_add_filter_bzip2, [COMP_XZ] = archive_write_add_filter_xz,
		[COMP_ZSTD] = archive_write_add_filter_zstd,
	};
	struct archive_entry *ent = archive_entry_new();
	bool ok;

	w->archive = archive_write_new();
	if (!w->archive || !ent) {
		archive_entry_free(ent);
		return err_set(e, ERR_SYS, ENOMEM, "start the compressor");
	}
	archive_entry_set_filetype(ent, AE_IFREG);
	ok = archive_write_set_format_raw(w->archive) == ARCHIVE_OK && add[c](w->archive) == ARCHIVE_OK;
	/* The same bytes every time: gzip would store the hour. */
	if (ok && c == COMP_GZIP)
		ok = archive_write_set_filter_option(w->archive, "gzip", "timestamp", NULL) == ARCHIVE_OK;
	ok = ok && archive_write_set_bytes_in_last_block(w->archive, 1) == ARCHIVE_OK &&
	     archive_write_open_fd(w->archive, out) == ARCHIVE_OK &&
	     archive_write_header(w->archive, ent) == ARCHIVE_OK;
	archive_entry_free(ent);
	if (ok)
		return 0;
	return err_set(e, ERR_SYS, EIO, "start the compressor: %s", archive_error_string(w->archive));
}

/* ---- all together ---- */

static int check_manifest(const char *text, size_t len, struct err *e)
{
	auto_image_manifest m = NULL;

	if (len > IMAGE_MANIFEST_MAX)
		return err_set(e, ERR_INPUT, EFBIG, "the manifest would have %zu bytes, %u are allowed", len,
			       (unsigned int)IMAGE_MANIFEST_MAX);
	m = image_manifest_parse(text, len, e);
	return m ? 0 : err_ctx(e, "manifest");
}

static int check_input(int dirfd, struct err *e)
{
	auto_buf text = BUF_INIT;
	struct stat st;
	int r = read_file_at(dirfd, MANIFEST, IMAGE_MANIFEST_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "read the manifest");
	r = check_manifest(buf_str(&text), text.len, e);
	if (r < 0)
		return r;
	if (fstatat(dirfd, ROOTFS, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "look at rootfs");
	return S_ISDIR(st.st_mode) ? 0 : err_set(e, ERR_INPUT, EINVAL, "rootfs is not a directory");
}

/* @tree, after its manifest unless it is a layer. */
static int write_all(struct writer *w, const struct merge *tree, const char *manifest, int out,
		     enum compression c, struct err *e)
{
	w->chunk = xmalloc(CHUNK);
	int r = open_compressor(w, out, c, e);
	if (r == 0 && !w->layer)
		r = write_manifest(w, tree->dirfd, manifest, e);
	if (r == 0)
		r = merge_walk(tree, visit, w, e);
	if (r == 0)
		r = write_end(w, e);
	if (r == 0 && archive_write_close(w->archive) != ARCHIVE_OK)
		r = err_sys(e, archive_errno(w->archive) > 0 ? archive_errno(w->archive) : EIO,
			    "write the image");
	(void)archive_write_free(w->archive);
	inode_set_done(&w->links);
	buf_done(&w->out);
	free(w->chunk);
	return r;
}

int aci_write(int dirfd, int out, enum compression c, struct err *e)
{
	static const char *const root[] = { ROOTFS };
	const struct merge tree = { .dirfd = dirfd, .roots = root, .n = 1 };
	struct writer w = { .layer = false };
	int r = check_input(dirfd, e);

	return r < 0 ? r : write_all(&w, &tree, NULL, out, c, e);
}

int aci_write_merged(const struct merge *tree, const char *manifest, int out, enum compression c,
		     writer_see *see, void *arg, struct err *e)
{
	struct writer w = { .see = see, .see_arg = arg };
	int r = check_manifest(manifest, strlen(manifest), e);

	return r < 0 ? r : write_all(&w, tree, manifest, out, c, e);
}

int layer_write(int dirfd, const char *name, int out, enum compression c, writer_see *see, void *arg,
		struct err *e)
{
	const struct merge tree = { .dirfd = dirfd, .roots = &name, .n = 1 };
	struct writer w = { .layer = true, .see = see, .see_arg = arg };

	return write_all(&w, &tree, NULL, out, c, e);
}
