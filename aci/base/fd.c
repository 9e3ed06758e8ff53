/*
 * fd — whole reads and writes, memfds, keep-lists, descriptors over sockets.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/auto.h"
#include "base/num.h"

#define FDS_PER_MESSAGE 253 /* SCM_MAX_FD of the kernel */

ssize_t read_full(int fd, void *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = read(fd, (char *)p + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int write_full(int fd, const void *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(fd, (const char *)p + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		done += (size_t)r;
	}
	return 0;
}

int fd_read_all(int fd, size_t max, struct buf *out)
{
	size_t start = out->len, step = 4096;

	for (;;) {
		size_t have = out->len - start;
		/* One byte above the limit tells "exactly @max" from "more". */
		size_t room = max - have < step ? max - have + 1 : step;
		ssize_t r = read_full(fd, buf_reserve(out, room), room);

		if (r < 0)
			return (int)r;
		out->len += (size_t)r;
		if (out->len - start > max)
			return -EFBIG;
		if ((size_t)r < room)
			return 0;
		if (step < 256 * 1024)
			step *= 2;
	}
}

int fd_set_cloexec(int fd, bool on)
{
	/* FD_CLOEXEC is the only flag there is (fcntl(2)): no need to read before writing */
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

static bool listed(const int *keep, size_t n, int fd)
{
	for (size_t i = 0; i < n; i++) {
		if (keep[i] == fd)
			return true;
	}
	return false;
}

/* Kernels before 5.9, and seccomp profiles that do not know the call. */
static int close_by_proc(const int *keep, size_t n)
{
	auto_closedir DIR *d = opendir("/proc/self/fd");
	struct dirent *ent;
	uint32_t fd;

	if (!d) {
		struct rlimit lim;

		if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
			return -errno;
		for (rlim_t i = 3; i < lim.rlim_cur && i < INT_MAX; i++) {
			if (!listed(keep, n, (int)i))
				(void)close((int)i);
		}
		return 0;
	}
	while ((ent = readdir(d))) {
		if (parse_u32(ent->d_name, &fd) < 0 || fd < 3 || (int)fd == dirfd(d))
			continue;
		if (!listed(keep, n, (int)fd))
			(void)close((int)fd);
	}
	return 0;
}

int fd_close_all_but(const int *keep, size_t n)
{
	unsigned int from = 3;

	/* Close the gaps between the kept ones in rising order; no allocation, n is small. */
	for (;;) {
		unsigned int next = UINT_MAX;

		for (size_t i = 0; i < n; i++) {
			if (keep[i] >= 0 && (unsigned int)keep[i] >= from && (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		}
		if (next > from &&
		    syscall(SYS_close_range, from, next == UINT_MAX ? UINT_MAX : next - 1, 0U) < 0) {
			if (errno == ENOSYS || errno == EPERM)
				return close_by_proc(keep, n);
			return -errno;
		}
		if (next == UINT_MAX)
			return 0;
		from = next + 1;
	}
}

int fd_ensure_std(void)
{
	struct pollfd std[] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

	if (poll(std, ARRAY_LEN(std), 0) == 0)
		return 0; /* nothing to report: all three are open, and none has an error */
	for (int fd = 0; fd <= 2; fd++) {
		int got;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		got = open("/dev/null", O_RDWR); /* inherited by design: no O_CLOEXEC */
		if (got < 0)
			return -errno;
		if (got != fd) {
			(void)close(got);
			return -EBADF;
		}
	}
	return 0;
}

int memfd_new(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}

int memfd_seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return 0;
}

union fd_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(FDS_PER_MESSAGE * sizeof(int))];
};

int fd_send(int sock, const void *msg, size_t len, const int *fds, size_t nfds)
{
	union fd_control control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)msg, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t r;

	if (nfds > FDS_PER_MESSAGE)
		return -EINVAL;
	if (nfds) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof(control));
		hdr.msg_control = control.space;
		hdr.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	do
		r = sendmsg(sock, &hdr, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return (size_t)r == len ? 0 : -EMSGSIZE;
}

/* Move the descriptors of one control message to fds[*got..room), close those that do not fit. */
static bool take_fds(struct cmsghdr *c, int *fds, size_t room, size_t *got)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	bool fit = true;

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		if (*got < room) {
			fds[(*got)++] = fd;
		} else {
			(void)close(fd);
			fit = false;
		}
	}
	return fit;
}

ssize_t fd_recv(int sock, void *msg, size_t len, int *fds, size_t *nfds)
{
	union fd_control control;
	struct iovec iov = { .iov_base = msg, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	size_t room = nfds ? *nfds : 0, got = 0;
	bool fit = true;
	ssize_t r;

	do
		r = recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&hdr); c; c = CMSG_NXTHDR(&hdr, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			fit = take_fds(c, fds, room, &got) && fit;
	}
	if (!fit || (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		while (got > 0)
			(void)close(fds[--got]);
		r = -EMSGSIZE;
	}
	if (nfds)
		*nfds = got;
	return r;
}
