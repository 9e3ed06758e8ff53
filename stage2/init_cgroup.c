/*
 * init_cgroup — the pod's directories in every hierarchy that the plan names.
 *
 * Order: the pod's directory, its cpuset (v1: a child starts with none and can hold nobody), its limits
 * (cgroup.subtree_control is one of them on v2), then the same for every app.  A limit that cannot be
 * set fails the pod: nothing runs with less confinement than was asked for.
 */
#include "stage2/init.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "stage2/sys.h"

#define DEPTH_MAX 64

void cgroup_app_path(const struct pod *p, uint32_t app, const char *file, char out[APP_DIR_MAX])
{
	size_t n = text_put(out, APP_DIR_MAX, 0, "app-");

	n = text_put(out, APP_DIR_MAX, n, plan_str(p->apps[app].plan, app_plan(p, app)->name));
	if (!file)
		return;
	n = text_put(out, APP_DIR_MAX, n, "/");
	(void)text_put(out, APP_DIR_MAX, n, file);
}

static int refuse(struct pod *p, int32_t app, enum init_step step, int r, const char *text)
{
	control_send(p, MSG_FAILED, app, step, -r, text);
	return r;
}

/* Directory @name below @at, ready for use; its fd or -errno. */
static int make_dir(int at, const char *name)
{
	int fd;

	/* It exists when stage1 made it to put the supervisor's limits on it. */
	if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
	char buf[4096];
	ssize_t n = -1;
	int r = 0, fd = openat(from_dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf));
	r = n < 0 ? -errno : 0;
	(void)close(fd);
	if (r < 0)
		return r;
	fd = openat(to_dir, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write(fd, buf, (size_t)n) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

static int copy_cpuset(struct pod *p, int32_t app, int from_dir, int to_dir)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < 2; i++) {
		int r = copy_file(from_dir, to_dir, files[i]);

		if (r < 0)
			return refuse(p, app, INIT_CPUSET, r, files[i]);
	}
	return 0;
}

/* The plan that says what is written for @app (-1: the pod itself), and its number there. */
static const void *plan_of(const struct pod *p, int32_t app, int32_t *ret_index)
{
	*ret_index = app < 0 ? -1 : (int32_t)p->apps[app].index;
	return app < 0 ? p->plan : p->apps[app].plan;
}

/* Writes of cgroup @c for @app (-1: the pod itself) into the directory @fd. */
static int write_limits(struct pod *p, uint32_t c, int32_t app, int fd)
{
	int32_t index;
	const void *plan = plan_of(p, app, &index);

	for (uint32_t i = 0; i < plan_head(plan)->nwrites; i++) {
		const struct plan_write *w = plan_write(plan, i);
		const char *value = plan_str(plan, w->value), *file = plan_str(plan, w->file);
		int r, to;

		if (w->cgroup != c || w->app != index)
			continue;
		to = openat(fd, file, O_WRONLY | O_CLOEXEC);
		r = to < 0 || write(to, value, strlen(value)) < 0 ? -errno : 0;
		if (to >= 0)
			(void)close(to);
		if (r < 0)
			return refuse(p, app, INIT_CGROUP_WRITE, r, file);
	}
	return 0;
}

static bool has_limits(const struct pod *p, uint32_t c, int32_t app)
{
	int32_t index;
	const void *plan = plan_of(p, app, &index);

	if (plan_app(plan, (uint32_t)index)->ndevices && plan_cgroup(p->plan, c)->v2)
		return true;
	for (uint32_t i = 0; i < plan_head(plan)->nwrites; i++) {
		if (plan_write(plan, i)->cgroup == c && plan_write(plan, i)->app == index)
			return true;
	}
	return false;
}

static int make_level(struct pod *p, uint32_t c, int32_t app, int parent, const char *name)
{
	int r, fd;

	/* an app's directory that gets neither cpuset nor limits need not be opened */
	if (app >= 0 && !plan_cgroup(p->plan, c)->copy_cpuset && !has_limits(p, c, app))
		return mkdirat(parent, name, 0755) < 0 && errno != EEXIST
			       ? refuse(p, app, INIT_CGROUP, -errno, name)
			       : 0;
	fd = make_dir(parent, name);
	if (fd < 0)
		return refuse(p, app, INIT_CGROUP, fd, name);
	r = plan_cgroup(p->plan, c)->copy_cpuset ? copy_cpuset(p, app, parent, fd) : 0;
	if (r == 0)
		r = write_limits(p, c, app, fd);
	if (r == 0 && app >= 0 && plan_cgroup(p->plan, c)->v2)
		r = devices_attach(p, (uint32_t)app, fd);
	if (app < 0)
		p->cgroup_fd[c] = fd; /* also after a failure: it must be removed */
	else
		(void)close(fd);
	return r;
}

int cgroups_make_app(struct pod *p, uint32_t app)
{
	char name[APP_DIR_MAX];
	int r = 0;

	cgroup_app_path(p, app, NULL, name);
	for (uint32_t c = 0; c < plan_head(p->plan)->ncgroups && r == 0; c++)
		r = make_level(p, c, (int32_t)app, p->cgroup_fd[c], name);
	return r;
}

int cgroups_make(struct pod *p)
{
	for (uint32_t c = 0; c < plan_head(p->plan)->ncgroups; c++) {
		const struct plan_cgroup *g = plan_cgroup(p->plan, c);
		int r = make_level(p, c, -1, g->parent_fd, plan_str(p->plan, g->dir));

		for (uint32_t i = 0; r == 0 && i < plan_head(p->plan)->napps; i++) {
			char name[APP_DIR_MAX];

			cgroup_app_path(p, i, NULL, name);
			r = make_level(p, c, (int32_t)i, p->cgroup_fd[c], name);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Name of any sub-directory of @fd into @out; false if there is none. */
static bool first_subdir(int fd, char out[NAME_MAX + 1])
{
	_Alignas(struct dirent64) char buf[4096];
	long got;

	(void)lseek(fd, 0, SEEK_SET);
	while ((got = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < got;) {
			const struct dirent64 *d = (const void *)(buf + at);

			if (d->d_type == DT_DIR && d->d_name[0] != '.') {
				(void)text_put(out, NAME_MAX + 1, 0, d->d_name);
				return true;
			}
			at += d->d_reclen;
		}
	}
	return false;
}

/* Remove one leaf somewhere below @name of @at; 0 or -errno. */
static int remove_leaf(int at, const char *name)
{
	char leaf[NAME_MAX + 1], deeper[NAME_MAX + 1];
	int r, dir = fcntl(at, F_DUPFD_CLOEXEC, 3);

	(void)text_put(leaf, sizeof(leaf), 0, name);
	for (int depth = 0; dir >= 0 && depth < DEPTH_MAX; depth++) {
		int sub = openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (sub < 0 || !first_subdir(sub, deeper)) {
			if (sub >= 0)
				(void)close(sub);
			break;
		}
		(void)close(dir);
		dir = sub;
		(void)text_put(leaf, sizeof(leaf), 0, deeper);
	}
	if (dir < 0)
		return -errno;
	r = unlinkat(dir, leaf, AT_REMOVEDIR) < 0 ? -errno : 0;
	(void)close(dir);
	return r;
}

/* rmdir(2) of a cgroup says EBUSY for members and for sub-directories; apps may have made some. */
static int remove_tree(int at, const char *name)
{
	for (;;) {
		int r;

		if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return -errno;
		r = remove_leaf(at, name);
		if (r < 0 && r != -ENOENT)
			return r;
	}
}

int cgroups_remove(struct pod *p, const char **ret_dir)
{
	int r = 0;

	for (uint32_t c = 0; c < plan_head(p->plan)->ncgroups; c++) {
		const struct plan_cgroup *g = plan_cgroup(p->plan, c);
		int now = 0;

		if (p->cgroup_fd[c] < 0)
			continue;
		/* The known children first: saves looking for them. */
		for (uint32_t i = 0; i < p->napps; i++) {
			char name[APP_DIR_MAX];

			if (!p->apps[i].plan)
				continue;
			cgroup_app_path(p, i, NULL, name);
			(void)unlinkat(p->cgroup_fd[c], name, AT_REMOVEDIR);
		}
		now = plan_head(p->plan)->flags & PLAN_USERS
			      ? 0
			      : remove_tree(g->parent_fd, plan_str(p->plan, g->dir));
		if (now < 0) {
			*ret_dir = plan_str(p->plan, g->dir);
			r = now;
			continue;
		}
		p->cgroup_fd[c] = -1; /* closed by our end, which is next */
	}
	return r;
}
