/*
 * classic — overlays in the host's mount namespace for stage1 images of rkt 1.30.
 *
 *   overlay/<stage1 id>/{upper,work}        over cas/tree/<stage1 id>/rootfs  → stage1/rootfs
 *   overlay/<app id>/{upper,work}/<app>     over cas/tree/<app id>/rootfs     → …/opt/stage2/<app>/rootfs
 *
 * Mount points inside the stage1 tree are opened below its root, without leaving it, and mounted on
 * by descriptor.
 */
#include "stage0/classic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/path.h"
#include "base/strv.h"
#include "stage0/mounts.h"
#include "stage0/podfacts.h"
#include "stage1/contract.h"

#define STAGE2_DIR "opt/stage2"

static char *pod_path(const struct pod *p)
{
	char link[64], real[4096];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", p->fd);
	n = readlink(link, real, sizeof(real));
	return n > 0 && n < (ssize_t)sizeof(real) ? xstrndup(real, (size_t)n) : NULL;
}

static bool with_overlay(const struct pod *p)
{
	return faccessat(p->fd, POD_FILE_OVERLAY, F_OK, 0) == 0;
}

/* Paths in overlay options: ':' separates layers and ',' options. */
static void add_path(struct buf *b, const char *path)
{
	for (; *path; path++) {
		if (strchr(":,\\", *path))
			buf_addc(b, '\\');
		buf_addc(b, *path);
	}
}

/* Upper directories have the owner and the mode of what they cover: they become the root. */
static int make_upper(const struct pod *p, const char *path, int lower_fd)
{
	struct stat st;
	int r = mkdir_p_at(p->fd, path, 0700);

	if (r < 0)
		return r;
	if (fstat(lower_fd, &st) < 0 ||
	    fchownat(p->fd, path, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(p->fd, path, st.st_mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

struct overlay {
	char *const *ids; /* trees, lowest first */
	const char *id;   /* names the directory below overlay/ */
	const char *sub;  /* "" or "/<app>" */
	int target;       /* O_PATH fd of the mount point */
};

static int mount_overlay(const struct pod *p, const struct overlay *o, struct err *e)
{
	auto_free char *base = pod_path(p), *upper = NULL, *work = NULL;
	auto_buf opts = BUF_INIT;
	auto_close int lower = FD_NONE;
	char target[64];
	size_t n = strv_len(o->ids);
	int r;

	if (!base || !n)
		return err_set(e, ERR_STATE, EINVAL, "pod %s lists no tree for %s", p->uuid, o->id);
	upper = xasprintf(POD_DIR_OVERLAY "/%s/upper%s", o->id, o->sub);
	work = xasprintf(POD_DIR_OVERLAY "/%s/work%s", o->id, o->sub);
	buf_adds(&opts, "lowerdir=");
	for (size_t i = n; i-- > 0;) { /* overlayfs wants the topmost first */
		auto_free char *tree = xasprintf("%s/%s/%s/rootfs", p->data->path, DIR_TREE, o->ids[i]);
		add_path(&opts, tree);
		if (i)
			buf_addc(&opts, ':');
		if (i == n - 1) {
			lower = open(tree, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (lower < 0)
				return err_sys(e, errno, "open the tree %s", tree);
		}
	}
	r = make_upper(p, upper, lower);
	if (r == 0)
		r = mkdir_p_at(p->fd, work, 0700);
	if (r < 0)
		return err_sys(e, -r, "create %s", upper);
	buf_adds(&opts, ",upperdir=");
	add_path(&opts, base);
	buf_addf(&opts, "/%s,workdir=", upper);
	add_path(&opts, base);
	buf_addf(&opts, "/%s", work);
	(void)snprintf(target, sizeof(target), "/proc/self/fd/%d", o->target);
	if (mount("overlay", target, "overlay", 0, buf_str(&opts)) < 0)
		return err_sys(e, errno, "mount overlay of tree %s", o->id);
	return 0;
}

/* The root of stage1 as it is now, after whatever was mounted there. */
static int open_stage1(const struct pod *p, struct err *e)
{
	int fd = openat(p->fd, POD_STAGE1_ROOTFS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "open %s of pod %s", POD_STAGE1_ROOTFS, p->uuid) : fd;
}

static int mount_stage1(const struct stage1 *s, const struct pod *p, struct err *e)
{
	char *ids[] = { s->tree_id, NULL };
	auto_close int target = open_stage1(p, e);

	if (target < 0)
		return target;
	return mount_overlay(p, &(struct overlay){ ids, s->tree_id, "", target }, e);
}

/* rkt/status must be in the upper directory from the start: that is where list and status look. */
static int make_status_dir(int root, struct err *e)
{
	static const char *const dirs[] = { "rkt/status", "rkt/env" };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		auto_close int fd = mkdir_in_root(root, dirs[i], 0755);
		auto_close int rw = fd < 0 ? FD_NONE : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (rw < 0)
			return err_sys(e, fd < 0 ? -fd : errno, "create %s in stage1", dirs[i]);
		if (futimens(rw, NULL) < 0) /* copies a directory of the image up */
			return err_sys(e, errno, "touch %s in stage1", dirs[i]);
	}
	return 0;
}

/* /etc/mtab for programs that look there, if the image has an /etc without one. */
static int add_mtab(int root)
{
	auto_close int etc = open_in_root(root, "etc", O_PATH | O_DIRECTORY, 0);

	if (etc >= 0 && symlinkat("../proc/self/mounts", etc, "mtab") < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

/* opt/stage2/<app>/{manifest,rootfs} inside stage1. */
static int place_app(const struct pod *p, int root, const char *app, bool overlay, struct err *e)
{
	auto_free char *dir = xasprintf(STAGE2_DIR "/%s", app), *rootfs = xasprintf("%s/rootfs", dir);
	auto_free char *info = xasprintf(POD_DIR_APPSINFO "/%s/manifest", app);
	auto_close int dir_fd = mkdir_in_root(root, dir, 0755), target = FD_NONE, mounted = FD_NONE;
	auto_buf manifest = BUF_INIT, trees = BUF_INIT;
	int r = dir_fd < 0 ? dir_fd : read_file_at(p->fd, info, IMAGE_MANIFEST_MAX, &manifest);

	if (r == 0)
		r = write_file_at(dir_fd, "manifest", buf_str(&manifest), manifest.len, 0644, 0);
	if (r < 0)
		return err_sys(e, -r, "write the manifest of app %s into stage1", app);
	if (overlay) {
		auto_free char *list = xasprintf(POD_DIR_APPSINFO "/%s/treeStoreID", app);
		auto_free char *sub = xasprintf("/%s", app);
		auto_strv ids = NULL;

		target = mkdir_in_root(root, rootfs, 0755);
		r = target < 0 ? target : read_file_at(p->fd, list, 65536, &trees);
		if (r < 0)
			return err_sys(e, -r, "find the tree of app %s", app);
		while (trees.len && trees.data[trees.len - 1] == '\n')
			trees.data[--trees.len] = '\0';
		ids = strv_split(buf_str(&trees), '\n');
		r = mount_overlay(p, &(struct overlay){ ids, ids[0], sub, target }, e);
		if (r < 0)
			return err_ctx(e, "app %s", app);
	}
	mounted = open_in_root(root, rootfs, O_PATH | O_DIRECTORY, 0);
	if (mounted < 0)
		return err_sys(e, -mounted, "open the root of app %s", app);
	r = add_mtab(mounted);
	return r < 0 ? err_sys(e, -r, "create /etc/mtab of app %s", app) : 0;
}

/* Without overlay stage1 gets a copy of its tree; the copies of the apps, made by prepare, move into it. */
static int copy_stage1(const struct stage1 *s, const struct pod *p, struct err *e)
{
	auto_free char *tree = xasprintf("%s/rootfs", s->dir);
	auto_close int src = open(tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), dst = FD_NONE;
	auto_close int opt = FD_NONE;
	int r;

	if (src < 0)
		return err_sys(e, errno, "open the stage1 tree %s", tree);
	r = rm_tree_at(p->fd, "stage1/copy", e);
	if (r < 0)
		return r;
	if (mkdirat(p->fd, "stage1/copy", 0755) < 0)
		return err_sys(e, errno, "create stage1/copy");
	dst = openat(p->fd, "stage1/copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dst < 0 ? err_sys(e, errno, "open stage1/copy") : copy_tree_at(src, dst, e);
	if (r < 0)
		return r;
	opt = mkdir_in_root(dst, "opt", 0755);
	if (opt < 0)
		return err_sys(e, -opt, "create opt in stage1");
	(void)unlinkat(opt, "stage2", AT_REMOVEDIR); /* an empty one may be in the image */
	if (renameat(p->fd, CONTRACT_DIR_STAGE2, opt, "stage2") < 0 && errno != ENOENT)
		return err_sys(e, errno, "move the apps into stage1");
	r = rm_tree_at(p->fd, POD_STAGE1_ROOTFS, e);
	if (r == 0 && renameat(p->fd, "stage1/copy", p->fd, POD_STAGE1_ROOTFS) < 0)
		r = err_sys(e, errno, "put the stage1 copy in place");
	return r;
}

int classic_setup(const struct stage1 *s, const struct pod *p, struct err *e)
{
	bool overlay = with_overlay(p);
	auto_pod_manifest m = NULL;
	auto_close int root = FD_NONE;
	int r;

	if (!s->tree_id)
		return err_set(e, ERR_INPUT, EINVAL, "stage1 %s does not assemble its apps' roots", s->dir);
	m = pod_manifest_load(p, e);
	if (!m)
		return -e->code;
	r = overlay ? mount_stage1(s, p, e) : copy_stage1(s, p, e);
	if (r < 0)
		return r;
	root = open_stage1(p, e);
	if (root < 0)
		return root;
	r = make_status_dir(root, e);
	for (size_t i = 0; r == 0 && i < m->napps; i++)
		r = place_app(p, root, m->apps[i].name, overlay, e);
	return r;
}

int classic_remount(const struct stage1 *s, const struct pod *p, struct err *e)
{
	auto_free char *base = pod_path(p), *rootfs = base ? xasprintf("%s/" POD_STAGE1_ROOTFS, base) : NULL;
	auto_strv have = NULL;
	int r;

	if (!base || !s->tree_id || !with_overlay(p))
		return 0;
	r = mounts_below(base, &have);
	if (r < 0)
		return err_sys(e, -r, "read the list of mounts");
	return strv_has(have, rootfs) ? 0 : mount_stage1(s, p, e);
}

/*
 * A mount point by the descriptor of the directory above it and its own name: nothing that a process
 * of the pod may still rename is followed.
 */
static int at_mount_point(const struct pod *p, const char *rel, bool private, int umount_flags)
{
	const char *base = path_base(rel);
	auto_free char *dir = base == rel ? xstrdup(".") : xstrndup(rel, (size_t)(base - rel) - 1);
	auto_close int parent = open_beneath(p->fd, dir, O_PATH | O_DIRECTORY, 0);
	auto_free char *target = NULL;

	if (parent < 0)
		return parent;
	target = xasprintf("/proc/self/fd/%d/%s", parent, base);
	if (private)
		return mount(NULL, target, NULL, MS_PRIVATE, NULL) < 0 ? -errno : 0;
	return umount2(target, UMOUNT_NOFOLLOW | umount_flags) < 0 ? -errno : 0;
}

int pod_unmount_all(const struct pod *p, struct err *e)
{
	auto_free char *base = pod_path(p);
	auto_strv mounts = NULL;
	size_t n, skip;
	int r = base ? mounts_below(base, &mounts) : -EIO;

	if (r < 0)
		return err_sys(e, -r, "read the list of mounts");
	skip = base ? strlen(base) + 1 : 0;
	n = strv_len(mounts);
	for (size_t i = 0; i < n; i++)
		(void)at_mount_point(p, mounts[i] + skip, true,
				     0); /* what cannot be undone below is reported */
	for (size_t i = n; i-- > 0;) {
		r = at_mount_point(p, mounts[i] + skip, false, 0);
		if (r == -EBUSY)
			r = at_mount_point(p, mounts[i] + skip, false, MNT_DETACH);
		if (r < 0 && r != -ENOENT && r != -EINVAL) /* gone with an outer one */
			return err_sys(e, -r, "unmount %s", mounts[i]);
	}
	return 0;
}
