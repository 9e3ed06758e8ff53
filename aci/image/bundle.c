/* bundle — see bundle.h. */
#include "image/bundle.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "image/entryname.h"
#include "image/extract_parts.h"

/* What is written is read by us alone, and its owner is us. */
static void plain(struct archive_entry *ent, bool is_dir)
{
	archive_entry_set_perm(ent, is_dir ? 0755 : 0644);
	archive_entry_set_uid(ent, 0);
	archive_entry_set_gid(ent, 0);
	archive_entry_xattr_clear(ent);
}

static int bundle_entry(struct extract *x, struct archive_entry *ent, struct err *e)
{
	const char *raw = archive_entry_pathname(ent);
	auto_buf clean = BUF_INIT;
	mode_t type = archive_entry_filetype(ent);
	bool top = raw && (strcmp(raw, ".") == 0 || strcmp(raw, "./") == 0);

	if (archive_entry_hardlink(ent) || (type != AE_IFDIR && type != AE_IFREG && type != AE_IFLNK))
		return err_set(e, ERR_INPUT, EINVAL, "neither file nor directory nor symbolic link");
	if (top && type == AE_IFDIR)
		return 0;
	int r = entryname_clean(raw ? raw : "", x->limits->path_len, x->limits->depth, &clean, e);
	if (r < 0)
		return r;
	buf_clear(&x->path);
	buf_addf(&x->path, EXTRACT_TOP "/%s", buf_str(&clean));
	plain(ent, type == AE_IFDIR);
	return entry_make(x, ent, e);
}

static int no_link(struct extract *x, const char *raw, struct err *e)
{
	(void)x;
	(void)raw;
	return err_set(e, ERR_INPUT, EINVAL, "hard link");
}

static int no_target(struct extract *x)
{
	(void)x;
	return -ENOENT;
}

static int bundle_end(struct extract *x, struct err *e)
{
	(void)x;
	(void)e;
	return 0;
}

int extract_bundle(int in, int dirfd, const struct extract_limits *l, struct buf *tail,
		   struct extract_result *ret, struct err *e)
{
	struct extract x = {
		.in = in,
		.limits = l,
		.tree = TREE_INIT,
		.out = tail,
		.on_entry = bundle_entry,
		.on_end = bundle_end,
		.link_target = no_link,
		.missing_target = no_target,
	};

	if (mkdirat(dirfd, EXTRACT_TOP, 0755) < 0)
		return err_sys(e, errno, "make the root");
	x.tree.replace = true;
	return extract_run(&x, dirfd, ret, e);
}
