/*
 * init_kill — end processes, all of them, and never anybody else's.
 *
 * As pid 1 of a pid namespace kill(-1, SIGKILL) reaches exactly the pod, in one system call that no
 * fork can outrun (the kernel walks the list under the lock that fork needs, and a forking task with a
 * signal pending starts over).  Without the namespace (flavor fly) kill(-1) would reach the machine:
 * there it is cgroup.kill, or the members of the v1 cgroup through pidfds, and then our own children,
 * round after round: init is a subreaper, so whoever loses his parent becomes our child, and a child's
 * pid cannot be reused before we have reaped it.
 */
#include "stage2/init.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "stage2/sys.h"

#define BATCH  64
#define PASSES 16

/* Decimal numbers of the file @path, at most @max of those above 1; count (0 also when unreadable). */
static size_t read_pids(int dir, const char *path, pid_t *v, size_t max)
{
	char buf[2048];
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	size_t n = 0;
	pid_t pid = 0;

	if (fd >= 0)
		(void)close(fd);
	/* A number that the end of the buffer cuts has no separator behind it and is left for the next round. */
	for (ssize_t i = 0; i < got && n < max; i++) {
		if (buf[i] >= '0' && buf[i] <= '9') {
			pid = pid * 10 + (buf[i] - '0');
			continue;
		}
		if (pid > 1)
			v[n++] = pid;
		pid = 0;
	}
	return n;
}

static bool put_value(int dir, const char *path, const char *value)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) > 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static bool is_missing(int r)
{
	return r == -ENOSYS || r == -EPERM;
}

/* @held: a pidfd or -errno. */
static bool kill_one(pid_t pid, int held)
{
	int r = held < 0 ? held : sys_ret(syscall(SYS_pidfd_send_signal, held, SIGKILL, NULL, 0));

	return is_missing(r) ? kill(pid, SIGKILL) == 0 : r >= 0;
}

/* SIGKILL to the members listed in @path.  Between reading a pid and opening it the process may have
 * ended and the number may be somebody else's; who is still listed afterwards is the one we hold.  Without
 * pidfds (Linux before 5.3, outer filters) to be listed again just before is all there is. */
static bool kill_listed(int dir, const char *path)
{
	pid_t first[BATCH], again[BATCH];
	int held[BATCH];
	size_t n = read_pids(dir, path, first, BATCH), m;
	bool any = false;

	for (size_t i = 0; i < n; i++)
		held[i] = first[i] == getpid() ? -ESRCH : sys_ret(syscall(SYS_pidfd_open, first[i], 0));
	m = n ? read_pids(dir, path, again, BATCH) : 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < m; j++) {
			if (again[j] == first[i] && kill_one(first[i], held[i]))
				any = true;
		}
		if (held[i] >= 0)
			(void)close(held[i]);
	}
	return any;
}

/* @app -1: the pod's own directory. */
static void app_file(const struct pod *p, int32_t app, const char *file, char out[APP_DIR_MAX])
{
	if (app < 0)
		(void)text_put(out, APP_DIR_MAX, 0, file);
	else
		cgroup_app_path(p, (uint32_t)app, file, out);
}

/* A frozen process of v1 does not die until it and everything above it is thawed. */
static void thaw(const struct pod *p, int32_t app)
{
	char path[APP_DIR_MAX];

	for (uint32_t c = 0; c < plan_head(p->plan)->ncgroups; c++) {
		bool v2 = plan_cgroup(p->plan, c)->v2;

		if (p->cgroup_fd[c] < 0)
			continue;
		app_file(p, app, v2 ? "cgroup.freeze" : "freezer.state", path);
		(void)put_value(p->cgroup_fd[c], path, v2 ? "0" : "THAWED");
	}
}

/* Kill the members of the app's (-1: the pod's own directory, not what is below it) cgroup, in the hierarchy
 * that does it best.  cgroup.kill is for apps only: init may be a member of the pod's directory. */
static void kill_cgroup(const struct pod *p, int32_t app)
{
	char path[APP_DIR_MAX];
	int best = -1;

	for (uint32_t c = 0; c < plan_head(p->plan)->ncgroups; c++) {
		if (p->cgroup_fd[c] >= 0 && (best < 0 || plan_cgroup(p->plan, c)->v2))
			best = (int)c;
	}
	if (best < 0)
		return;
	if (app >= 0)
		thaw(p, -1);
	thaw(p, app);
	app_file(p, app, "cgroup.kill", path); /* Linux 5.14 */
	if (app >= 0 && plan_cgroup(p->plan, (uint32_t)best)->v2 && put_value(p->cgroup_fd[best], path, "1"))
		return;
	app_file(p, app, "cgroup.procs", path);
	for (int i = 0; i < PASSES && kill_listed(p->cgroup_fd[best], path); i++)
		;
}

static void kill_children(const struct pod *p)
{
	pid_t v[BATCH];
	size_t n = read_pids(p->proc_fd, "thread-self/children", v, BATCH);

	for (size_t i = 0; i < n; i++)
		(void)kill(v[i], SIGKILL);
}

void kill_app_leftovers(const struct pod *p, uint32_t app)
{
	kill_cgroup(p, (int32_t)app);
}

void kill_app(const struct pod *p, uint32_t app)
{
	if (p->apps[app].pid > 1)
		(void)kill(p->apps[app].pid, SIGKILL);
	kill_cgroup(p, (int32_t)app);
}

void kill_pod(const struct pod *p)
{
	if (p->is_init) {
		if (kill(-1, SIGKILL) < 0)
			return; /* nobody there */
		thaw(p, -1);
		for (uint32_t i = 0; i < p->napps; i++) {
			if (p->apps[i].plan)
				thaw(p, (int32_t)i);
		}
		return;
	}
	for (uint32_t i = 0; i < p->napps; i++) {
		if (p->apps[i].plan)
			kill_cgroup(p, (int32_t)i);
	}
	kill_cgroup(p, -1);
	kill_children(p);
}
