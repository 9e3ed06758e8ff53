/* heritage — see heritage.h. */
#include "stage1/lib/heritage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fd.h"
#include "stage1/lib/running.h"

#define OOM_LOWEST  (-1000)
#define OOM_HIGHEST 1000

static int read_score(pid_t pid, int *ret)
{
	char path[40], text[16];
	auto_close int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	text[n] = '\0';
	*ret = (int)strtol(text, NULL, 10);
	return *ret < OOM_LOWEST || *ret > OOM_HIGHEST ? -ERANGE : 0;
}

int heritage_read(int pod_fd, struct heritage *ret, struct err *e)
{
	pid_t pid = 0;
	auto_close int sup = running_supervisor(pod_fd, &pid, e);
	int r;

	if (sup < 0)
		return sup;
	r = read_score(pid, &ret->oom_score);
	for (int i = 0; i < RLIM_NLIMITS && r == 0; i++) {
		if (prlimit(pid, (__rlimit_resource_t)i, NULL, &ret->limits[i]) < 0)
			r = -errno;
	}
	/* that the number was still the supervisor's is asked afterwards */
	if (r == 0 && syscall(SYS_pidfd_send_signal, sup, 0, NULL, 0) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "read the limits of the pod") : 0;
}

static rlim_t less(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

static int take_limit(int resource, const struct rlimit *want)
{
	struct rlimit now, possible;

	if (setrlimit((__rlimit_resource_t)resource, want) == 0)
		return 0;
	if (errno != EPERM || getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return -errno;
	possible.rlim_max = less(now.rlim_max, want->rlim_max);
	possible.rlim_cur = less(want->rlim_cur, possible.rlim_max);
	return setrlimit((__rlimit_resource_t)resource, &possible) < 0 ? -errno : 0;
}

int heritage_take_limits(const struct heritage *h)
{
	int r = 0;

	for (int i = 0; i < RLIM_NLIMITS && r == 0; i++)
		r = take_limit(i, &h->limits[i]);
	return r;
}

int heritage_take_score(const struct heritage *h, int proc_fd, struct err *e)
{
	auto_close int fd = openat(proc_fd, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", h->oom_score);
	int r = fd < 0 ? -errno : write_full(fd, text, (size_t)n);

	return r < 0 && r != -EACCES ? err_sys(e, -r, "take on the pod's out-of-memory score") : 0;
}
