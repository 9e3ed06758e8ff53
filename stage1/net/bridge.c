/* bridge — see bridge.h. */
#include "stage1/net/bridge.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"

/* Is anything on it?  -ENOENT: there is no such bridge. */
static int in_use(const char *name)
{
	auto_free char *path = xasprintf("/sys/class/net/%s/brif", name);
	auto_closedir DIR *d = opendir(path);
	int n = 0;

	if (!d)
		return -errno;
	while (readdir(d))
		n++;
	return n > 2; /* beside itself and its parent */
}

static int remove_one(int sock, const char *name, struct err *e)
{
	struct ifreq r = { .ifr_flags = 0 };
	int n = in_use(name);

	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return err_sys(e, -n, "look at the bridge \"%s\"", name);
	if (n > 0)
		return err_set(e, ERR_STATE, EBUSY, "bridge \"%s\" is in use", name);
	memcpy(r.ifr_name, name, strlen(name) + 1);
	if (ioctl(sock, SIOCSIFFLAGS, &r) < 0 || ioctl(sock, SIOCBRDELBR, name) < 0)
		return err_sys(e, errno, "remove the bridge \"%s\"", name);
	return 0;
}

int bridge_remove(const struct net_conf *c, struct err *e)
{
	const json_t *plugin;
	size_t i;
	auto_close int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return err_sys(e, errno, "socket");
	json_array_foreach(c->plugins, i, plugin)
	{
		const char *type = json_string_value(json_member(plugin, "type"));
		const char *name = json_string_value(json_member(plugin, "bridge"));

		if (!type || strcmp(type, "bridge") != 0)
			continue;
		name = name ? name : "cni0";
		if (strlen(name) >= IFNAMSIZ)
			continue;
		int r = remove_one(sock, name, e);
		if (r < 0)
			return r;
	}
	return 0;
}
