/*
 * init_apps — the life of an app, and what its end means for the pod.
 *
 *	WAIT -> [PRE ->] MAIN -> [POST ->] DONE, or PAUSE and again from PRE
 *
 * All apps start at once.  A pre-start handler must exit 0 before the main process is started; a
 * post-stop handler runs after whatever was started has ended, for at most the grace time.  Fate rule
 * (rkt's, by way of systemd's OnFailure): an app that exits 0 leaves the others alone; any other end
 * stops the pod, and the first such end gives the pod its exit status.
 *
 * Every process is made by spawn: a clone with a mount namespace of its own, directly inside the app's
 * cgroup (CLONE_INTO_CGROUP on v2; on v1 the child's first act is to write itself into it), whose launch
 * report comes over a pipe that execve closes.
 */
#include "stage2/init.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "stage2/launch.h"
#include "stage2/sys.h"

#define RESTART_MS        100
#define RESTART_MAX_MS    10000
#define RESTART_LASTED_MS 10000

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- starting ------------------------------------------------------------------------------- */

/* The app's directory on v2, -1 if there is none. */
static int open_v2_dir(const struct pod *p, uint32_t i)
{
	char name[APP_DIR_MAX];

	for (uint32_t c = 0; c < plan_head(p->plan)->ncgroups; c++) {
		if (!plan_cgroup(p->plan, c)->v2)
			continue;
		cgroup_app_path(p, i, NULL, name);
		return openat(p->cgroup_fd[c], name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

/*
 * As fork(2), inside the group @dir unless that is -1; -errno.  *ret_v2 in the child: it was born in its v2 cgroup.
 *
 * Not in one after a cgroup.kill there: Linux 6.12 to 6.18 (at least) compare the kill count of the group with that
 * of the parent's and kill what is cloned into a group that was ever killed.  Joining by cgroup.procs is exempt.
 */
static int clone_app(int dir, bool *ret_v2)
{
	struct clone_args args = { .flags = CLONE_NEWNS, .exit_signal = SIGCHLD };
	int r;

	*ret_v2 = dir >= 0;
	if (dir >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)dir;
	}
	r = sys_clone3(&args);
	if (r < 0 && r != -EAGAIN && r != -ENOMEM) {
		/* No clone3 (ENOSYS; EPERM from an outer filter) or not with a cgroup (EINVAL, E2BIG before
		 * Linux 5.7): the child joins by itself. */
		*ret_v2 = false;
		r = sys_ret(syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL));
	}
	return r;
}

/* Two at once when they are neighbours, as they nearly always are; -1: there is none. */
static void close_both(int a, int b)
{
	if (a >= 0 && b == a + 1 && sys_close_range((unsigned int)a, (unsigned int)b, 0) == 0)
		return;
	if (a >= 0)
		(void)close(a);
	if (b >= 0)
		(void)close(b);
}

static _Noreturn void report_failure(int err_fd, int step, const char *what)
{
	struct launch_failure f = { .step = step, .errnum = errno };

	(void)text_put(f.what, sizeof(f.what), 0, what);
	if (write(err_fd, &f, sizeof(f)) < 0)
		_exit(EXIT_POD_FAILED);
	_exit(EXIT_POD_FAILED);
}

/* NAME=VALUE, in place of one of that name (an image may have it), else at the end, if there is room. */
static void put_env(const char **env, const char *entry)
{
	size_t name = strcspn(entry, "=") + 1;
	uint32_t n = 0;

	while (env[n] && strncmp(env[n], entry, name) != 0)
		n++;
	if (n == PLAN_ARGS_MAX)
		return;
	if (!env[n])
		env[n + 1] = NULL;
	env[n] = entry;
}

/* What sd_listen_fds(3) looks for: only this process knows the number that it will have. */
static void tell_listen(const struct pod *p, uint32_t i, struct launch *l, const char **env)
{
	static char fds[24], pid[32], names[4096]; /* the child's own pages */
	const struct plan_app *a = app_plan(p, i);
	const char *text = plan_str(p->apps[i].plan, a->listen_names);

	l->listen = plan_listen(p->apps[i].plan, p->apps[i].index);
	l->nlisten = a->nlisten;
	(void)text_put_uint(fds, sizeof(fds), text_put(fds, sizeof(fds), 0, "LISTEN_FDS="), a->nlisten);
	(void)text_put_uint(pid, sizeof(pid), text_put(pid, sizeof(pid), 0, "LISTEN_PID="),
			    (uint64_t)getpid());
	put_env(env, fds);
	put_env(env, pid);
	if (!text)
		return;
	(void)text_put(names, sizeof(names), text_put(names, sizeof(names), 0, "LISTEN_FDNAMES="), text);
	put_env(env, names);
}

static _Noreturn void child(const struct pod *p, uint32_t i, const struct plan_vec *v, int err_fd, bool in_v2)
{
	static const char *argv[PLAN_ARGS_MAX + 1], *env[PLAN_ARGS_MAX + 1]; /* the child's own pages */
	const struct plan_app *a = app_plan(p, i);
	struct launch l = { .argv = argv, .env = env, .err_fd = err_fd };
	uint32_t n = 0;
	char path[APP_DIR_MAX];

	l.plan = p->apps[i].plan;
	l.app = p->apps[i].index;
	l.proc_fd = p->proc_fd;
	l.inherited = p->inherited;
	l.tty = a->flags & PLAN_APP_TTY ? 1 : 0;
	(void)memcpy(l.stdio, p->apps[i].stdio, sizeof(l.stdio));
	(void)launch_vec(l.plan, v, argv, PLAN_ARGS_MAX + 1);
	(void)launch_vec(l.plan, &a->env, env, PLAN_ARGS_MAX + 1);
	if (a->nlisten && v == &a->argv)
		tell_listen(p, i, &l, env);
	cgroup_app_path(p, i, "cgroup.procs", path);
	for (uint32_t c = 0; c < plan_head(p->plan)->ncgroups; c++) {
		if (in_v2 && plan_cgroup(p->plan, c)->v2)
			continue;
		l.cgroup_procs[n] = openat(p->cgroup_fd[c], path, O_WRONLY | O_CLOEXEC);
		if (l.cgroup_procs[n++] < 0)
			report_failure(err_fd, LAUNCH_CGROUP, path);
	}
	if (n < PLAN_CGROUPS_MAX)
		l.cgroup_procs[n] = -1;
	launch_exec(&l);
}

/* 0 or -errno, told to the supervisor. */
static int spawn(struct pod *p, uint32_t i, const struct plan_vec *v)
{
	struct app *a = &p->apps[i];
	int report[2] = { -1, -1 };
	bool in_v2 = false;
	int r = pipe2(report, O_CLOEXEC) < 0 ? -errno : 0;
	int dir = r < 0 || a->swept ? -1 : open_v2_dir(p, i);
	const char *argv0[2];

	if (r == 0)
		r = clone_app(dir, &in_v2);

	if (r == 0)
		child(p, i, v, report[1], in_v2); /* its execve closes them */
	close_both(report[1], dir);
	if (r < 0) {
		if (report[0] >= 0)
			(void)close(report[0]);
		(void)launch_vec(a->plan, &(struct plan_vec){ v->off, 1 }, argv0, 2);
		control_send(p, MSG_FAILED, (int32_t)i, INIT_CLONE, -r, argv0[0]);
		return r;
	}
	a->pid = r;
	a->err_fd = report[0];
	a->launch_failed = false;
	a->deadline = 0;
	p->childless = false;
	return 0;
}

/* ---- ending --------------------------------------------------------------------------------- */

void app_done(struct pod *p, uint32_t i)
{
	p->apps[i].state = APP_DONE;
	p->running--;
	if (p->is_mutable) {
		mutable_over(p, i);
		control_send(p, MSG_OVER, (int32_t)i, 0, 0, NULL);
	}
	if (p->running == 0 && (!p->is_mutable || p->phase == POD_STOP))
		p->phase = POD_END;
}

/* Is an app that ended with @code to be started again?  Not in a pod that ends, and not without limit if one is set. */
static bool wants_restart(const struct pod *p, uint32_t i, int code)
{
	uint32_t flags = app_plan(p, i)->flags, most = flags >> PLAN_RESTART_SHIFT;

	if (p->phase != POD_RUN || p->is_mutable || p->apps[i].ending ||
	    (most && p->apps[i].restarts >= most))
		return false;
	return flags & PLAN_APP_RESTART_ALWAYS || (code && flags & PLAN_APP_RESTART_FAILED);
}

/* Wait before the next start: 100 ms, twice as long after every start that did not last, at most 10 s. */
static void app_pause(struct pod *p, uint32_t i)
{
	struct app *a = &p->apps[i];
	int64_t now = now_ms(), pause = RESTART_MS;

	a->quick = now - a->began >= RESTART_LASTED_MS ? 0 : a->quick;
	for (uint32_t n = 0; n < a->quick && pause < RESTART_MAX_MS; n++)
		pause *= 2;
	a->quick++;
	a->again = false;
	a->state = APP_PAUSE;
	a->deadline = now + (pause < RESTART_MAX_MS ? pause : RESTART_MAX_MS);
}

/* A supervisor that does not listen would not hear of it: then later. */
static void app_again(struct pod *p, uint32_t i)
{
	struct app *a = &p->apps[i];

	if (p->queue_from < p->queue_to) {
		a->deadline = now_ms() + RESTART_MS;
		return;
	}
	a->deadline = 0;
	control_send(p, MSG_RESTARTED, (int32_t)i, (int32_t)++a->restarts, 0, NULL);
	app_begin(p, i);
}

/* The app's own processes are over, with @code for an exit status. */
static void app_over(struct pod *p, uint32_t i, int code)
{
	const struct plan_app *a = app_plan(p, i);

	p->apps[i].again = wants_restart(p, i, code);
	if (p->apps[i].again)
		code = 0; /* not an end that decides anything */
	if (code && !p->status && !p->is_mutable)
		p->status = code;
	/* Needless work for the last one: the end of the pod does the same. */
	if (p->running > 1 || a->post_stop.n || p->is_mutable || p->apps[i].again) {
		kill_app_leftovers(p, i);
		p->apps[i].swept = true;
	}
	if (a->post_stop.n && spawn(p, i, &a->post_stop) == 0) {
		p->apps[i].state = APP_POST;
		p->apps[i].deadline = now_ms() + plan_head(p->plan)->grace_ms;
	} else if (p->apps[i].again) {
		app_pause(p, i);
	} else {
		app_done(p, i);
	}
	if (code && !p->is_mutable)
		apps_stop(p);
}

static void start_main(struct pod *p, uint32_t i)
{
	p->apps[i].state = APP_MAIN;
	if (spawn(p, i, &app_plan(p, i)->argv) < 0)
		app_over(p, i, EXIT_POD_FAILED);
}

void app_begin(struct pod *p, uint32_t i)
{
	p->apps[i].ending = false;
	if (app_plan(p, i)->flags & (PLAN_APP_RESTART_FAILED | PLAN_APP_RESTART_ALWAYS))
		p->apps[i].began = now_ms();
	if (!app_plan(p, i)->pre_start.n) {
		start_main(p, i);
		return;
	}
	p->apps[i].state = APP_PRE;
	if (spawn(p, i, &app_plan(p, i)->pre_start) < 0)
		app_over(p, i, EXIT_POD_FAILED);
}

void apps_start(struct pod *p)
{
	uint32_t n = plan_head(p->plan)->napps;

	p->phase = POD_RUN;
	if (cgroups_make(p) < 0) {
		p->status = EXIT_POD_FAILED;
		p->phase = POD_END;
		return;
	}
	p->running = n;
	for (uint32_t i = 0; i < n; i++) {
		if (p->phase != POD_RUN) /* one of those before could not even be cloned */
			app_done(p, i);
		else
			app_begin(p, i);
	}
	if (p->is_mutable)
		control_send(p, MSG_READY, -1, 0, 0, NULL);
}

void app_launched(struct pod *p, uint32_t i, bool empty)
{
	struct app *a = &p->apps[i];
	struct launch_failure f;
	ssize_t n = empty ? 0 : read(a->err_fd, &f, sizeof(f));

	(void)close(a->err_fd);
	a->err_fd = -1;
	if (n == (ssize_t)sizeof(f)) {
		f.what[sizeof(f.what) - 1] = '\0';
		a->launch_failed = true;
		control_send(p, MSG_FAILED, (int32_t)i, f.step, f.errnum, f.what);
	} else if (a->state == APP_MAIN) {
		bool first = !a->counted;

		a->counted = true;
		p->started += first;
		control_send(p, MSG_STARTED, (int32_t)i, a->pid,
			     first && p->started == plan_head(p->plan)->napps, NULL);
	}
}

/* "exit status 3" or "signal 9" of a handler; its failure to start has been told already. */
static void handler_failed(struct pod *p, uint32_t i, int step, int status)
{
	char text[32];
	size_t n = text_put(text, sizeof(text), 0, WIFEXITED(status) ? "exit status " : "signal ");

	(void)text_put_uint(text, sizeof(text), n,
			    (uint64_t)(WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)));
	if (!p->apps[i].launch_failed)
		control_send(p, MSG_FAILED, (int32_t)i, step, 0, text);
}

void apps_reaped(struct pod *p, pid_t pid, int status)
{
	uint32_t i = 0, n = p->napps;
	enum app_state was;

	while (i < n && p->apps[i].pid != pid)
		i++;
	if (i == n)
		return; /* an orphan */
	was = p->apps[i].state;
	if (p->apps[i].err_fd >= 0)
		app_launched(p, i, false); /* child's end is closed: does not wait */
	p->apps[i].pid = 0;
	p->apps[i].deadline = 0;
	if (p->phase == POD_END)
		return; /* killed with the pod */
	if (was == APP_PRE && status == 0 && p->phase == POD_RUN && !p->apps[i].ending) {
		start_main(p, i);
		return;
	}
	if (was == APP_PRE && status != 0)
		handler_failed(p, i, INIT_PRE_START, status);
	if (was == APP_PRE || was == APP_MAIN) {
		/* the last one's end goes with the pod's, which mostly follows at once */
		control_put(p, MSG_EXITED, (int32_t)i, status, wants_restart(p, i, exit_code(status)));
		if (p->running > 1 || p->is_mutable || app_plan(p, i)->post_stop.n)
			control_flush(p);
		app_over(p, i, exit_code(status));
	} else if (was == APP_POST) {
		if (status != 0)
			handler_failed(p, i, INIT_POST_STOP, status);
		if (p->apps[i].again && p->phase == POD_RUN)
			app_pause(p, i);
		else
			app_done(p, i);
	}
}

/* ---- signals and time ----------------------------------------------------------------------- */

void app_term(struct pod *p, uint32_t i)
{
	struct app *a = &p->apps[i];
	uint32_t signal = a->plan ? app_plan(p, i)->stop_signal : 0;

	if (a->pid <= 1 || (a->state != APP_PRE && a->state != APP_MAIN))
		return;
	a->ending = true;
	/* A stopped process takes its signal only when it goes on. */
	(void)kill(a->pid, signal ? (int)signal : SIGTERM);
	(void)kill(a->pid, SIGCONT);
	if (!a->deadline)
		a->deadline = now_ms() + plan_head(p->plan)->grace_ms;
}

void apps_stop(struct pod *p)
{
	if (p->phase == POD_WAIT)
		p->phase = POD_END;
	if (p->phase != POD_RUN)
		return;
	p->phase = POD_STOP;
	for (uint32_t i = 0; i < p->napps; i++) {
		if (p->apps[i].state == APP_PAUSE) {
			p->apps[i].deadline = 0;
			app_done(p, i);
		} else {
			app_term(p, i);
		}
	}
	if (p->running == 0)
		p->phase = POD_END;
}

void apps_signal(struct pod *p, int sig)
{
	for (uint32_t i = 0; i < p->napps; i++) {
		if (p->apps[i].state == APP_MAIN && p->apps[i].pid > 1)
			(void)kill(p->apps[i].pid, sig);
	}
}

void apps_overdue(struct pod *p)
{
	int64_t now = 0;

	for (uint32_t i = 0; i < p->napps; i++) {
		if (!p->apps[i].deadline)
			continue;
		now = now ? now : now_ms();
		if (now < p->apps[i].deadline)
			continue;
		if (p->apps[i].state == APP_PAUSE) {
			app_again(p, i);
			continue;
		}
		kill_app(p, i);
		p->apps[i].swept = true;
		p->apps[i].deadline = now + 1000; /* once more, in case something new came up */
	}
}
