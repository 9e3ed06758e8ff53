/* podsock — see podsock.h. */
#include "stage1/lib/podsock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"

int podsock_listen(const char *name, int backlog, struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	if (fd < 0)
		return err_sys(e, errno, "socket %s", name);
	if (unlink(name) < 0 && errno != ENOENT)
		return err_sys(e, errno, "remove an old %s", name);
	mode_t old = umask(0177);
	int r = bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
	(void)umask(old);
	if (r == 0 && listen(fd, backlog) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "listen on %s", name) : steal_fd(&fd);
}
