/* twins — see twins.h. */
#include "stage1/net/twins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/uuid.h"
#include "stage1/contract.h"
#include "stage1/net/result.h"

#define INFO_MAX (1u << 20)

static bool has(const json_t *ips, const struct net_result *r, char *out)
{
	const json_t *v;
	size_t i;

	json_array_foreach(ips, i, v)
	{
		const char *text = json_string_value(v);
		size_t n = text ? strcspn(text, "/") : 0;

		for (size_t k = 0; k < r->n; k++) {
			(void)net_addr_text(&r->v[k], out);
			if (n && strlen(out) == n && strncmp(out, text, n) == 0)
				return true;
		}
	}
	return false;
}

/* Only of pods whose networks are not undone yet. */
static bool is_twin(int pods_fd, const char *uuid, const char *network, const struct net_result *r, char *out)
{
	auto_free char *dir = xasprintf("%s/" CONTRACT_DIR_NET, uuid);
	auto_free char *file = xasprintf("%s/" CONTRACT_FILE_NET_INFO, uuid);
	auto_buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	bool found = false;
	const json_t *net;
	size_t i;

	if (faccessat(pods_fd, dir, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ||
	    read_file_at(pods_fd, file, INFO_MAX, &text) < 0)
		return false;
	auto_json info = json_parse(buf_str(&text), text.len, &ignored);
	json_array_foreach(info, i, net)
	{
		const char *name = json_string_value(json_member(net, "netName"));

		found |= name && strcmp(name, network) == 0 && has(json_member(net, "ips"), r, out);
	}
	return found;
}

int twins_check(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	int fd = openat(p->pod_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *pods = fd < 0 ? NULL : fdopendir(fd);
	char text[INET6_ADDRSTRLEN];
	struct net_result r;
	int n = net_result_parse(a->result, a->conf->version, a->ifname, &r, e);

	if (n < 0)
		return n;
	for (const struct dirent *d; pods && n == 0 && (d = readdir(pods));) {
		if (uuid_valid(d->d_name) && strcmp(d->d_name, p->uuid) != 0 &&
		    is_twin(dirfd(pods), d->d_name, a->conf->name, &r, text))
			n = err_set(e, ERR_INPUT, EADDRINUSE, "address %s is that of pod %s", text,
				    d->d_name);
	}
	net_result_done(&r);
	return n;
}
