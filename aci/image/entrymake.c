/*
 * entrymake — one entry of an archive becomes a file, a directory or whatever else it describes.
 *
 * The handlers in the table below check what the entry carries and create through treemake.  Names were
 * judged before.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "image/entryname.h"
#include "image/extract_parts.h"

enum { TARGET_MAX = 4095 };

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
			return extract_archive_failed(x, e);
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

int entry_size(const struct extract *x, struct archive_entry *ent, int64_t *ret, struct err *e)
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
	int r = entry_size(x, ent, &size, e);

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
	int r = x->link_target(x, raw, e);

	if (r == 0)
		r = tree_hardlink(&x->tree, buf_str(&x->path), buf_str(&x->target), e);
	if (r == -ENOENT && x->missing_target(x) == 0) {
		err_clear(e);
		r = 0;
	}
	if (r == 0)
		return 0;
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

int entry_read(struct extract *x, int64_t size, struct buf *out, struct err *e)
{
	return read_data(x, size, to_buf, out, e);
}

int entry_make(struct extract *x, struct archive_entry *ent, struct err *e)
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
