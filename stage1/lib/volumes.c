/* volumes — see volumes.h. */
#include "stage1/lib/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/path.h"
#include "schema/device.h"
#include "stage1/lib/devices.h"
#include "stage1/lib/flavor.h"
#include "stage1/lib/mnt.h"

#define LINKS_MAX 40

void vol_mounts_done(struct vol_mounts *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].target);
		fd_close(&l->v[i].fd);
	}
	free(l->v);
	*l = (struct vol_mounts){ NULL, 0 };
}

void vol_mounts_push(struct vol_mounts *l, const struct vol_mount *m)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = *m;
}

static bool has_target(const struct vol_mounts *l, const char *target)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].target, target) == 0)
			return true;
	}
	return false;
}

/* The directory of an empty volume in the pod directory, shared by all apps that mount it. */
static int open_empty(const struct podctx *c, const struct volume *v, bool *ret_made, struct err *e)
{
	auto_close int all = -1;
	int r = mkdir_p_at(c->pod_fd, "sharedVolumes", 0755);

	if (r < 0)
		return err_sys(e, -r, "create sharedVolumes");
	all = openat(c->pod_fd, "sharedVolumes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (all < 0)
		return err_sys(e, errno, "open sharedVolumes");
	bool made = mkdirat(all, v->name, 0700) == 0;
	if (!made && errno != EEXIST)
		return err_sys(e, errno, "create volume \"%s\"", v->name);
	auto_close int fd = openat(all, v->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "open volume \"%s\"", v->name);
	*ret_made = made;
	if (made && (fchown(fd, v->uid, v->gid) < 0 || fchmod(fd, v->mode) < 0))
		return err_sys(e, errno, "set owner and mode of volume \"%s\"", v->name);
	return steal_fd(&fd);
}

static int open_host(const struct volume *v, struct err *e)
{
	int fd = open(v->source, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "mount volume \"%s\": open %s", v->name, v->source);
	return fd;
}

static bool tri(enum tristate t, bool dflt)
{
	return t == TRI_UNSET ? dflt : t == TRI_TRUE;
}

/* Clone the source into a detached mount with its own flags: what the host mounts later shows up unless the volume is
 * private, what the pod does never reaches the host. */
static int detach(const struct volume *v, struct vol_mount *m, int src, unsigned int set, struct err *e)
{
	int r;

	m->fd = mnt_clone(src, "", m->recursive, e);
	if (m->fd < 0)
		return err_ctx(e, "mount volume \"%s\"", v->name);
	r = mnt_propagation(m->fd, v->propagation == PROPAGATION_PRIVATE ? MS_PRIVATE : MS_SLAVE, true, e);
	if (r == 0)
		r = set ? mnt_set(m->fd, set, true, e) : 0;
	return r < 0 ? err_ctx(e, "mount volume \"%s\"", v->name) : 0;
}

static int add(const struct podctx *c, const struct volume *v, const char *path, bool read_only, bool copy_up,
	       unsigned int flags, struct vol_mounts *l, struct err *e)
{
	struct stat st;
	bool made = false;
	struct vol_mount m = { .fd = FD_NONE };
	auto_close int src = v->kind == VOLUME_EMPTY ? open_empty(c, v, &made, e) : open_host(v, e);

	if (src < 0)
		return src;
	if (fstat(src, &st) < 0)
		return err_sys(e, errno, "mount volume \"%s\": stat", v->name);
	m.is_dir = S_ISDIR(st.st_mode);
	m.read_only = tri(v->read_only, read_only);
	m.copy_up = copy_up && made;
	m.recursive = v->kind == VOLUME_HOST && m.is_dir && tri(v->recursive, flags & FLAVOR_RECURSIVE);
	/* a device node that is itself the volume was asked for by name; inside a directory none opens */
	bool nodev = (flags & FLAVOR_CONFINE) && !S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode);
	int r = detach(v, &m, src, (nodev ? MNT_NODEV_ : 0) | (m.read_only && !m.copy_up ? MNT_RO : 0), e);
	if (r < 0) {
		fd_close(&m.fd);
		return r;
	}
	m.name = xstrdup(v->name);
	m.target = path_clean(path);
	m.device = devices_of(&st, m.read_only ? DEVICE_READ : DEVICE_READ | DEVICE_WRITE);
	vol_mounts_push(l, &m);
	return 0;
}

static int add_mounts(const struct podctx *c, const struct pod_app *a, unsigned int flags,
		      struct vol_mounts *l, struct err *e)
{
	for (size_t i = 0; i < a->rt->mounts.n; i++) {
		const struct mount *m = &a->rt->mounts.v[i];
		const struct volume *v = m->app_volume ? m->app_volume
						       : volumes_get(&c->manifest->volumes, m->volume);
		auto_free char *target = path_clean(m->path);

		if (!v)
			return err_set(
				e, ERR_INPUT, ENOENT,
				"app \"%s\": mount at %s names volume \"%s\", which no --volume defines",
				a->rt->name, m->path, m->volume);
		if (has_target(l, target))
			continue; /* the app's own mounts come before the pod's */
		int r = add(c, v, target, false, false, flags, l, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* An image's mount point that nobody filled: an empty volume of its own, or an error in fly. */
static int add_implicit(const struct podctx *c, const struct pod_app *a, const struct mount_point *p,
			unsigned int flags, struct vol_mounts *l, struct err *e)
{
	auto_free char *name = xasprintf("%s-%s", a->rt->name, p->name);
	struct volume v = { .name = name,
			    .kind = VOLUME_EMPTY,
			    .read_only = TRI_UNSET,
			    .recursive = TRI_UNSET,
			    .mode = 0755 };

	if (!(flags & FLAVOR_IMPLICIT))
		return err_set(e, ERR_INPUT, EINVAL,
			       "app \"%s\": no volume for mount point \"%s\"; use --volume=%s,kind=…",
			       a->rt->name, p->name, p->name);
	log_warn("no volume for mount point \"%s\" of app \"%s\": using an empty one", p->name, a->rt->name);
	return add(c, &v, p->path, p->read_only, a->docker, flags, l, e);
}

static int add_points(const struct podctx *c, const struct pod_app *a, unsigned int flags,
		      struct vol_mounts *l, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < a->app->mount_points.n && r == 0; i++) {
		const struct mount_point *p = &a->app->mount_points.v[i];
		const struct volume *v = volumes_get(&c->manifest->volumes, p->name);
		auto_free char *target = path_clean(p->path);

		if (has_target(l, target))
			continue;
		r = v ? add(c, v, target, p->read_only, false, flags, l, e)
		      : add_implicit(c, a, p, flags, l, e);
	}
	return r;
}

static int by_target(const void *a, const void *b)
{
	return strcmp(((const struct vol_mount *)a)->target, ((const struct vol_mount *)b)->target);
}

int volumes_resolve(const struct podctx *c, const struct pod_app *a, unsigned int flags,
		    struct vol_mounts *ret, struct err *e)
{
	*ret = (struct vol_mounts){ NULL, 0 };
	int r = add_mounts(c, a, flags, ret, e);

	if (r == 0)
		r = add_points(c, a, flags, ret, e);
	if (r == 0)
		r = devices_add(a, flags, ret, e);
	/* in string order a parent path always precedes what lies below it */
	if (r == 0 && ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_target);
	return r;
}

/*
 * A file target that is not there: parents as directories, then an empty file, all inside the root.  A link that
 * leads to nothing is followed, inside the root too, and what it leads to is made (threats.md section 4.4).
 */
static int file_target(int root_fd, const char *path)
{
	auto_free char *now = xstrdup(path);

	for (int links = 0; links < LINKS_MAX; links++) {
		char text[PATH_MAX];
		size_t len = (size_t)(path_base(now) - now);
		auto_free char *parent = len ? xstrndup(now, len) : xstrdup("/");
		auto_close int dir = mkdir_in_root(root_fd, parent, 0755);

		if (dir < 0)
			return dir;
		auto_close int made = open_in_root(root_fd, now, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY,
						   0644);
		if (made != -ENOENT)
			return made < 0 ? made : open_in_root(root_fd, now, O_PATH, 0);
		ssize_t n = readlinkat(dir, path_base(now), text, sizeof(text) - 1);
		if (n < 0)
			return -errno;
		text[n] = '\0';
		char *next = text[0] == '/' ? xstrdup(text) : xasprintf("%s/%s", parent, text);
		free(now);
		now = next;
	}
	return -ELOOP;
}

static int open_target(const struct vol_mount *m, int root_fd)
{
	int fd = open_in_root(root_fd, m->target, O_PATH, 0);

	if (fd != -ENOENT)
		return fd;
	return m->is_dir ? mkdir_in_root(root_fd, m->target, 0755) : file_target(root_fd, m->target);
}

/*
 * What docker users expect of a volume that nobody gave (formats.md section 14): the image's own files, with owner, mode and
 * attributes of the directory.  Through directory descriptors of the app's finished root; links are copied, not followed.
 */
static int fill(const struct vol_mount *m, int target, struct err *e)
{
	auto_close int from = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int to = openat(m->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return err_sys(e, errno, "open the image's %s", m->target);
	int r = copy_tree_at(from, to, e);
	if (r == 0 && (fchown(to, st.st_uid, st.st_gid) < 0 || fchmod(to, st.st_mode & 07777) < 0))
		r = err_sys(e, errno, "owner and mode of the image's %s", m->target);
	return r < 0 || !m->read_only ? r : mnt_set(m->fd, MNT_RO, true, e);
}

/* "volume "data"", or what the caller knows our own files by; heap. */
static char *called(const struct vol_mount *m)
{
	return m->name ? xasprintf("volume \"%s\"", m->name) : xasprintf("the pod's %s", m->target);
}

static int attach_one(const struct vol_mount *m, int root_fd, struct err *e)
{
	auto_free char *what = called(m);
	struct stat st;

	if (strcmp(m->target, "/") == 0)
		return err_set(e, ERR_INPUT, EINVAL, "mount %s: the target is the app's root", what);
	auto_close int to = open_target(m, root_fd);
	int r = to < 0 ? to : fstat(to, &st) < 0 ? -errno : 0;
	if (m->yields && (r < 0 || !S_ISREG(st.st_mode) || st.st_size > 0))
		return 0;
	if (r < 0)
		return err_sys(e, -r, "mount %s: target %s", what, m->target);
	if (S_ISDIR(st.st_mode) != m->is_dir)
		return err_set(e, ERR_INPUT, m->is_dir ? ENOTDIR : EISDIR,
			       "mount %s: target %s is %s but the source is %s", what, m->target,
			       S_ISDIR(st.st_mode) ? "a directory" : "a file",
			       m->is_dir ? "a directory" : "a file");
	if (m->copy_up && m->is_dir && fill(m, to, e) < 0)
		return err_ctx(e, "fill %s", what);
	return mnt_attach(m->fd, to, "", e) < 0 ? err_ctx(e, "mount %s at %s", what, m->target) : 0;
}

int volumes_attach(const struct vol_mounts *l, int root_fd, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++)
		r = attach_one(&l->v[i], root_fd, e);
	return r;
}
