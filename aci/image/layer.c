/*
 * layer — the policy of layers: names, whiteouts, and notes about what cannot be decided here.
 */
#include "image/layer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/path.h"
#include "image/entryname.h"
#include "image/extract_parts.h"
#include "oci/whiteout.h"

#define TOP_LEN strlen(EXTRACT_TOP)

/* @raw, which may begin with slashes, as a path below EXTRACT_TOP in @out. */
static int place(const struct extract *x, const char *raw, struct buf *out, struct err *e)
{
	auto_buf clean = BUF_INIT;
	const char *name = raw + strspn(raw, "/");
	int r = *raw && !*name ? 0 : entryname_clean(name, x->limits->path_len, x->limits->depth, &clean, e);

	buf_clear(out);
	buf_adds(out, EXTRACT_TOP);
	if (r == 0 && clean.len) {
		buf_addc(out, '/');
		buf_adds(out, buf_str(&clean));
	}
	return r;
}

/* The part of a path of ours that the image knows. */
static const char *inside(const struct buf *path)
{
	const char *p = buf_str(path) + TOP_LEN;

	return p + (*p == '/');
}

static int note(struct extract *x, enum layer_note kind, const char *path, const char *target, struct err *e)
{
	buf_addc(x->out, (char)kind);
	buf_add(x->out, path, strlen(path) + 1);
	if (target)
		buf_add(x->out, target, strlen(target) + 1);
	return x->out->len <= LAYER_NOTES_MAX
		       ? 0
		       : err_set(e, ERR_INPUT, E2BIG,
				 "layer with more than %u bytes of names that depend on the layers below",
				 LAYER_NOTES_MAX);
}

/* ".wh.NAME" in DIR: DIR/NAME; ".wh..wh..opq" in DIR: DIR. */
static int note_whiteout(struct extract *x, struct archive_entry *ent, enum oci_whiteout kind,
			 const char *gone, struct err *e)
{
	const char *path = inside(&x->path);
	auto_buf what = BUF_INIT;

	if (archive_entry_size(ent) != 0)
		return err_set(e, ERR_INPUT, EINVAL, "whiteout with data");
	if (kind == OCI_SKIP)
		return 0;
	buf_add(&what, path, (size_t)(path_base(path) - path));
	if (kind == OCI_REMOVE)
		buf_adds(&what, gone);
	else if (what.len)
		what.data[--what.len] = '\0';
	return note(x, kind == OCI_REMOVE ? LAYER_REMOVE : LAYER_OPAQUE, buf_str(&what), NULL, e);
}

static int layer_entry(struct extract *x, struct archive_entry *ent, struct err *e)
{
	const char *raw = archive_entry_pathname(ent), *gone = NULL;
	bool is_dir = archive_entry_filetype(ent) == AE_IFDIR && !archive_entry_hardlink(ent);
	enum oci_whiteout kind = OCI_NO_WHITEOUT;
	int r = place(x, raw ? raw : "", &x->path, e);

	if (r < 0)
		return r;
	if (!*inside(&x->path)) {
		if (!is_dir)
			return err_set(e, ERR_INPUT, EINVAL, "the root is not a directory");
		x->have_rootfs = true;
		return entry_make(x, ent, e);
	}
	r = oci_whiteout_of(inside(&x->path), &kind, &gone, e);
	if (r < 0)
		return r;
	return kind == OCI_NO_WHITEOUT ? entry_make(x, ent, e) : note_whiteout(x, ent, kind, gone, e);
}

static int layer_link_target(struct extract *x, const char *raw, struct err *e)
{
	int r = place(x, raw, &x->target, e);

	if (r == 0 && !*inside(&x->target))
		r = err_set(e, ERR_INPUT, EINVAL, "hard link to the root");
	if (r == 0 && strcmp(buf_str(&x->target), buf_str(&x->path)) == 0)
		r = err_set(e, ERR_INPUT, EINVAL, "hard link to itself");
	return r;
}

static int layer_missing_target(struct extract *x)
{
	struct err full = ERR_INIT;

	return note(x, LAYER_LINK, inside(&x->path), inside(&x->target), &full);
}

/* Of the directories that were implied, those that no later entry named or replaced. */
static int layer_end(struct extract *x, struct err *e)
{
	const struct buf *implied = x->tree.implied;
	const char *end = buf_str(implied) + implied->len;
	int r = x->have_rootfs ? 0 : note(x, LAYER_ROOT, "", NULL, e);

	for (const char *p = buf_str(implied); r == 0 && p < end; p += strlen(p) + 1) {
		const char *path = p + TOP_LEN + (p[TOP_LEN] == '/');
		if (*path && tree_is_implied(&x->tree, p))
			r = note(x, LAYER_IMPLIED, path, NULL, e);
	}
	return r;
}

/* The place of a tree without any entry; the directory is ours and empty. */
static int make_top(int dirfd, struct err *e)
{
	return mkdirat(dirfd, EXTRACT_TOP, 0755) < 0 ? err_sys(e, errno, "make the root") : 0;
}

int extract_layer(int in, int dirfd, const struct extract_limits *l, struct buf *notes,
		  struct extract_result *ret, struct err *e)
{
	auto_buf implied = BUF_INIT;
	struct extract x = {
		.in = in,
		.limits = l,
		.tree = TREE_INIT,
		.out = notes,
		.on_entry = layer_entry,
		.on_end = layer_end,
		.link_target = layer_link_target,
		.missing_target = layer_missing_target,
	};

	x.tree.replace = true;
	x.tree.implied = &implied;
	int r = make_top(dirfd, e);
	return r < 0 ? r : extract_run(&x, dirfd, ret, e);
}
