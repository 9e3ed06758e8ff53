/*
 * lock — flock(2) on open files and directories.
 */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/auto.h"

static int flock_again(int fd, int op)
{
	while (flock(fd, op) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int lock_fd(int fd, enum lock_mode mode, int wait)
{
	return flock_again(fd, (mode == LOCK_EXCL ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB));
}

int lock_probe(int fd)
{
	int r = flock_again(fd, LOCK_SH | LOCK_NB);

	if (r == -EWOULDBLOCK)
		return 1;
	if (r < 0)
		return r;
	return unlock_fd(fd);
}

int unlock_fd(int fd)
{
	return flock_again(fd, LOCK_UN);
}

int lock_file_at(int dirfd, const char *name, enum lock_mode mode, int wait)
{
	for (;;) {
		auto_close int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		struct stat mine, now;
		int r;

		if (fd < 0)
			return -errno;
		r = lock_fd(fd, mode, wait);
		if (r < 0)
			return r;
		if (fstat(fd, &mine) < 0)
			return -errno;
		if (fstatat(dirfd, name, &now, AT_SYMLINK_NOFOLLOW) == 0) {
			if (mine.st_dev == now.st_dev && mine.st_ino == now.st_ino)
				return steal_fd(&fd);
		} else if (errno != ENOENT) {
			return -errno;
		}
		/* Deleted or replaced while we waited: our lock protects nothing. */
	}
}
