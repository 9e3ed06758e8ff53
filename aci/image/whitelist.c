/*
 * whitelist — reduce an extracted tree to the image's own pathWhitelist.
 *
 * Done after extraction because the manifest, which holds the list, may be the archive's last entry.
 */
#include "image/whitelist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fswalk.h"
#include "base/strv.h"

#define TOP "rootfs"

struct list {
	char **paths;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int visit(void *ctx, const struct fswalk_at *at, const char *name, unsigned char type, struct err *e)
{
	const struct list *l = ctx;
	auto_buf path = BUF_INIT;
	const char *key;
	struct stat st;

	(void)type;
	if (fstatat(at->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "look at %s/%s", at->path, name);
	if (S_ISDIR(st.st_mode))
		return FSWALK_DESCEND;
	buf_addf(&path, "%s/%s", at->path, name);
	key = buf_str(&path) + strlen(TOP);
	if (bsearch(&key, l->paths, l->n, sizeof(*l->paths), compare))
		return 0;
	return unlinkat(at->fd, name, 0) < 0 ? err_sys(e, errno, "remove %s", buf_str(&path)) : 0;
}

int whitelist_apply(int dirfd, char **paths, struct err *e)
{
	static const struct fswalk_ops ops = { .entry = visit };
	struct list l = { paths, strv_len(paths) };
	int r;

	qsort(paths, l.n, sizeof(*paths), compare);
	r = fswalk(dirfd, FD_NONE, TOP, &ops, &l, e);
	return r < 0 ? err_ctx(e, "apply pathWhitelist") : 0;
}
