/*
 * stop — the stop entrypoint of every flavor: `stop [--force] UUID`, cwd = pod directory.
 *
 * Without --force SIGTERM goes to the supervisor, which ends the apps in order.  With it init is
 * killed, which ends every process of the pod at once; the supervisor then records and cleans up.  If
 * it does not within two seconds (somebody stopped it), it is killed too.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/cgroup.h"
#include "stage1/lib/running.h"

#define SUPERVISOR_MS 2000
#define LOOK_MS       20 /* between two looks where nothing can wake us */

struct stop_args {
	bool force;
};

static const struct opt stop_opts[] = {
	{ .name = "force",
	  .kind = OPT_BOOL,
	  .offset = offsetof(struct stop_args, force),
	  .help = "kill at once" },
	{ .kind = OPT_END },
};

static int signal_pidfd(int fd, int sig, struct err *e)
{
	if (syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, errno, "signal the pod");
	return 0;
}

static int force_stop(int pod_fd, int supervisor, struct err *e)
{
	pid_t pid;
	int init = FD_NONE;
	struct pollfd p = { .fd = supervisor, .events = POLLIN };

	if (running_init(pod_fd, &pid, &init, e) == 0) {
		int r = signal_pidfd(init, SIGKILL, e);

		fd_close(&init);
		if (r < 0)
			return r;
	}
	err_clear(e);
	if (poll(&p, 1, SUPERVISOR_MS) > 0)
		return 0;
	int r = signal_pidfd(supervisor, SIGKILL, e);
	return r == 0 ? cgroups_destroy(pod_fd, e) : r;
}

/* Kernels before 5.3, and filters that hide pidfds.  The supervisor's death is the pod's: init watches it. */
static int stop_by_number(int pod_fd, bool force, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int r = running_kill(pod_fd, force ? SIGKILL : SIGTERM, e);

	for (int ms = 0; r == 0 && force && ms < SUPERVISOR_MS; ms += LOOK_MS) {
		struct err gone = ERR_INIT;

		if (running_kill(pod_fd, 0, &gone) < 0)
			return cgroups_destroy(pod_fd, e);
		(void)nanosleep(&pause, NULL);
	}
	return r;
}

static bool no_pidfds(int supervisor)
{
	int r = supervisor;

	if (r >= 0 && syscall(SYS_pidfd_send_signal, supervisor, 0, NULL, 0) < 0)
		r = -errno;
	return r == -ENOSYS || r == -EPERM;
}

static int stop(int argc, char **argv, struct err *e)
{
	struct stop_args a = { false };
	struct opt_set set = { stop_opts, &a };
	auto_strv rest = NULL;
	int index = 1;
	int r = opt_parse(&set, 1, argc, argv, &index, OPT_STOP_NEVER, &rest, e);

	if (r < 0)
		return r;
	auto_close int pod_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pod_fd < 0)
		return err_sys(e, errno, "open the pod directory");
	pid_t pid = 0;
	auto_close int sup = running_supervisor(pod_fd, &pid, e);
	if (no_pidfds(sup)) {
		err_clear(e);
		return stop_by_number(pod_fd, a.force, e);
	}
	if (sup < 0)
		return sup;
	return a.force ? force_stop(pod_fd, sup, e) : signal_pidfd(sup, SIGTERM, e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	log_setup("rkt: stop", LOG_NORMAL);
	if (stop(argc, argv, &e) == 0)
		return 0;
	log_error("%s", e.text);
	return CONTRACT_EXIT_FAILURE;
}
