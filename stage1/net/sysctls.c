/* sysctls — see sysctls.h. */
#include "stage1/net/sysctls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"

#define ROOT "/proc/sys/net/"
#define CONF "ipv6/conf"

/* First line of the value, "" when it cannot be read. */
static void get(const char *path, char out[32])
{
	auto_free char *full = xasprintf(ROOT "%s", path);
	auto_close int fd = open(full, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_full(fd, out, 31);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

int sysctl_put(const char *path, const char *value)
{
	auto_free char *full = xasprintf(ROOT "%s", path);
	char now[32];

	get(path, now);
	if (strcmp(now, value) == 0)
		return 0;
	auto_close int fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write_full(fd, value, strlen(value));
}

int sysctl_put_ipv6(const char *ifname, const char *name, const char *value, struct err *e)
{
	auto_free char *path = xasprintf(CONF "/%s/%s", ifname, name);
	int r = sysctl_put(path, value);

	if (r == -ENOENT && !sysctl_have_ipv6())
		return 0;
	return r < 0 ? err_sys(e, -r, "set net/%s to %s", path, value) : 0;
}

bool sysctl_have_ipv6(void)
{
	char all[32], dflt[32];

	get(CONF "/all/disable_ipv6", all);
	get(CONF "/default/disable_ipv6", dflt);
	return strcmp(all, "0") == 0 && strcmp(dflt, "0") == 0;
}

static int keep_autoconfiguration(struct err *e)
{
	auto_closedir DIR *d = opendir(ROOT CONF);

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, errno, "open " ROOT CONF);
	for (struct dirent *de; (de = readdir(d));) {
		char now[32];

		if (de->d_name[0] == '.' || strlen(de->d_name) >= IFNAMSIZ || strcmp(de->d_name, "all") == 0)
			continue;
		auto_free char *path = xasprintf(CONF "/%s/accept_ra", de->d_name);
		get(path, now);
		int r = strcmp(now, "1") == 0 ? sysctl_put(path, "2") : 0;
		/* Interfaces go while we look. */
		if (r < 0 && r != -ENOENT)
			return err_sys(e, -r, "set net/%s to 2", path);
	}
	return 0;
}

int sysctl_forward(int family, struct err *e)
{
	const char *path = family == AF_INET ? "ipv4/ip_forward" : CONF "/all/forwarding";
	char now[32];
	int r;

	get(path, now);
	if (strcmp(now, "1") == 0)
		return 0;
	if (family == AF_INET6) {
		r = keep_autoconfiguration(e);
		if (r < 0)
			return r;
	}
	r = sysctl_put(path, "1");
	return r < 0 ? err_sys(e, -r, "set net/%s to 1", path) : 0;
}
