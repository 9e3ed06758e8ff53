/*
 * etcfiles — small files that an app expects in /etc, written only where the image has none, never
 * through a link of the image (formats.md section 8).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "stage1/lib/sandbox.h"

/* The app's /etc, made for an image that has none; -ENOTDIR or -ELOOP for one that has something else there.  Here and
 * below: descriptors end with our execve. */
static int open_etc(int root_fd)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(root_fd, "etc", flags);

	if (fd < 0 && errno == ENOENT)
		fd = mkdirat(root_fd, "etc", 0755) < 0 ? -1 : openat(root_fd, "etc", flags);
	return fd < 0 ? -errno : fd;
}

/* O_EXCL: an existing entry, a dangling link included, stays as it is. */
static int write_new(const struct app_build *a, int etc_fd, const char *name, const char *text, struct err *e)
{
	int fd = openat(etc_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno == EEXIST ? 0 : err_sys(e, errno, "create the app's /etc/%s", name);
	int r = write_full(fd, text, strlen(text));
	/* a mount with a file open for writing cannot become read-only */
	if (a->in->rt->read_only_rootfs)
		(void)close(fd);
	return r < 0 ? err_sys(e, -r, "write the app's /etc/%s", name) : 0;
}

int etcfiles_write(struct sandbox *s, struct app_build *a, struct err *e)
{
	const char *host = s->ctx->hostname;
	auto_buf hosts = BUF_INIT;
	auto_buf name = BUF_INIT;
	int etc = open_etc(a->root_fd);

	if (etc < 0) /* an image with something else there gets none of them */
		return etc == -ENOTDIR || etc == -ELOOP ? 0 : err_sys(e, -etc, "open the app's /etc");
	buf_addf(&hosts,
		 "127.0.0.1 localhost localhost.localdomain %s\n::1 localhost ip6-localhost ip6-loopback\n",
		 host);
	buf_addf(&name, "%s\n", host);
	int r = write_new(a, etc, "hosts", buf_str(&hosts), e);
	if (r == 0)
		r = write_new(a, etc, "hostname", buf_str(&name), e);
	if (r == 0 && symlinkat("../proc/self/mounts", etc, "mtab") < 0 && errno != EEXIST)
		r = err_sys(e, errno, "link the app's /etc/mtab");
	return r;
}
