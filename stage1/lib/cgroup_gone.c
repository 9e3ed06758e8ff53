/* cgroup_gone — what works from the record in the pod directory: gc, enter and added apps (cgroup.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/num.h"
#include "base/path.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/cgroup.h"
#include "stage1/lib/cgroup_limits.h"

#define RECORD_MAX     65536u
#define KILL_ROUNDS    100
#define ROUND_FIRST_NS 100000L   /* who was just reaped counts for an instant more (Linux 6.16) */
#define ROUND_NS       20000000L /* 20 ms */

/* The recorded directories; every line must look like one of ours, since we are going to kill there. */
static int load_record(int pod_fd, char ***ret, struct err *e)
{
	auto_buf b = BUF_INIT;
	int r = record_read_at(pod_fd, CONTRACT_FILE_CGROUPS, RECORD_MAX, &b);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(e, -r, "read the pod's cgroup record");
	auto_strv lines = strv_split(buf_str(&b), '\n');
	for (char **l = lines; *l; l++) {
		if (!**l)
			continue;
		if (**l != '/' || path_has_dotdot(*l) || strncmp(path_base(*l), "rkt-", 4) != 0)
			return err_set(e, ERR_INPUT, EINVAL, "cgroup record: unexpected line");
		strv_push(ret, *l);
	}
	return 0;
}

static void kill_members(int dirfd)
{
	auto_close int procs = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	auto_buf b = BUF_INIT;

	if (procs < 0 || fd_read_all(procs, 1u << 20, &b) < 0)
		return;
	auto_strv pids = strv_split(buf_str(&b), '\n');
	for (char **p = pids; *p; p++) {
		uint32_t pid;

		if (parse_u32(*p, &pid) == 0 && pid > 1)
			(void)kill((pid_t)pid, SIGKILL);
	}
}

static void kill_dir(int dirfd)
{
	auto_close int all = openat(dirfd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	if (all < 0 || write(all, "1", 1) != 1)
		kill_members(dirfd);
}

/* Kill and remove the groups inside @dirfd; one level is all that a pod makes, apps may add more. */
static void empty_dir(int dirfd, int depth)
{
	auto_close int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d)
		return;
	(void)steal_fd(&copy);
	kill_dir(dirfd);
	for (struct dirent *de; (de = readdir(d));) {
		if (de->d_type != DT_DIR || strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		auto_close int sub = openat(dirfd, de->d_name,
					    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (sub >= 0 && depth < 32)
			empty_dir(sub, depth + 1);
		(void)unlinkat(dirfd, de->d_name, AT_REMOVEDIR);
	}
}

static int destroy_one(const char *path, struct err *e)
{
	struct timespec pause = { 0, ROUND_FIRST_NS };

	for (int i = 0; i < KILL_ROUNDS; i++) {
		auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return errno == ENOENT ? 0 : err_sys(e, errno, "open cgroup %s", path);
		empty_dir(fd, 0);
		if (rmdir(path) == 0 || errno == ENOENT)
			return 0;
		(void)nanosleep(&pause, NULL);
		pause.tv_nsec = pause.tv_nsec * 2 < ROUND_NS ? pause.tv_nsec * 2 : ROUND_NS;
	}
	return err_sys(e, EBUSY, "remove cgroup %s", path);
}

int cgroups_destroy(int pod_fd, struct err *e)
{
	auto_strv dirs = NULL;
	int r = load_record(pod_fd, &dirs, e);

	for (char **d = dirs; r == 0 && d && *d; d++)
		r = destroy_one(*d, e);
	return r;
}

int cgroups_destroy_app(int pod_fd, const char *app, struct err *e)
{
	auto_strv dirs = NULL;
	int r = load_record(pod_fd, &dirs, e);

	for (char **d = dirs; r == 0 && d && *d; d++) {
		auto_free char *path = xasprintf("%s/app-%s", *d, app);

		r = destroy_one(path, e);
	}
	return r;
}

int cgroups_plan_added(const struct podctx *c, struct cgroups *ret, struct err *e)
{
	auto_strv dirs = NULL;
	int r = load_record(c->pod_fd, &dirs, e);

	*ret = (struct cgroups){ .n = 0 };
	for (char **d = dirs; r == 0 && d && *d && ret->n < CGROUP_MAX; d++) {
		struct statfs fs;
		auto_close int fd = open(*d, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || fstatfs(fd, &fs) < 0)
			return err_sys(e, errno, "open the pod's cgroup %s", *d);
		bool v2 = fs.f_type == CGROUP2_SUPER_MAGIC;
		struct cgroup_dir *to = &ret->v[ret->n++];
		*to = (struct cgroup_dir){ .path = xstrdup(*d), .v2 = v2 };
		to->controllers = v2 ? xstrdup("") : cgroup_limits_found(fd);
		to->parent_fd = steal_fd(&fd);
	}
	return r == 0 ? cgroup_limits_plan(c, ret, e) : r;
}

int cgroups_open_procs(int pod_fd, const char *app, int fds[CGROUP_MAX + 1], struct err *e)
{
	auto_strv dirs = NULL;
	int n = 0, r = load_record(pod_fd, &dirs, e);

	fds[0] = -1;
	if (r < 0)
		return r;
	for (char **d = dirs; d && *d && n < CGROUP_MAX; d++) {
		auto_free char *file = xasprintf("%s/app-%s/cgroup.procs", *d, app);
		int fd = open(file, O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			return err_sys(e, errno, "open %s", file);
		fds[n++] = fd;
		fds[n] = -1;
	}
	return 0;
}
