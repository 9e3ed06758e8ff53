/*
 * fsrm — rm_tree_at: delete a tree that somebody else made, at any depth.
 */
#include "base/fsat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/fswalk.h"

#define LISTINGS_MAX 64 /* somebody keeps filling the directory that we empty */

struct removal {
	unsigned int listings;
};

/* Empty directories and everything else go at once; FSWALK_DESCEND for a full directory. */
static int remove_entry(void *ctx, const struct fswalk_at *at, const char *name, unsigned char type,
			struct err *e)
{
	const char *slash = *at->path ? "/" : "";

	(void)ctx;
	if (type != DT_DIR) {
		if (unlinkat(at->fd, name, 0) == 0 || errno == ENOENT)
			return 0;
		if (errno != EISDIR)
			return err_sys(e, errno, "remove %s%s%s", at->path, slash, name);
	}
	if (unlinkat(at->fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == EBUSY)
		return err_set(e, ERR_SYS, EBUSY, "remove %s%s%s: it is a mount point", at->path, slash,
			       name);
	if (errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(e, errno, "remove %s%s%s", at->path, slash, name);
	return FSWALK_DESCEND;
}

static int remove_emptied(void *ctx, const struct fswalk_at *outer, const char *name,
			  const struct fswalk_at *inner, struct err *e)
{
	struct removal *rm = ctx;

	if (unlinkat(outer->fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if ((errno == ENOTEMPTY || errno == EEXIST) && ++rm->listings < LISTINGS_MAX)
		return FSWALK_AGAIN;
	return err_sys(e, errno, "remove %s", inner->path);
}

int rm_tree_at(int dirfd, const char *name, struct err *e)
{
	static const struct fswalk_ops ops = { .entry = remove_entry,
					       .leave = remove_emptied,
					       .skip_vanished = true };
	auto_free char *last = NULL;
	struct removal rm = { 0 };

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) /* would empty what cannot be removed */
		return err_sys(e, EINVAL, "remove %s", name);
	/* Starting from the directory above lets the mount check cover @name itself. */
	if (*name && !strchr(name, '/') && dirfd != AT_FDCWD)
		return fswalk(dirfd, FD_NONE, name, &ops, &rm, e);
	auto_close int parent = fswalk_parent(dirfd, name, &last);

	if (parent == -ENOENT)
		return 0;
	if (parent < 0)
		return err_sys(e, -parent, "remove %s", name);
	if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return err_sys(e, EINVAL, "remove %s", name);
	return fswalk(parent, FD_NONE, last, &ops, &rm, e);
}
