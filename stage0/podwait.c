/*
 * podwait — wait for a pod to end or to become ready.
 *
 * The end of a running pod is the end of its supervisor, seen through a pidfd, and then the release
 * of the lock.  Where there is no supervisor to watch (a pod in preparation, or one that has not
 * written its pid file yet) nothing in the kernel tells us, and we look ten times a second.
 */
#include "stage0/status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "stage0/podfacts.h"

#define LOOK_MS 100 /* between two looks when nothing can wake us */
#define MS      1000000

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool finished(enum pod_state s)
{
	return s != POD_EMBRYO && s != POD_PREPARING && s != POD_PREPARED && s != POD_RUNNING;
}

/* Something that becomes readable when the supervisor ends, or FD_NONE. */
static int watch_supervisor(const struct pod *p)
{
	pid_t pid;
	int fd;

	if (p->state != POD_RUNNING || pod_supervisor(p, &pid) < 0)
		return FD_NONE;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? FD_NONE : fd;
}

/* Something that becomes readable when a file appears in the pod's rkt directory, or FD_NONE. */
static int watch_ready(const struct pod *p)
{
	auto_close int dir = pod_rkt_dir(p), fd = FD_NONE;
	char path[64];

	if (dir < 0)
		return FD_NONE;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	if (fd < 0 || inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO) < 0)
		return FD_NONE;
	return steal_fd(&fd);
}

/* Sleep until one of the two stirs, at most @left_ns (< 0: any time).  True: the supervisor has ended. */
static bool sleep_on(int supervisor, int events, bool ready, int64_t left_ns)
{
	struct pollfd fds[] = { { .fd = supervisor, .events = POLLIN }, { .fd = events, .events = POLLIN } };
	bool blind = supervisor < 0 || (ready && events < 0);
	int64_t ms = blind ? LOOK_MS : -1;

	if (left_ns >= 0 && (ms < 0 || left_ns / MS + 1 < ms))
		ms = left_ns / MS + 1;
	if (ms > INT32_MAX)
		ms = INT32_MAX;
	(void)poll(fds, 2, (int)ms); /* a signal is as good a reason to look as any */
	return fds[0].revents != 0;
}

int pod_wait(struct pod *p, bool ready, int64_t timeout_ns, struct err *e)
{
	int64_t start = now_ns();
	bool ended = false; /* then only the lock, which a child may have inherited, is still to go */

	for (;;) {
		auto_close int events = ready ? watch_ready(p) : FD_NONE;
		auto_close int supervisor = FD_NONE;
		int64_t left;
		int r;

		if (ready && p->fd >= 0 && pod_ready(p))
			return 0;
		r = pod_refresh(p, e);
		if (r < 0)
			return r;
		if (finished(p->state) && !ready)
			return 0;
		if (finished(p->state) && (p->state == POD_GONE || !pod_ready(p)))
			return err_set(e, ERR_STATE, ESRCH, "pod %s is %s and was never ready", p->uuid,
				       pod_state_name(p->state));
		left = timeout_ns < 0 ? -1 : timeout_ns - (now_ns() - start);
		if (timeout_ns >= 0 && left <= 0)
			return err_set(e, ERR_STATE, ETIMEDOUT, "pod %s is still %s", p->uuid,
				       pod_state_name(p->state));
		supervisor = ended ? FD_NONE : watch_supervisor(p);
		ended = sleep_on(supervisor, events, ready, left) || ended;
	}
}
