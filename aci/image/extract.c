/*
 * extract — one ACI's tar stream into a directory.
 *
 * How it works: libarchive's tar reader (no filters, no other format) is fed by read_block(), which
 * lets tarscan look at every byte first.  Entries go to the handlers in the table below, which
 * check names and policy and create objects through treemake.  At the end both readers must have
 * counted the same entries and bytes: an archive that two readers see differently is refused.
 */
#include "image/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "image/entryname.h"
#include "image/tarscan.h"
#include "image/treemake.h"
#include "image/whitelist.h"
#include "schema/image.h"

enum { READ_SIZE = 64 << 10, TARGET_MAX = 4095, PAD_MAX = 512 };

const struct extract_limits extract_limits_default = {
	.bytes = 32ull << 30,
	.entries = 1000000,
	.depth = 1024,
	.path_len = 4095,
	.xattr_bytes = 1 << 20,
};

struct extract {
	int in;
	const struct extract_limits *limits;
	struct archive *archive;
	struct tarscan *scan;
	unsigned char *block;
	struct err met; /* what read_block() met, for the caller above libarchive */
	bool padded;
	struct tree tree;
	struct buf path, target;  /* cleaned names of the entry at hand … */
	struct tarscan_note note; /* … and what tarscan says about it */
	struct buf *manifest;
	bool have_manifest, have_rootfs;
	struct extract_result result;
};

/* The next block for libarchive, after tarscan has agreed with it. */
static la_ssize_t read_block(struct archive *a, void *ctx, const void **ret)
{
	struct extract *x = ctx;
	ssize_t n = read_full(x->in, x->block, READ_SIZE);
	int r;

	(void)a;
	*ret = x->block;
	if (n < 0) {
		(void)err_sys(&x->met, (int)-n, "read the image");
		return ARCHIVE_FATAL;
	}
	/* Archives may end without the padding of their last file; libarchive wants to see it. */
	if (n == 0 && !x->padded) {
		x->padded = true;
		n = (ssize_t)tarscan_padding_due(x->scan);
		memset(x->block, 0, PAD_MAX);
	}
	r = n ? tarscan_feed(x->scan, x->block, (size_t)n, &x->met) : tarscan_end(x->scan, &x->met);
	return r < 0 ? ARCHIVE_FATAL : (la_ssize_t)n;
}

/* An error of libarchive's, unless our own side had one first. */
static int archive_failed(struct extract *x, struct err *e)
{
	const char *text = archive_error_string(x->archive);
	auto_buf safe = BUF_INIT;

	if (x->met.code)
		return err_copy(e, &x->met);
	text = text ? text : "unreadable archive";
	buf_add_escaped(&safe, text, strlen(text));
	return err_set(e, ERR_INPUT, EINVAL, "%s", buf_str(&safe));
}

/* ---- data ---- */

typedef int sink_fn(void *ctx, const void *p, size_t n, uint64_t at, struct err *e);

static bool all_zero(const char *p, size_t n)
{
	return n && !*p && memcmp(p, p + 1, n - 1) == 0;
}

/* Zeros are left out: a hole reads the same and takes no room. */
static int to_file(void *ctx, const void *p, size_t n, uint64_t at, struct err *e)
{
	int fd = *(int *)ctx, r;

	if (all_zero(p, n))
		return 0;
	if (lseek(fd, (off_t)at, SEEK_SET) < 0)
		return err_sys(e, errno, "go to offset %llu", (unsigned long long)at);
	r = write_full(fd, p, n);
	return r < 0 ? err_sys(e, -r, "write") : 0;
}

static int to_buf(void *ctx, const void *p, size_t n, uint64_t at, struct err *e)
{
	(void)at, (void)e;
	buf_add(ctx, p, n);
	return 0;
}

static int misfit(struct err *e)
{
	return err_set(e, ERR_INPUT, EINVAL, "data does not fit the size in the header");
}

/* All data of the entry at hand, whose size must be what its header said.  libarchive reports holes as jumps; they
 * count only where tarscan has seen a map. */
static int read_data(struct extract *x, int64_t size, sink_fn *sink, void *ctx, struct err *e)
{
	uint64_t at = 0;

	for (;;) {
		const void *p;
		size_t n;
		la_int64_t offset;
		int r = archive_read_data_block(x->archive, &p, &n, &offset);

		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return archive_failed(x, e);
		if (offset < 0 || (uint64_t)offset < at || offset > size || n > (uint64_t)(size - offset) ||
		    (!x->note.sparse && (uint64_t)offset != at))
			return misfit(e);
		r = n ? sink(ctx, p, n, (uint64_t)offset, e) : 0;
		if (r < 0)
			return r;
		at = (uint64_t)offset + n;
	}
	if (!x->note.sparse && at != (uint64_t)size)
		return misfit(e);
	x->result.bytes += (uint64_t)size;
	return 0;
}

/* Size of the entry at hand, inside the budget. */
static int data_size(const struct extract *x, struct archive_entry *ent, int64_t *ret, struct err *e)
{
	*ret = archive_entry_size(ent);
	if (*ret < 0)
		return err_set(e, ERR_INPUT, EINVAL, "negative size");
	if ((uint64_t)*ret > x->limits->bytes - x->result.bytes)
		return err_set(e, ERR_INPUT, E2BIG, "image holds more than the limit of %llu bytes",
			       (unsigned long long)x->limits->bytes);
	return 0;
}

/* ---- what an entry carries ---- */

static bool xattr_wanted(const char *name, mode_t type)
{
	if (strcmp(name, "security.capability") == 0)
		return type == AE_IFREG;
	/* user.overlay.* steers an overlay that is mounted with userxattr. */
	return strncmp(name, "user.", 5) == 0 && name[5] && strncmp(name, "user.overlay.", 13) != 0;
}

/* Filtered attributes; *ret is heap and borrows from @ent. */
static int collect_xattrs(const struct extract *x, struct archive_entry *ent, mode_t type,
			  struct tree_xattr **ret, size_t *ret_n, struct err *e)
{
	int count = archive_entry_xattr_reset(ent);
	uint64_t total = 0;
	const char *name;
	const void *value;
	size_t len;

	*ret_n = 0;
	*ret = count > 0 ? xcalloc((size_t)count, sizeof(**ret)) : NULL;
	for (int i = 0; i < count && archive_entry_xattr_next(ent, &name, &value, &len) == ARCHIVE_OK; i++) {
		total += strlen(name) + len;
		if (total > x->limits->xattr_bytes)
			return err_set(e, ERR_INPUT, E2BIG,
				       "extended attributes larger than the limit of %llu bytes",
				       (unsigned long long)x->limits->xattr_bytes);
		if ((type == AE_IFREG || type == AE_IFDIR) && xattr_wanted(name, type))
			(*ret)[(*ret_n)++] = (struct tree_xattr){ name, value, len };
	}
	return 0;
}

static struct timespec entry_time(struct archive_entry *ent)
{
	struct timespec t = { archive_entry_mtime(ent), archive_entry_mtime_nsec(ent) };

	/* libarchive reads the fraction of "-1.25" as if it were positive. */
	if (t.tv_sec < 0 && t.tv_nsec > 0) {
		t.tv_sec--;
		t.tv_nsec = 1000000000 - t.tv_nsec;
	}
	return t;
}

static int entry_meta(struct archive_entry *ent, struct tree_meta *m, struct err *e)
{
	int64_t uid = archive_entry_uid(ent), gid = archive_entry_gid(ent);

	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return err_set(e, ERR_INPUT, EINVAL, "user or group id out of range");
	m->uid = (uid_t)uid;
	m->gid = (gid_t)gid;
	m->mode = archive_entry_perm(ent) & 07777;
	m->mtime = entry_time(ent);
	return 0;
}

/* Records that were taken back: the header's numbers, which tarscan has checked. */
static void correct_meta(const struct tarscan_note *n, struct tree_meta *m)
{
	if (n->uid_set)
		m->uid = (uid_t)n->uid;
	if (n->gid_set)
		m->gid = (gid_t)n->gid;
	if (n->mtime_set)
		m->mtime = (struct timespec){ .tv_sec = n->mtime };
}

/* ---- one handler a type ---- */

typedef int handler_fn(struct extract *x, struct archive_entry *ent, const struct tree_meta *m,
		       struct err *e);

static int on_dir(struct extract *x, struct archive_entry *ent, const struct tree_meta *m, struct err *e)
{
	/* A regular file whose name ends with a slash is a directory to every reader. */
	if (archive_entry_size(ent) != 0)
		return err_set(e, ERR_INPUT, EINVAL, "directory with data");
	return tree_dir(&x->tree, buf_str(&x->path), m, e);
}

static int on_file(struct extract *x, struct archive_entry *ent, const struct tree_meta *m, struct err *e)
{
	auto_close int fd = FD_NONE;
	int64_t size = 0;
	int r = data_size(x, ent, &size, e);

	if (r < 0)
		return r;
	fd = tree_file(&x->tree, buf_str(&x->path), e);
	if (fd < 0)
		return fd;
	r = read_data(x, size, to_file, &fd, e);
	/* a hole at the end */
	if (r == 0 && ftruncate(fd, size) < 0)
		r = err_sys(e, errno, "set the size");
	return r < 0 ? r : tree_file_end(&x->tree, fd, m, e);
}

static int on_symlink(struct extract *x, struct archive_entry *ent, const struct tree_meta *m, struct err *e)
{
	const char *target = archive_entry_symlink(ent);

	if (!target || !*target)
		return err_set(e, ERR_INPUT, EINVAL, "symbolic link without a target");
	if (strlen(target) > TARGET_MAX)
		return err_set(e, ERR_INPUT, EINVAL, "symbolic link with a target of more than %d bytes",
			       TARGET_MAX);
	return tree_symlink(&x->tree, buf_str(&x->path), target, m, e);
}

static int on_node(struct extract *x, struct archive_entry *ent, const struct tree_meta *m, struct err *e)
{
	mode_t type = archive_entry_filetype(ent);
	dev_t rdev = type == AE_IFIFO ? 0
				      : makedev(archive_entry_rdevmajor(ent), archive_entry_rdevminor(ent));

	/* An overlay takes this node for "deleted here". */
	if (type == AE_IFCHR && rdev == 0)
		return err_set(e, ERR_INPUT, EINVAL, "character device 0:0");
	return tree_node(&x->tree, buf_str(&x->path), type, rdev, m, e);
}

static int on_hardlink(struct extract *x, struct archive_entry *ent, struct err *e)
{
	const char *raw = archive_entry_hardlink(ent);
	auto_buf quoted = BUF_INIT;
	int r = entryname_clean(raw, x->limits->path_len, x->limits->depth, &x->target, e);

	if (r == 0 && strncmp(buf_str(&x->target), "rootfs/", 7) != 0)
		r = err_set(e, ERR_INPUT, EINVAL, "not below rootfs");
	if (r == 0)
		return tree_hardlink(&x->tree, buf_str(&x->path), buf_str(&x->target), e);
	entryname_quote(&quoted, raw);
	return err_ctx(e, "hard link to %s", buf_str(&quoted));
}

static const struct {
	mode_t type;
	handler_fn *handle;
} handlers[] = {
	{ AE_IFDIR, on_dir },  { AE_IFREG, on_file }, { AE_IFLNK, on_symlink },
	{ AE_IFCHR, on_node }, { AE_IFBLK, on_node }, { AE_IFIFO, on_node },
};

static handler_fn *handler_for(mode_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
		if (handlers[i].type == type)
			return handlers[i].handle;
	}
	return NULL;
}

/* ---- entries ---- */

static int on_manifest(struct extract *x, struct archive_entry *ent, struct err *e)
{
	int64_t size = 0;
	int r;

	if (archive_entry_hardlink(ent) || archive_entry_filetype(ent) != AE_IFREG || x->note.sparse)
		return err_set(e, ERR_INPUT, EINVAL, "the manifest is not a regular file");
	if (x->have_manifest)
		return err_set(e, ERR_INPUT, EINVAL, "named twice in the archive");
	x->have_manifest = true;
	r = data_size(x, ent, &size, e);
	if (r < 0)
		return r;
	if (size > IMAGE_MANIFEST_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "the manifest is larger than the limit of %u bytes",
			       IMAGE_MANIFEST_MAX);
	return read_data(x, size, to_buf, x->manifest, e);
}

static int on_rootfs_entry(struct extract *x, struct archive_entry *ent, struct err *e)
{
	auto_free struct tree_xattr *xattrs = NULL;
	mode_t type = archive_entry_filetype(ent);
	handler_fn *handle = handler_for(type);
	struct tree_meta m = { 0 };
	int r = entry_meta(ent, &m, e);

	correct_meta(&x->note, &m);
	if (r == 0)
		r = collect_xattrs(x, ent, type, &xattrs, &m.nxattrs, e);
	if (r < 0)
		return r;
	if (archive_entry_hardlink(ent))
		return on_hardlink(x, ent, e);
	if (!handle)
		return err_set(e, ERR_INPUT, EINVAL, "unknown entry type");
	m.xattrs = xattrs;
	return handle(x, ent, &m, e);
}

static int on_entry(struct extract *x, struct archive_entry *ent, struct err *e)
{
	const char *raw = archive_entry_pathname(ent), *path;
	bool is_dir = archive_entry_filetype(ent) == AE_IFDIR && !archive_entry_hardlink(ent);
	int r = entryname_clean(raw ? raw : "", x->limits->path_len, x->limits->depth, &x->path, e);

	if (r < 0)
		return r;
	if (++x->result.entries > x->limits->entries)
		return err_set(e, ERR_INPUT, E2BIG, "image holds more than the limit of %llu entries",
			       (unsigned long long)x->limits->entries);
	x->note = tarscan_note(x->scan, x->result.entries);
	path = buf_str(&x->path);
	if (strcmp(path, "manifest") == 0)
		return on_manifest(x, ent, e);
	if (!*path || strcmp(path, "rootfs") == 0) {
		if (!is_dir)
			return err_set(e, ERR_INPUT, EINVAL, "not a directory");
		if (!*path)
			return 0; /* "./" as tar(1) packs it; the store decides about that directory */
		x->have_rootfs = true;
	} else if (strncmp(path, "rootfs/", 7) != 0) {
		return err_set(e, ERR_INPUT, EINVAL, "an image holds only \"manifest\" and \"rootfs\"");
	}
	return on_rootfs_entry(x, ent, e);
}

static int read_entries(struct extract *x, struct err *e)
{
	for (;;) {
		struct archive_entry *ent;
		int r = archive_read_next_header(x->archive, &ent);

		if (r == ARCHIVE_EOF)
			return x->met.code ? err_copy(e, &x->met) : 0;
		/* Warnings are about names that the C locale cannot convert, which we take as bytes. */
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return archive_failed(x, e);
		r = on_entry(x, ent, e);
		if (r < 0 && !x->met.code) {
			auto_buf quoted = BUF_INIT;
			const char *raw = archive_entry_pathname(ent);

			entryname_quote(&quoted, raw ? raw : "");
			return err_ctx(e, "entry %s", buf_str(&quoted));
		}
		if (r < 0)
			return r;
	}
}

/* Whatever follows the end marker still belongs to the stream. */
static int drain(struct extract *x, struct err *e)
{
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read_full(x->in, x->block, READ_SIZE)) != 0)
		r = n < 0 ? err_sys(e, (int)-n, "read the image")
			  : tarscan_feed(x->scan, x->block, (size_t)n, e);
	return r < 0 ? r : tarscan_end(x->scan, e);
}

static int step_read(struct extract *x, struct err *e)
{
	int r = archive_read_open(x->archive, x, NULL, read_block, NULL);

	return r == ARCHIVE_OK ? read_entries(x, e) : archive_failed(x, e);
}

static int step_compare(struct extract *x, struct err *e)
{
	int r = drain(x, e);

	if (r < 0)
		return r;
	/* Two readers, one archive. */
	if (tarscan_entries(x->scan) != x->result.entries || tarscan_bytes(x->scan) != x->result.bytes)
		return err_set(e, ERR_INPUT, EINVAL, "ambiguous archive: readers disagree about its entries");
	return 0;
}

static int step_manifest(struct extract *x, struct err *e)
{
	auto_image_manifest m = NULL;

	if (!x->have_manifest)
		return err_set(e, ERR_INPUT, EINVAL, "no manifest in the image");
	if (!x->have_rootfs)
		return err_set(e, ERR_INPUT, EINVAL, "no rootfs directory in the image");
	if (x->manifest->len == 0)
		return err_set(e, ERR_INPUT, EINVAL, "empty manifest");
	m = image_manifest_parse(buf_str(x->manifest), x->manifest->len, e);
	if (!m)
		return err_ctx(e, "manifest");
	return m->path_whitelist ? whitelist_apply(x->tree.root, m->path_whitelist, e) : 0;
}

static int step_finish(struct extract *x, struct err *e)
{
	return tree_finish(&x->tree, e);
}

/* What an extraction does, in this order: the tree gets its final modes and times last. */
static int (*const steps[])(struct extract *x, struct err *e) = { step_read, step_compare, step_manifest,
								  step_finish };

int extract_aci(int in, int dirfd, const struct extract_limits *l, struct buf *manifest,
		struct extract_result *ret, struct err *e)
{
	struct extract x = { .in = in, .limits = l, .tree = TREE_INIT, .manifest = manifest };
	mode_t mask = umask(0);
	int r = tree_init(&x.tree, dirfd, e);

	buf_clear(manifest);
	x.block = xmalloc(READ_SIZE);
	x.scan = tarscan_new();
	x.archive = archive_read_new();
	if (r == 0 && (!x.archive || archive_read_support_format_tar(x.archive) != ARCHIVE_OK))
		r = err_set(e, ERR_SYS, ENOMEM, "start the tar reader");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(steps); i++)
		r = steps[i](&x, e);
	x.result.xattrs_skipped = x.tree.xattrs_skipped;
	/* Callers tell hostile input from a full disk by code: the rules broken are in the text. */
	if (r < 0 && e->cls == ERR_INPUT && e->code != E2BIG) {
		e->code = EINVAL;
		r = -EINVAL;
	}
	(void)archive_read_free(x.archive);
	tarscan_free(x.scan);
	free(x.block);
	tree_done(&x.tree);
	buf_done(&x.path);
	buf_done(&x.target);
	(void)umask(mask);
	if (r == 0)
		*ret = x.result;
	return r;
}
