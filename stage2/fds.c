/*
 * fds — close everything that was not asked for; see sys.h.
 *
 * close_range(2) over the gaps between the kept numbers; without it (ENOSYS, Linux < 5.9), what
 * /proc/self/fd lists.
 */
#include "stage2/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>

static void sort(int *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int x = v[i];
		size_t j = i;

		for (; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

static bool kept(const int *keep, size_t n, int fd)
{
	for (size_t i = 0; i < n; i++) {
		if (keep[i] == fd)
			return true;
	}
	return false;
}

static int close_listed(int proc_fd, const int *keep, size_t n)
{
	_Alignas(struct dirent64) char buf[2048];
	int dir = openat(proc_fd, "self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long got = -1;

	if (dir < 0)
		return -errno;
	while ((got = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < got;) {
			const struct dirent64 *d = (const void *)(buf + at);
			int fd = 0;

			for (const char *c = d->d_name; *c >= '0' && *c <= '9'; c++)
				fd = fd * 10 + (*c - '0');
			if (fd >= 3 && fd != dir && !kept(keep, n, fd))
				(void)close(fd);
			at += d->d_reclen;
		}
	}
	got = got < 0 ? -errno : 0;
	(void)close(dir);
	return (int)got;
}

int fds_close_but(int proc_fd, int *keep, size_t n)
{
	unsigned int from = 3;

	sort(keep, n);
	for (size_t i = 0; i <= n; i++) {
		unsigned int to = i < n ? (unsigned int)keep[i] : UINT_MAX;
		int r = 0;

		if (to > from)
			r = sys_close_range(from, i < n ? to - 1 : to, 0);
		if (r == -ENOSYS || r == -EPERM)
			return close_listed(proc_fd, keep, n);
		if (r < 0)
			return r;
		if (i < n && to >= from)
			from = to + 1;
	}
	return 0;
}
