/* tree — the app's root file system and safe handles on the image's own directories (sandbox.h). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"
#include "stage1/lib/skeleton.h"

#define MOUNT_OPTIONS_MAX 4000 /* bytes; the kernel takes a page */

int tree_own_dir(int root_fd, const char *name, mode_t mode, struct err *e)
{
	if (mkdirat(root_fd, name, mode) == 0) {
		/* the umask took bits away; the directory is new and ours, nothing can have replaced it yet */
		if (fchmodat(root_fd, name, mode, AT_SYMLINK_NOFOLLOW) < 0 &&
		    fchmodat(root_fd, name, mode, 0) < 0)
			return err_sys(e, errno, "mode of /%s in the app's root", name);
	} else if (errno != EEXIST) {
		return err_sys(e, errno, "create /%s in the app's root", name);
	}
	int fd = openat(root_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(e, ERR_INPUT, ENOTDIR, "the image's /%s is not a directory", name);
	if (fd < 0)
		return err_sys(e, errno, "open /%s in the app's root", name);
	return fd;
}

const char *tree_place(struct app_build *a, const char *name)
{
	(void)snprintf(a->at, sizeof(a->at), a->skeleton ? "%s/%s" : "%s", a->root + 1, name);
	return a->at;
}

/* The last component of move_mount's target is not followed when it is a link, so the short way of tree_settle fails
 * where tree_own_dir would refuse; only then we look closer. */
int tree_begin(struct app_build *a, const char *name, const char *fstype, unsigned long flags,
	       const char *options, struct err *e)
{
	if (mount(fstype, tree_place(a, name), fstype, flags, options) < 0)
		return err_sys(e, errno, "mount a new %s", fstype);
	return 0;
}

const char *tree_at(const struct app_build *a, const char *name, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s/%s", a->at, name);
	return out;
}

int tree_settle(const struct app_build *a, const char *name, struct err *e)
{
	struct err first = ERR_INIT;

	if (a->skeleton) /* it is there already */
		return 0;
	if (mnt_move(a->root + 1, a->root_fd, name, &first) == 0)
		return 0;
	auto_close int at = tree_own_dir(a->root_fd, name, 0755, e);
	if (at < 0)
		return at;
	return mnt_move(a->root + 1, at, "", e) < 0 ? err_ctx(e, "/%s", name) : 0;
}

/*
 * The store is three levels up from the pod directory, which is our working directory here.
 * "volatile" (Linux 5.10) spares the sync of the whole host file system when the pod ends: the
 * writable layer of a pod never outlives a crash of the machine as a running pod anyway, durable data
 * belongs to volumes.
 */
static int overlay_root(struct sandbox *s, struct app_build *a, unsigned int flags, struct err *e)
{
	const struct pod_app *in = a->in;
	size_t n = strv_len(in->layers);
	auto_strv lower = NULL;
	auto_free char *upper = xasprintf("overlay/%s/upper", in->rt->name);
	auto_free char *work = xasprintf("overlay/%s/work", in->rt->name);

	for (size_t i = 0; i < n; i++)
		strv_pushf(&lower, "../../../cas/tree/%s/rootfs", in->layers[i]);
	int fd = mnt_overlay((const char *const *)lower, n, upper, work, flags, e);
	if (fd >= 0 && mnt_attach(fd, s->root_fd, a->root + 1, e) < 0)
		fd_close(&fd);
	return fd < 0 ? -e->code : fd;
}

/*
 * The same by one mount(2) over the directory in init's root, which the pod directory shows as "appsinfo"
 * by now; -errno, and then the long way says why, or does what this one cannot: more layers than a page
 * of options names.  Ids and names of apps have nothing in them that the options would have to escape.
 */
static int overlay_at_once(struct app_build *a, unsigned int flags)
{
	const struct pod_app *in = a->in;
	auto_buf o = BUF_INIT;
	auto_free char *at = xasprintf("appsinfo%s", a->root);

	buf_adds(&o, a->skeleton ? "lowerdir=" SKELETON_PATH ":" : "lowerdir=");
	for (size_t i = 0; in->layers[i]; i++)
		buf_addf(&o, "%s../../../cas/tree/%s/rootfs", i ? ":" : "", in->layers[i]);
	buf_addf(&o, ",upperdir=overlay/%s/upper,workdir=overlay/%s/work,volatile", in->rt->name,
		 in->rt->name);
	if (o.len >= MOUNT_OPTIONS_MAX)
		return -E2BIG;
	if (mount("overlay", at, "overlay", flags & MNT_NODEV_ ? MS_NODEV : 0, buf_str(&o)) < 0)
		return -errno;
	int fd = open(at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A /dev that is part of the root would be read-only with it; and of an upper directory that another stage0 made we do not
 * know what it has in the way. */
static int overlay_with_skeleton(const struct sandbox *s, struct app_build *a, unsigned int flags)
{
	bool wanted = s->flavor->flags & FLAVOR_CONFINE && s->ctx->own_stage0 && !a->in->rt->read_only_rootfs;

	a->skeleton = wanted && (skeleton_is_whole() || skeleton_make() == 0);
	int r = a->skeleton ? overlay_at_once(a, flags) : -ENOENT;
	if (r >= 0)
		return r;
	a->skeleton = false;
	return overlay_at_once(a, flags);
}

/* A root that stage0 prepared: a copy, or an overlay that an older stage0 mounted there. */
static int ready_root(struct sandbox *s, struct app_build *a, struct err *e)
{
	auto_free char *path = xasprintf("%s/%s/rootfs", CONTRACT_DIR_STAGE2, a->in->rt->name);
	auto_close int fd = open_beneath(s->ctx->pod_fd, path, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return err_sys(e, -fd, "root file system of app \"%s\" at %s", a->in->rt->name, path);
	int m = mnt_clone(AT_FDCWD, path, false, e);
	if (m >= 0 && (s->flavor->flags & FLAVOR_CONFINE) && mnt_set(m, MNT_NODEV_, false, e) < 0) {
		fd_close(&m);
		return -e->code;
	}
	return m;
}

int tree_attach_root(struct sandbox *s, struct app_build *a, struct err *e)
{
	unsigned int flags = s->flavor->flags & FLAVOR_CONFINE ? MNT_NODEV_ : 0;

	if (mkdirat(s->root_fd, a->root + 1, 0755) < 0)
		return err_sys(e, errno, "create %s", a->root);
	if (s->users.on)
		return mnt_attach(a->root_fd, s->root_fd, a->root + 1, e);
	if (a->in->layers) {
		a->root_fd = overlay_with_skeleton(s, a, flags);
		if (a->root_fd < 0)
			a->root_fd = overlay_root(s, a, flags, e);
		return a->root_fd < 0 ? a->root_fd : 0;
	}
	a->root_fd = ready_root(s, a, e);
	return a->root_fd < 0 ? a->root_fd : mnt_attach(a->root_fd, s->root_fd, a->root + 1, e);
}
