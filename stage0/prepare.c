/*
 * prepare — writing the pod directory (stage0/prepare.h, internals.md section 3.2).
 *
 * The pod is locked and still ours alone, so files are written in place.  Nothing is synced: `rkt run`
 * makes pods that end with the machine; for `rkt prepare` the move to prepared/ syncs once.
 */
#include "stage0/prepare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/log.h"
#include "stage0/imagelayers.h"
#include "stage0/prepmerge.h"
#include "stage0/summary.h"
#include "stage0/userns.h"
#include "stage1/contract.h"

/* ---- can this data directory hold the upper layer of an overlay? ---- */

/* Not in linux/magic.h. */
#define AUFS_MAGIC 0x61756673
#define ZFS_MAGIC  0x2fc12fc1

static const struct {
	unsigned long magic;
	const char *name;
} unfit[] = {
	{ OVERLAYFS_SUPER_MAGIC, "an overlay" },
	{ AUFS_MAGIC, "aufs" },
	{ ZFS_MAGIC, "zfs" },
	{ NFS_SUPER_MAGIC, "nfs" },
	{ ECRYPTFS_SUPER_MAGIC, "ecryptfs" },
};

/* Directory entries of XFS may lack the type (made with ftype=0), which overlayfs needs. */
static bool entries_have_types(int dirfd)
{
	auto_close int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry = d ? readdir(d) : NULL;

	if (d)
		(void)steal_fd(&fd);
	return !entry || entry->d_type != DT_UNKNOWN;
}

/* NULL if overlays work on @data_fd, else what is in the way. */
static const char *overlay_obstacle(int data_fd)
{
	struct statfs fs;
	int fd;

	if (fstatfs(data_fd, &fs) == 0) {
		for (size_t i = 0; i < ARRAY_LEN(unfit); i++) {
			if ((unsigned long)fs.f_type == unfit[i].magic)
				return unfit[i].name;
		}
		if ((unsigned long)fs.f_type == XFS_SUPER_MAGIC && !entries_have_types(data_fd))
			return "xfs without file types (ftype=0)";
	}
	/* Also loads the kernel module.  Kernels without fsopen(2), before 5.2, find out when they mount. */
	fd = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	if (fd < 0)
		return errno == ENODEV ? "a kernel without overlayfs" : NULL;
	return NULL; /* it ends with our execve, or with us */
}

static bool use_overlay(const struct pod_request *r, const struct pod *p)
{
	const char *obstacle = r->no_overlay ? NULL : overlay_obstacle(p->data->fd);

	if (obstacle)
		log_warn("%s is on %s, where overlays do not work: copying the images instead", p->data->path,
			 obstacle);
	return !r->no_overlay && !obstacle;
}

/* ---- files; their descriptors end with our execve, or with us ---- */

static int new_dir(const struct pod *p, const char *name, mode_t mode, struct err *e)
{
	if (mkdirat(p->fd, name, mode) < 0 && errno != EEXIST)
		return err_sys(e, errno, "create %s", name);
	return 0;
}

static int new_file(const struct pod *p, const char *name, const void *data, size_t len, mode_t mode,
		    struct err *e)
{
	int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	int r = fd < 0 ? -errno : len ? write_full(fd, data, len) : 0;

	return r < 0 ? err_sys(e, -r, "write %s", name) : 0;
}

/* ---- roots ---- */

/* overlay/<app>/{upper,work}: the upper directory becomes the root, so it looks like the image's. */
static int make_upper(const struct pod *p, uint32_t shift, const char *app, const struct stat *st,
		      struct err *e)
{
	auto_free char *dir = xasprintf(POD_DIR_OVERLAY "/%s", app);
	auto_free char *upper = xasprintf("%s/upper", dir), *work = xasprintf("%s/work", dir);
	int r = new_dir(p, dir, 0700, e);

	if (r == 0)
		r = new_dir(p, work, 0700, e);
	if (r == 0)
		r = new_dir(p, upper, st->st_mode & 0755, e);
	if (r < 0)
		return r;
	/* what most images have needs no further word: root's, and nothing that the umask takes away */
	uid_t uid = st->st_uid + shift;
	gid_t gid = st->st_gid + shift;
	if ((uid || gid) && fchownat(p->fd, upper, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "set the owner of %s", upper);
	if ((st->st_mode & 07777 & ~0755) && fchmodat(p->fd, upper, st->st_mode & 07777, 0) < 0)
		return err_sys(e, errno, "set the mode of %s", upper);
	return 0;
}

/* stage1/rootfs/opt/stage2/<app>/rootfs: a copy of the tree. */
static int copy_root(const struct pod *p, const char *app, int tree, struct err *e)
{
	auto_free char *path = xasprintf(CONTRACT_DIR_STAGE2 "/%s/rootfs", app);
	auto_close int to = FD_NONE;
	int r = mkdir_p_at(p->fd, path, 0755);

	if (r < 0)
		return err_sys(e, -r, "create %s", path);
	to = openat(p->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return to < 0 ? err_sys(e, errno, "open %s", path) : copy_tree_at(tree, to, e);
}

/*
 * The pod says that it stands on the tree, and only then we look whether the image is there: who removes
 * images does it the other way round (imageuse.h), so one of the two notices the other.
 */
static int claim_image(const struct placing *j, const char *id, struct err *e)
{
	if (store_touch(j->store, id) == 0)
		return 0;
	return err_set(e, ERR_STATE, ENOENT, "image %s was removed from the store meanwhile", id);
}

static int tree_missing(int r, struct err *e)
{
	return r == -ENOENT ? err_hint(e, "fetch it again as root") : r;
}

static int place_root(const struct placing *j, const char *app, const char *id, struct err *e)
{
	auto_free char *trees = NULL;
	struct stat st;
	int r;

	/* For stage1 images of rkt 1.30 the overlays are stage0's: classic.c makes their directories. */
	if (j->overlay) {
		r = store_tree_stat(j->store, id, &st, e);
		if (r < 0)
			return tree_missing(r, e);
		return j->stage1->native ? make_upper(j->pod, j->shift, app, &st, e) : 0;
	}
	auto_close int tree = store_tree_open(j->store, id, e);
	if (tree < 0)
		return tree_missing(tree, e);
	r = copy_root(j->pod, app, tree, e);
	trees = xasprintf(POD_DIR_APPSINFO "/%s/" POD_APP_TREES, app);
	/* It needs the tree no longer. */
	if (r == 0 && unlinkat(j->pod->fd, trees, 0) < 0)
		r = err_sys(e, errno, "remove %s", trees);
	return r;
}

/* The claim: a record for our flavors, a file for others. */
static int write_trees(const struct placing *j, const char *name, const char *list, struct err *e)
{
	int r = j->stage1->native ? record_write_at(j->pod->fd, name, list) : 1;

	if (r > 0)
		return new_file(j->pod, name, list, strlen(list), 0644, e);
	return r < 0 ? err_sys(e, -r, "write %s", name) : 0;
}

int place_app(const struct placing *j, const char *app, const struct image_info *image, struct err *e)
{
	auto_free char *info = xasprintf(POD_DIR_APPSINFO "/%s", app);
	auto_free char *manifest = xasprintf("%s/manifest", info),
		       *trees = xasprintf("%s/" POD_APP_TREES, info);
	auto_free char *list = image_info_tree_list(image);
	int r = new_dir(j->pod, info, 0755, e);

	if (r == 0 && image->nlayers > 1 && !(j->overlay && j->stage1->native))
		return err_set(e, ERR_INPUT, ENOTSUP,
			       "image \"%s\" has %zu layers, which only overlays of an installed stage1 put "
			       "together",
			       image->name, image->nlayers);

	if (r == 0)
		r = new_file(j->pod, manifest, image->manifest, strlen(image->manifest), 0644, e);
	if (r == 0)
		r = write_trees(j, trees, list, e);
	if (r == 0)
		r = claim_image(j, image->id, e);
	if (r < 0)
		return r;
	return place_root(j, app, image_info_root_tree(image), e);
}

static int place_apps(const struct placing *j, const struct merged *m, struct err *e)
{
	int r = new_dir(j->pod, POD_DIR_APPSINFO, 0755, e);

	if (r == 0 && j->overlay)
		r = new_dir(j->pod, POD_DIR_OVERLAY, 0755, e);
	for (size_t i = 0; r == 0 && i < m->manifest->napps; i++) {
		r = place_app(j, m->manifest->apps[i].name, &m->images[i], e);
		if (r < 0)
			return err_ctx(e, "app \"%s\"", m->manifest->apps[i].name);
	}
	return r;
}

/* rkt 1.30 makes some things always that our flavors make when they need them. */
static int write_marks(const struct placing *j, const struct merged *m, struct err *e)
{
	int r = 0;

	if (!j->stage1->native)
		r = new_dir(j->pod, POD_DIR_VOLUMES, 0755, e);
	if (r == 0)
		r = new_file(j->pod, POD_FILE_MANIFEST, m->text, m->len, 0640, e);
	if (r == 0 && j->overlay && !j->stage1->native)
		r = new_file(j->pod, POD_FILE_OVERLAY, NULL, 0, 0644, e);
	/* one call for an empty file */
	if (r == 0 && mknodat(j->pod->fd, POD_FILE_CREATED, S_IFREG | 0644, 0) < 0)
		r = err_sys(e, errno, "write %s", POD_FILE_CREATED);
	return r;
}

int prepare_pod(const struct pod_request *r, const struct store *s, const struct stage1 *stage1,
		struct pod *p, struct err *e)
{
	struct placing j = { s, stage1, p, false, 0 };
	struct merged m = { .manifest = NULL };
	int res = merge_request(r, s, &m, e);

	if (res < 0)
		return res;
	j.overlay = use_overlay(r, p);
	if (r->private_users && !stage1->native)
		res = err_set(e, ERR_INPUT, ENOTSUP,
			      "option --private-users: stage1 %s does not assemble its own roots",
			      stage1->dir);
	else if (r->private_users)
		res = userns_allocate(p, &j.shift, e);
	if (res == 0)
		res = stage1_install(stage1, p, e);
	if (res == 0 && stage1->tree_id)
		res = claim_image(&j, stage1->tree_id, e);
	if (res == 0)
		res = place_apps(&j, &m, e);
	if (res == 0)
		res = write_marks(&j, &m, e);
	if (res == 0)
		res = r->mutable_pod ? new_file(p, CONTRACT_FILE_LOCK, NULL, 0, 0600, e)
				     : summary_write(p, m.manifest, e);
	merged_done(&m);
	return res;
}
