/*
 * writer — make an ACI from a directory that holds "manifest" and "rootfs/".
 *
 * How it works: the walk lists a directory, sorts it and visits it, parents first, with its own stack
 * of names; tarout makes the headers; libarchive's "raw" format is the compressor behind them.
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
#include "image/tarout.h"
#include "schema/image.h"

#define ROOTFS   "rootfs"
#define WHITEOUT ".wh."

enum { CHUNK = 128 << 10, TAR_RECORD = 10240, SYMLINK_MAX_LEN = 4095 };

struct writer {
	int dirfd;
	struct archive *archive;
	uint64_t written;
	struct buf out;
	unsigned char *chunk;
	const char *tree; /* its name in dirfd */
	bool layer;       /* the tree alone, named from its root */
	void (*see)(void *arg, const void *p, size_t n);
	void *see_arg;
	struct inode_set links; /* files with several names, by the first one */
};

static int emit(struct writer *w, const void *p, size_t n, struct err *e)
{
	if (n && archive_write_data(w->archive, p, n) != (la_ssize_t)n) {
		int code = archive_errno(w->archive);
		return err_sys(e, code > 0 ? code : EIO, "write the image");
	}
	if (w->see)
		w->see(w->see_arg, p, n);
	w->written += n;
	return 0;
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

static int emit_entry(struct writer *w, const struct tarout_entry *t, int fd, struct err *e)
{
	auto_buf records = BUF_INIT;
	int r = fd >= 0 && t->type != '1' ? xattr_records(fd, &records, e) : 0;

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

/* What @path is called in the archive. */
static const char *name_in(const struct writer *w, const char *path)
{
	size_t n = strlen(w->tree);

	return !w->layer ? path : path[n] ? path + n + 1 : ".";
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

/* ---- the walk ---- */

static int list_sorted(int fd, char ***ret)
{
	auto_close int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = own < 0 ? NULL : fdopendir(own);
	struct dirent *ent;

	if (!d)
		return -errno;
	(void)steal_fd(&own);
	for (;;) {
		errno = 0;
		ent = readdir(d);
		if (!ent)
			break;
		if (strcmp(ent->d_name, ".") != 0 && strcmp(ent->d_name, "..") != 0)
			strv_push(ret, ent->d_name);
	}
	if (errno)
		return -errno;
	strv_sort(*ret);
	return 0;
}

/* Write what @path (relative to the image) is; put the children of a directory on the stack, last first. */
static int visit(struct writer *w, const char *path, char ***stack, struct err *e)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	const char *name = slash ? slash + 1 : path;
	auto_close int at = open_beneath(w->dirfd, *dir ? dir : ".", O_RDONLY | O_DIRECTORY, 0);
	auto_close int fd = FD_NONE;
	auto_strv names = NULL;
	struct stat st;
	int r;

	if (at < 0 || fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, at < 0 ? -at : errno, "look at %s", path);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (w->layer &&
	    (strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0 || (S_ISCHR(st.st_mode) && st.st_rdev == 0)))
		return err_set(e, ERR_INPUT, EINVAL,
			       "%s would take a file away: no layer can have one of that kind",
			       path + strlen(w->tree) + 1);
	r = write_entry(w, at, name, name_in(w, path), &st, e);
	if (r < 0)
		return err_ctx(e, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = open_beneath(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	r = fd < 0 ? fd : list_sorted(fd, &names);
	if (r < 0)
		return err_sys(e, -r, "list %s", path);
	for (size_t i = strv_len(names); i-- > 0;)
		strv_pushf(stack, "%s/%s", path, names[i]);
	return 0;
}

static int write_tree(struct writer *w, struct err *e)
{
	auto_strv stack = NULL;
	int r = 0;

	strv_push(&stack, w->tree);
	if (!w->layer)
		strv_push(&stack, "manifest");
	for (size_t n = strv_len(stack); r == 0 && n > 0; n = strv_len(stack)) {
		auto_free char *path = steal_ptr(&stack[n - 1]);
		r = visit(w, path, &stack, e);
	}
	if (r < 0)
		return r;
	/* Two blocks of zeros, and a whole record as tar(1) writes. */
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

static int check_input(int dirfd, struct err *e)
{
	auto_buf text = BUF_INIT;
	auto_image_manifest m = NULL;
	struct stat st;
	int r = read_file_at(dirfd, "manifest", IMAGE_MANIFEST_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "read the manifest");
	m = image_manifest_parse(buf_str(&text), text.len, e);
	if (!m)
		return err_ctx(e, "manifest");
	if (fstatat(dirfd, "rootfs", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "look at rootfs");
	return S_ISDIR(st.st_mode) ? 0 : err_set(e, ERR_INPUT, EINVAL, "rootfs is not a directory");
}

static int write_all(struct writer *w, int out, enum compression c, struct err *e)
{
	w->chunk = xmalloc(CHUNK);
	int r = open_compressor(w, out, c, e);
	if (r == 0)
		r = write_tree(w, e);
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
	struct writer w = { .dirfd = dirfd, .tree = ROOTFS };
	int r = check_input(dirfd, e);

	return r < 0 ? r : write_all(&w, out, c, e);
}

int layer_write(int dirfd, const char *name, int out, enum compression c,
		void (*see)(void *arg, const void *p, size_t n), void *arg, struct err *e)
{
	struct writer w = { .dirfd = dirfd, .tree = name, .layer = true, .see = see, .see_arg = arg };

	return write_all(&w, out, c, e);
}
