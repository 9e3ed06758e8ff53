/* notify — see notify.h. */
#include "stage1/lib/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage1/lib/mnt.h"

#define MESSAGE_MAX 4096 /* bytes; systemd takes a page */
#define AT_ONCE     16   /* messages of one turn: an app that floods does not keep us from the others */

bool notify_wanted(const struct pod_app *a)
{
	const char *value = pairs_get(&a->image->annotations, "appc.io/executor/supports-systemd-notify");

	return value && strcmp(value, "true") == 0;
}

static int bind_socket(int fd, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	/* the app's user may be anybody; only the app's own mount leads here */
	return fchmodat(AT_FDCWD, name, 0666, 0) < 0 ? -errno : 0;
}

int notify_listen(const struct podctx *c, unsigned int index, struct vol_mounts *l, struct err *e)
{
	auto_free char *name = xasprintf("notify-%u", index);
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : bind_socket(fd, name);

	if (r < 0)
		return err_sys(e, -r, "socket for the readiness of app \"%s\"", c->apps[index].rt->name);
	auto_close int m = mnt_clone(c->pod_fd, name, false, e);
	if (m < 0 || mnt_set(m, MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_, false, e) < 0)
		return -e->code;
	vol_mounts_push(l, &(struct vol_mount){ .target = xstrdup(NOTIFY_TARGET), .fd = steal_fd(&m) });
	return steal_fd(&fd);
}

bool notify_take(int fd)
{
	char text[MESSAGE_MAX + 1];
	bool ready = false;

	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t n = recv(fd, text, MESSAGE_MAX, MSG_DONTWAIT);

		if (n < 0)
			break;
		text[n] = '\0';
		auto_strv lines = strv_split(text, '\n');
		ready |= strv_has(lines, "READY=1");
	}
	return ready;
}

void notify_send(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;

	if (!len)
		return;
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(to.sun_path)) {
		log_warn("NOTIFY_SOCKET is neither a path nor an abstract name: %s not sent", text);
		return;
	}
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
			     (const struct sockaddr *)&to, size) < 0)
		log_warn("tell %s to the service manager: %s", text, strerror(errno));
}
