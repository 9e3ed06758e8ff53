/*
 * enter — the enter entrypoint of every flavor: `enter --pid=P --appname=A -- CMD [ARG]…`, cwd = pod
 * directory.
 *
 * The command is as confined as the app: stage2/launch builds it from the plan that the app was built
 * from (design section 5).  The app's main process is found from P and checked before it is joined.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/join.h"
#include "stage1/lib/running.h"
#include "stage1/lib/verb.h"

struct enter_args {
	char *pid, *app;
};

static const struct opt enter_opts[] = {
	{ .name = "pid",
	  .kind = OPT_STR,
	  .offset = offsetof(struct enter_args, pid),
	  .arg = "PID",
	  .help = "first process of the pod" },
	{ .name = "appname",
	  .kind = OPT_STR,
	  .offset = offsetof(struct enter_args, app),
	  .arg = "NAME",
	  .help = "app to enter" },
	{ .kind = OPT_END },
};

/* @pid comes from stage0 and must be what we find ourselves. */
static int check_init(int pod_fd, const char *pid, pid_t *ret, struct err *e)
{
	uint32_t want = 0;
	auto_close int fd = FD_NONE;

	if (!pid || parse_u32(pid, &want) < 0)
		return err_set(e, ERR_USAGE, EINVAL, "--pid is missing or malformed");
	int r = running_init(pod_fd, ret, &fd, e);
	if (r == 0 && *ret != (pid_t)want)
		return err_set(e, ERR_STATE, ESRCH, "process %u is not the pod's", want);
	return r;
}

static int enter(const struct enter_args *a, char **argv, int *status, struct err *e)
{
	pid_t init = 0;
	auto_close int pod_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (pod_fd < 0)
		return err_sys(e, errno, "open the pod directory");
	if (!a->app || !*a->app)
		return err_set(e, ERR_USAGE, EINVAL, "--appname is missing");
	if (!*argv)
		return err_set(e, ERR_USAGE, EINVAL, "no command");
	int r = check_init(pod_fd, a->pid, &init, e);
	if (r < 0)
		return r;
	auto_close int root = FD_NONE;
	auto_close int app = running_app(pod_fd, init, a->app, &root, e);
	if (app < 0)
		return app;
	struct join j = { .pod_fd = pod_fd, .app_pidfd = app, .app_root = root, .app = a->app, .argv = argv };
	return join_run(&j, status, e);
}

/* Die as the command died, so that the caller sees the truth. */
static int mirror(int status)
{
	if (WIFSIGNALED(status)) {
		(void)signal(WTERMSIG(status), SIG_DFL);
		(void)kill(getpid(), WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct enter_args a = { NULL, NULL };
	struct opt_set set = { enter_opts, &a };
	auto_strv rest = NULL;
	int index = 1, status = 0;

	(void)fd_ensure_std();
	log_setup(verb_prefix("enter"), LOG_NORMAL);
	(void)signal(SIGPIPE, SIG_DFL);
	int r = opt_parse(&set, 1, argc, argv, &index, OPT_STOP_POSITIONAL, &rest, &e);
	if (r == 0)
		r = enter(&a, argv + index, &status, &e);
	opt_done(enter_opts, &a);
	if (r == 0)
		return mirror(status);
	log_error("%s", e.text);
	return CONTRACT_EXIT_FAILURE;
}
