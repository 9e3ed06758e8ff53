/*
 * init — first process of a pod: starts the apps, reaps everything, ends everything.
 *
 * Stage1 has made the namespaces, mounted the trees and left the plan and a socket (stage2/README.md).
 * Nothing is done before MSG_GO except checks, so a supervisor that dies while it writes its records
 * leaves nothing behind.  From then on there is one loop: socket, SIGCHLD, launch reports, deadlines.
 * The end of file on the socket means that the supervisor is dead, whatever killed it: everything is
 * killed at once.
 *
 * Init outlives every error once apps run; the only ways out are the last line of main and a start that
 * failed.  All signals are blocked for good, so nothing interrupts a system call.
 */
#include "stage2/init.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "stage2/launch.h"
#include "stage2/sys.h"

#define SWEEP_MS     2000
#define PAUSE_MS     5
#define PAUSE_MAX_MS 1000

int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- start-up ------------------------------------------------------------------------------- */

static int start_signals(struct pod *p)
{
	sigset_t all;

	(void)p;
	(void)sigfillset(&all);
	return sigprocmask(SIG_SETMASK, &all, NULL) < 0 ? -errno : 0;
}

static int start_proc(struct pod *p)
{
	/* 0, 1 and 2 may be closed; what we open must not take their place. */
	do {
		p->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	} while (p->proc_fd >= 0 && p->proc_fd < 3);
	return p->proc_fd < 0 ? -errno : 0;
}

int map_plan(int fd, const void **ret)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK;
	struct stat st;
	int have = fcntl(fd, F_GET_SEALS);
	void *p;

	/* A plan that somebody can still change would be checked in vain. */
	if (have < 0 || (have & seals) != seals)
		return have < 0 ? -errno : -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > (off_t)PLAN_SIZE_MAX)
		return -EINVAL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	if (plan_check(p, (size_t)st.st_size) < 0) {
		(void)munmap(p, (size_t)st.st_size);
		return -EINVAL;
	}
	*ret = p;
	return 0;
}

/* The pod's own plan is copied: whoever might change the file changes nothing that was checked. */
static int read_plan(int fd, const void **ret)
{
	_Alignas(8) static char small[64 << 10];
	const struct plan_header *h = (const void *)small;
	ssize_t n = pread(fd, small, sizeof(small), 0);
	size_t have = n < 0 ? 0 : (size_t)n;
	char *p = small;

	if (n < 0)
		return -errno;
	if (have == sizeof(small) && h->size > have && h->size <= PLAN_SIZE_MAX) {
		p = mmap(NULL, h->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return -errno;
		for (have = 0; n > 0 && have < h->size; have += (size_t)n) {
			n = pread(fd, p + have, h->size - have, (off_t)have);
			if (n < 0)
				return -errno;
		}
	}
	*ret = p;
	return plan_check(p, have);
}

static int start_plan(struct pod *p)
{
	int r = read_plan(p->plan_fd, &p->plan);

	if (r < 0)
		return r;
	p->is_mutable = plan_head(p->plan)->flags & PLAN_MUTABLE;
	p->napps = p->is_mutable ? PLAN_APPS_MAX : plan_head(p->plan)->napps;
	for (uint32_t i = 0; i < plan_head(p->plan)->napps; i++) {
		p->apps[i].plan = p->plan;
		p->apps[i].index = i;
		(void)memcpy(p->apps[i].stdio, plan_app(p->plan, i)->stdio, sizeof(p->apps[i].stdio));
	}
	return 0;
}

static int start_role(struct pod *p)
{
	struct statfs fs;

	launch_reset_signals(p->proc_fd, &p->inherited);
	/* who has number 1 in that procfs is the first process of a namespace, and it is this namespace's procfs */
	p->is_init = (plan_head(p->plan)->flags & PLAN_PIDNS) && p->inherited.pid == 1;
	if (!p->is_init && plan_head(p->plan)->flags & PLAN_PIDNS)
		return -EINVAL;
	if (!p->is_init && fstatfs(p->proc_fd, &fs) < 0)
		return -errno;
	if (!p->is_init && fs.f_type != PROC_SUPER_MAGIC)
		return -ENOTSUP;
	/* Nobody in the pod may look into or trace this process. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (!p->is_init && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int start_fds(struct pod *p)
{
	int keep[2 + PLAN_CGROUPS_MAX + (3 + PLAN_LISTEN_MAX) * PLAN_APPS_MAX];
	size_t n = 0;

	keep[n++] = PLAN_FD_CONTROL;
	keep[n++] = p->proc_fd;
	for (uint32_t i = 0; i < plan_head(p->plan)->ncgroups; i++)
		keep[n++] = plan_cgroup(p->plan, i)->parent_fd;
	for (uint32_t i = 0; i < plan_head(p->plan)->napps; i++) {
		for (int j = 0; j < 3; j++)
			keep[n++] = plan_app(p->plan, i)->stdio[j];
		for (uint32_t j = 0; j < plan_app(p->plan, i)->nlisten; j++)
			keep[n++] = plan_listen(p->plan, i)[j];
	}
	return fds_close_but(p->proc_fd, keep, n);
}

static int start_signalfd(struct pod *p)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	p->sig_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return p->sig_fd < 0 ? -errno : 0;
}

static const struct {
	const char *name;
	int (*run)(struct pod *p);
} start[] = {
	{ "block signals", start_signals },      { "open /proc", start_proc },
	{ "read the plan", start_plan },         { "take the role", start_role },
	{ "close descriptors", start_fds }, /* the plan too */
	{ "watch for signals", start_signalfd },
};

/* ---- the loop ------------------------------------------------------------------------------- */

static void reap(struct pod *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		apps_reaped(p, pid, status);
		p->next = p->is_init ? p->next : 0; /* its children are ours now: the next round is due */
	}
	p->childless = pid < 0 && errno == ECHILD;
}

static void on_signals(struct pod *p)
{
	struct signalfd_siginfo si[2]; /* neither of the two signals queues */
	ssize_t n = read(p->sig_fd, si, sizeof(si));

	for (ssize_t i = 0; i < n / (ssize_t)sizeof(si[0]); i++) {
		if (si[i].ssi_signo == SIGTERM)
			apps_stop(p);
	}
	reap(p);
}

static void on_supervisor_gone(struct pod *p)
{
	p->gone = true;
	p->status = EXIT_POD_FAILED;
	if (p->phase < POD_END)
		p->phase = POD_END;
	p->next = 0;
}

static void sooner(int64_t *when, int64_t t)
{
	if (*when < 0 || t < *when)
		*when = t;
}

/* Milliseconds until something must be done, -1 = never. */
static int time_left(const struct pod *p)
{
	int64_t when = -1, left;

	if (p->phase >= POD_END)
		when = p->next;
	for (uint32_t i = 0; p->phase < POD_END && i < p->napps; i++) {
		if (p->apps[i].deadline)
			sooner(&when, p->apps[i].deadline);
	}
	if (when < 0)
		return -1;
	left = when - now_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void wait_and_react(struct pod *p)
{
	struct pollfd fds[2 + PLAN_APPS_MAX];
	nfds_t n = 0;

	fds[n++] = (struct pollfd){ .fd = p->sig_fd, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = p->gone ? -1 : PLAN_FD_CONTROL, .events = POLLIN | POLLRDHUP };
	if (p->queue_from < p->queue_to)
		fds[1].events |= POLLOUT;
	for (uint32_t i = 0; i < p->napps; i++)
		fds[n++] = (struct pollfd){ .fd = p->apps[i].err_fd, .events = POLLIN };
	if (poll(fds, n, time_left(p)) <= 0)
		return;
	/* Reports before ends: who was started has started before he ended. */
	for (uint32_t i = 0; i < p->napps; i++) {
		if (fds[2 + i].revents)
			app_launched(p, i, fds[2 + i].revents == POLLHUP);
	}
	if (fds[0].revents)
		on_signals(p);
	if (fds[1].revents & (POLLHUP | POLLERR | POLLRDHUP | POLLNVAL))
		on_supervisor_gone(p);
	else if (fds[1].revents & POLLIN)
		control_receive(p);
	if (fds[1].revents & POLLOUT)
		control_flush(p);
}

/* One more try at ending the pod: leftovers while there are children, then the cgroups.  The clock is asked only when
 * there will be another one. */
static void end_round(struct pod *p)
{
	const char *dir = NULL;
	int64_t now;

	if (p->next && now_ms() < p->next && !(p->phase == POD_END && p->childless))
		return;
	kill_pod(p);
	if (p->phase == POD_END && p->childless) {
		p->phase = POD_SWEEP;
		p->pause = PAUSE_MS;
	}
	if (p->phase == POD_SWEEP && cgroups_remove(p, &dir) == 0) {
		p->phase = POD_GONE;
		return;
	}
	now = now_ms();
	p->next = now + p->pause;
	p->pause = p->pause * 2 < PAUSE_MAX_MS ? p->pause * 2 : PAUSE_MAX_MS;
	if (p->phase != POD_SWEEP)
		return;
	if (!p->give_up) {
		p->give_up = now + SWEEP_MS;
	} else if (now >= p->give_up) {
		control_send(p, MSG_FAILED, -1, INIT_REMOVE, EBUSY, dir);
		p->phase = POD_GONE;
	}
}

/* The last messages.  The supervisor may be slow, even stopped; its end ends the wait. */
static void farewell(struct pod *p)
{
	control_send(p, MSG_DONE, -1, p->status, 0, NULL);
	while (!p->gone && p->queue_from < p->queue_to) {
		struct pollfd fd = { .fd = PLAN_FD_CONTROL, .events = POLLOUT };

		if (poll(&fd, 1, -1) < 0 || fd.revents & (POLLHUP | POLLERR | POLLNVAL))
			return;
		control_flush(p);
	}
}

/* Digits; anything else leads to a descriptor that is not open. */
static int number(const char *s)
{
	int v = 0;

	for (; *s >= '0' && *s <= '9' && v < 1 << 20; s++)
		v = v * 10 + (*s - '0');
	return *s ? -1 : v;
}

int main(int argc, char **argv)
{
	static struct pod pod;

	pod.plan_fd = argc > 1 ? number(argv[1]) : PLAN_FD_PLAN;
	for (size_t i = 0; i < PLAN_CGROUPS_MAX; i++)
		pod.cgroup_fd[i] = -1;
	for (size_t i = 0; i < PLAN_APPS_MAX; i++)
		pod.apps[i].err_fd = -1;
	pod.childless = true;
	pod.pause = PAUSE_MS;
	for (size_t i = 0; i < sizeof(start) / sizeof(start[0]); i++) {
		int r = start[i].run(&pod);

		if (r < 0) {
			say("init", start[i].name);
			control_send(&pod, MSG_FAILED, -1, INIT_PLAN, -r, start[i].name);
			_exit(EXIT_POD_FAILED);
		}
	}
	control_receive(&pod); /* MSG_GO has nearly always come by now */
	while (pod.phase != POD_GONE) {
		wait_and_react(&pod);
		if (pod.phase < POD_END)
			apps_overdue(&pod);
		else
			end_round(&pod);
	}
	farewell(&pod);
	_exit(pod.status);
}
