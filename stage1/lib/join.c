/* join — see join.h. */
#include "stage1/lib/join.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/addedplan.h"
#include "stage1/lib/cgroup.h"
#include "stage1/lib/heritage.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/tty.h"
#include "stage2/launch.h"
#include "stage2/plan.h"

struct joining {
	const struct join *j;
	uint32_t app;
	int plan_fd, exe, proc_fd;
	int procs[CGROUP_MAX + 1];
	int err[2]; /* pipe: [0] ours */
	int slave;
	bool users; /* the pod has a user namespace */
	struct heritage heritage;
	struct tty tty;
};

/* The app's index in the pod's plan, or -ENOENT. */
static int find_app(const void *plan, const char *name, uint32_t *ret)
{
	for (uint32_t i = 0; i < plan_head(plan)->napps; i++) {
		if (strcmp(plan_str(plan, plan_app(plan, i)->name), name) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -ENOENT;
}

/* The recorded plan, sealed again: the launcher accepts nothing that could still change. */
static int open_plan(struct joining *w, struct err *e)
{
	auto_buf b = BUF_INIT;
	int r = read_file_at(w->j->pod_fd, CONTRACT_FILE_PLAN, PLAN_SIZE_MAX, &b);

	if (r < 0)
		return err_sys(e, -r, "read the pod's plan");
	/* buffers of this size are aligned; plan_check wants 8 bytes */
	if (plan_check(b.data, b.len) < 0)
		return err_set(e, ERR_STATE, EINVAL, "the pod's plan is damaged or of another version");
	w->users = plan_head(b.data)->flags & PLAN_USERS;
	if (find_app(b.data, w->j->app, &w->app) < 0) {
		/* an app that was added later has a plan of its own */
		buf_clear(&b);
		w->app = 0;
		r = addedplan_load(w->j->pod_fd, w->j->app, &b, NULL, e);
		if (r < 0)
			return r;
	}
	w->plan_fd = addedplan_seal(&b, e);
	return w->plan_fd < 0 ? w->plan_fd : 0;
}

static int open_launcher(struct joining *w, struct err *e)
{
	w->exe = mnt_program("launch", e);
	return w->exe < 0 ? w->exe : 0;
}

static int open_host(struct joining *w, struct err *e)
{
	int r = open_plan(w, e);

	if (r == 0)
		r = heritage_read(w->j->pod_fd, &w->heritage, e);
	if (r == 0)
		r = open_launcher(w, e);
	if (r == 0)
		r = cgroups_open_procs(w->j->pod_fd, w->j->app, w->procs, e);
	if (r < 0)
		return r;
	w->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->proc_fd < 0)
		return err_sys(e, errno, "open /proc");
	if (heritage_take_score(&w->heritage, w->proc_fd, e) < 0)
		return -e->code;
	return pipe2(w->err, O_CLOEXEC) < 0 ? err_sys(e, errno, "pipe") : 0;
}

static int join_namespaces(const struct joining *w, struct err *e)
{
	const struct join *j = w->j;
	int all = (w->users ? CLONE_NEWUSER : 0) | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
		  CLONE_NEWNS;

	/* nobody in the pod may look into us once we are there */
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (syscall(SYS_setns, j->app_pidfd, all) < 0)
		return err_sys(e, errno, "join the namespaces of app \"%s\"", j->app);
	/* setns(2) leads to the root of the namespace; the app's own lies above it where rkt was started in a
	 * chroot, and it is the only one that must be reachable from here on */
	if (fchdir(j->app_root) < 0 || chroot(".") < 0)
		return err_sys(e, errno, "enter the root of app \"%s\"", j->app);
	if (w->users && (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_sys(e, errno, "become root of the pod's user namespace");
	return 0;
}

/* A terminal for the command on the app's own devpts; checked to be one, since the app owns /dev. */
static int open_pty(struct joining *w, struct err *e)
{
	struct statfs fs;
	int unlock = 0;
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int master = root < 0 ? -errno
					 : open_in_root(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK,
							0);

	if (master < 0)
		return err_sys(e, -master, "open a terminal in the app");
	if (fstatfs(master, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(e, ERR_STATE, EINVAL, "the app's /dev/pts is not a terminal file system");
	if (fcntl(master, F_SETFL, 0) < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, errno, "unlock the terminal");
	w->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (w->slave < 0)
		return err_sys(e, errno, "open the command's side of its terminal");
	tty_start(&w->tty, steal_fd(&master));
	return 0;
}

/* Only fds that the launcher is told of survive: it closes everything else itself. */
static void exec_launcher(struct joining *w)
{
	auto_strv argv = NULL;
	auto_strv env = NULL;
	auto_strv fds = NULL;
	const char *term = getenv("TERM");

	for (int i = 0; w->procs[i] >= 0; i++) {
		(void)fd_set_cloexec(w->procs[i], false);
		strv_pushf(&fds, "%d", w->procs[i]);
	}
	auto_free char *list = strv_join(fds, ",");
	strv_push(&argv, "launch");
	strv_pushf(&argv, "--plan-fd=%d", w->plan_fd);
	strv_pushf(&argv, "--app=%u", w->app);
	strv_pushf(&argv, "--err-fd=%d", w->err[1]);
	strv_pushf(&argv, "--proc-fd=%d", w->proc_fd);
	strv_pushf(&argv, "--procs-fds=%s", list);
	if (w->slave >= 0)
		strv_push(&argv, "--tty");
	strv_push(&argv, "--");
	strv_push_all(&argv, w->j->argv);
	strv_pushf(&env, "TERM=%s", term && *term ? term : "vt100");
	(void)fd_set_cloexec(w->plan_fd, false);
	(void)fd_set_cloexec(w->proc_fd, false);
	(void)fd_set_cloexec(w->err[1], false);
	for (int i = 0; i < 3 && w->slave >= 0; i++)
		(void)dup2(w->slave, i);
	(void)execveat(w->exe, "", argv, env, AT_EMPTY_PATH);
}

static _Noreturn void child(struct joining *w)
{
	struct launch_failure f = { .step = LAUNCH_RLIMIT };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	f.errnum = -heritage_take_limits(&w->heritage);
	if (f.errnum == 0) {
		f.step = LAUNCH_EXEC;
		exec_launcher(w);
		f.errnum = errno;
	}
	(void)write_full(w->err[1], &f, sizeof(f));
	_exit(CONTRACT_EXIT_FAILURE);
}

static void relay(struct joining *w, int pidfd)
{
	struct pollfd p[3] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = w->tty.master, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};

	while (poll(p, 3, -1) >= 0 || errno == EINTR) {
		if (p[2].revents)
			tty_input(&w->tty);
		if (!w->tty.in_open)
			p[2].fd = -1;
		if (p[1].revents && !tty_output(&w->tty))
			p[1].fd = -1;
		else if (p[0].revents && !p[1].revents)
			break;
	}
}

static int failure(struct joining *w, struct err *e)
{
	struct launch_failure f;

	fd_close(&w->err[1]);
	if (read_full(w->err[0], &f, sizeof(f)) != (ssize_t)sizeof(f))
		return 0;
	f.what[sizeof(f.what) - 1] = '\0';
	err_sys(e, f.errnum, "%s", f.what[0] ? f.what : w->j->argv[0]);
	return err_ctx(e, "app \"%s\": %s", w->j->app, launch_step_name(f.step));
}

static int run_child(struct joining *w, int *ret_status, struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, errno, "start the command");
	if (pid == 0)
		child(w);
	auto_close int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fd_close(&w->slave);
	int r = failure(w, e);
	if (r == 0 && w->tty.master >= 0 && pidfd >= 0)
		relay(w, pidfd);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return r;
}

int join_run(const struct join *j, int *ret_status, struct err *e)
{
	struct joining w = {
		.j = j,
		.plan_fd = FD_NONE,
		.exe = FD_NONE,
		.proc_fd = FD_NONE,
		.procs = { -1 },
		.err = { FD_NONE, FD_NONE },
		.slave = FD_NONE,
		.tty = { .master = FD_NONE },
	};
	int r = open_host(&w, e);

	if (r == 0)
		r = join_namespaces(&w, e);
	if (r == 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		r = open_pty(&w, e);
	if (r == 0)
		r = run_child(&w, ret_status, e);
	tty_stop(&w.tty);
	fd_close(&w.plan_fd);
	fd_close(&w.exe);
	fd_close(&w.proc_fd);
	fd_close(&w.err[0]);
	fd_close(&w.err[1]);
	return r;
}
