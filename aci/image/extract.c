/*
 * extract — one ACI's tar stream into a directory.
 *
 * How it works: libarchive's tar reader (no filters, no other format) is fed by read_block(), which
 * lets tarscan look at every byte first.  Entries go to the policy of their kind, of which the one for ACIs is here,
 * and from there to entrymake.c.  At the end both readers must have counted the same entries and bytes: an
 * archive that two readers see differently is refused.
 */
#include "image/extract.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "image/entryname.h"
#include "image/extract_parts.h"
#include "image/whitelist.h"
#include "schema/image.h"

enum { READ_SIZE = 64 << 10, PAD_MAX = 512 };

const struct extract_limits extract_limits_default = {
	.bytes = EXTRACT_BYTES,
	.entries = EXTRACT_ENTRIES,
	.depth = EXTRACT_DEPTH,
	.path_len = EXTRACT_PATH,
	.xattr_bytes = 1 << 20,
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

int extract_archive_failed(struct extract *x, struct err *e)
{
	const char *text = archive_error_string(x->archive);
	auto_buf safe = BUF_INIT;

	if (x->met.code)
		return err_copy(e, &x->met);
	text = text ? text : "unreadable archive";
	buf_add_escaped(&safe, text, strlen(text));
	return err_set(e, ERR_INPUT, EINVAL, "%s", buf_str(&safe));
}

/* ---- entries ---- */

static int aci_manifest_entry(struct extract *x, struct archive_entry *ent, struct err *e)
{
	int64_t size = 0;
	int r;

	if (archive_entry_hardlink(ent) || archive_entry_filetype(ent) != AE_IFREG || x->note.sparse)
		return err_set(e, ERR_INPUT, EINVAL, "the manifest is not a regular file");
	if (x->have_manifest)
		return err_set(e, ERR_INPUT, EINVAL, "named twice in the archive");
	x->have_manifest = true;
	r = entry_size(x, ent, &size, e);
	if (r < 0)
		return r;
	if (size > IMAGE_MANIFEST_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "the manifest is larger than the limit of %u bytes",
			       IMAGE_MANIFEST_MAX);
	return entry_read(x, size, x->out, e);
}

static int aci_entry(struct extract *x, struct archive_entry *ent, struct err *e)
{
	const char *raw = archive_entry_pathname(ent), *path;
	bool is_dir = archive_entry_filetype(ent) == AE_IFDIR && !archive_entry_hardlink(ent);
	int r = entryname_clean(raw ? raw : "", x->limits->path_len, x->limits->depth, &x->path, e);

	if (r < 0)
		return r;
	path = buf_str(&x->path);
	if (strcmp(path, "manifest") == 0)
		return aci_manifest_entry(x, ent, e);
	if (!*path || strcmp(path, EXTRACT_TOP) == 0) {
		if (!is_dir)
			return err_set(e, ERR_INPUT, EINVAL, "not a directory");
		if (!*path)
			return 0; /* "./" as tar(1) packs it; the store decides about that directory */
		x->have_rootfs = true;
	} else if (strncmp(path, EXTRACT_TOP "/", strlen(EXTRACT_TOP "/")) != 0) {
		return err_set(e, ERR_INPUT, EINVAL, "an image holds only \"manifest\" and \"rootfs\"");
	}
	return entry_make(x, ent, e);
}

static int aci_link_target(struct extract *x, const char *raw, struct err *e)
{
	int r = entryname_clean(raw, x->limits->path_len, x->limits->depth, &x->target, e);

	if (r == 0 && strncmp(buf_str(&x->target), EXTRACT_TOP "/", strlen(EXTRACT_TOP "/")) != 0)
		r = err_set(e, ERR_INPUT, EINVAL, "not below rootfs");
	return r;
}

static int aci_missing_target(struct extract *x)
{
	(void)x;
	return -ENOENT;
}

static int aci_end(struct extract *x, struct err *e)
{
	auto_image_manifest m = NULL;

	if (!x->have_manifest)
		return err_set(e, ERR_INPUT, EINVAL, "no manifest in the image");
	if (!x->have_rootfs)
		return err_set(e, ERR_INPUT, EINVAL, "no rootfs directory in the image");
	if (x->out->len == 0)
		return err_set(e, ERR_INPUT, EINVAL, "empty manifest");
	m = image_manifest_parse(buf_str(x->out), x->out->len, e);
	if (!m)
		return err_ctx(e, "manifest");
	return m->path_whitelist ? whitelist_apply(x->tree.root, m->path_whitelist, e) : 0;
}

int extract_aci(int in, int dirfd, const struct extract_limits *l, struct buf *manifest,
		struct extract_result *ret, struct err *e)
{
	struct extract x = {
		.in = in,
		.limits = l,
		.tree = TREE_INIT,
		.out = manifest,
		.on_entry = aci_entry,
		.on_end = aci_end,
		.link_target = aci_link_target,
		.missing_target = aci_missing_target,
	};

	return extract_run(&x, dirfd, ret, e);
}

/* ---- the engine ---- */

static int count_entry(struct extract *x, struct err *e)
{
	if (++x->result.entries > x->limits->entries)
		return err_set(e, ERR_INPUT, E2BIG, "image holds more than the limit of %llu entries",
			       (unsigned long long)x->limits->entries);
	x->note = tarscan_note(x->scan, x->result.entries);
	return 0;
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
			return extract_archive_failed(x, e);
		r = count_entry(x, e);
		if (r == 0)
			r = x->on_entry(x, ent, e);
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

	return r == ARCHIVE_OK ? read_entries(x, e) : extract_archive_failed(x, e);
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

static int step_kind(struct extract *x, struct err *e)
{
	return x->on_end(x, e);
}

static int step_finish(struct extract *x, struct err *e)
{
	return tree_finish(&x->tree, e);
}

/* What an extraction does, in this order: the tree gets its final modes and times last. */
static int (*const steps[])(struct extract *x, struct err *e) = { step_read, step_compare, step_kind,
								  step_finish };

int extract_run(struct extract *x, int dirfd, struct extract_result *ret, struct err *e)
{
	mode_t mask = umask(0);
	int r = tree_init(&x->tree, dirfd, e);

	buf_clear(x->out);
	x->block = xmalloc(READ_SIZE);
	x->scan = tarscan_new();
	x->archive = archive_read_new();
	if (r == 0 && (!x->archive || archive_read_support_format_tar(x->archive) != ARCHIVE_OK ||
		       archive_read_support_format_empty(x->archive) != ARCHIVE_OK))
		r = err_set(e, ERR_SYS, ENOMEM, "start the tar reader");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(steps); i++)
		r = steps[i](x, e);
	x->result.xattrs_skipped = x->tree.xattrs_skipped;
	/* Callers tell hostile input from a full disk by code: the rules broken are in the text. */
	if (r < 0 && e->cls == ERR_INPUT && e->code != E2BIG) {
		e->code = EINVAL;
		r = -EINVAL;
	}
	(void)archive_read_free(x->archive);
	tarscan_free(x->scan);
	free(x->block);
	tree_done(&x->tree);
	buf_done(&x->path);
	buf_done(&x->target);
	(void)umask(mask);
	if (r == 0)
		*ret = x->result;
	return r;
}
