/* netfiles — see netfiles.h. */
#include "stage1/lib/netfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/path.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/mnt.h"

#define HOSTS_MAX (1u << 20)

enum mode { MODE_DEFAULT, MODE_HOST, MODE_STAGE0, MODE_NONE };

static const char *const mode_names[] = {
	[MODE_DEFAULT] = "default",
	[MODE_HOST] = "host",
	[MODE_STAGE0] = "stage0",
	[MODE_NONE] = "none",
};

static const struct file {
	const char *key, *target, *host, *ours;
	enum mode last; /* the modes that it has */
} files[] = {
	{ "resolv=", "/etc/resolv.conf", "/etc/resolv.conf", CONTRACT_FILE_RESOLV, MODE_NONE },
	{ "hosts=", "/etc/hosts", "/etc/hosts", CONTRACT_FILE_HOSTS, MODE_STAGE0 },
};

static int mode_of(const struct file *f, const char *word, enum mode *ret)
{
	for (int m = 0; m <= (int)f->last; m++) {
		if (strcmp(word, mode_names[m]) == 0) {
			*ret = (enum mode)m;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse(const struct podctx *c, enum mode modes[ARRAY_LEN(files)], struct err *e)
{
	auto_strv words = c->dns_mode && *c->dns_mode ? strv_split(c->dns_mode, ',') : NULL;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		modes[i] = MODE_DEFAULT;
	for (char **w = words; w && *w; w++) {
		size_t i = 0;

		while (i < ARRAY_LEN(files) && strncmp(*w, files[i].key, strlen(files[i].key)) != 0)
			i++;
		if (i == ARRAY_LEN(files) || mode_of(&files[i], *w + strlen(files[i].key), &modes[i]) < 0)
			return err_set(e, ERR_USAGE, EINVAL, "--dns-conf-mode=%s: \"%s\" is not understood",
				       c->dns_mode, *w);
	}
	return 0;
}

/* The host name behind the first line of 127.0.0.1. */
static int add_hostname(const struct podctx *c, struct err *e)
{
	const char *name = c->hostname;
	auto_buf in = BUF_INIT, out = BUF_INIT;
	bool done = false;
	int r = read_file_at(c->pod_fd, CONTRACT_FILE_HOSTS, HOSTS_MAX, &in);

	if (r < 0)
		return err_sys(e, -r, "read %s", CONTRACT_FILE_HOSTS);
	auto_strv lines = strv_split(buf_str(&in), '\n');
	for (char **l = lines; l && *l; l++) {
		bool here = !done && strncmp(*l, "127.0.0.1", 9) == 0 && strchr(" \t", (*l)[9]) && (*l)[9];

		if (*l[0] || l[1]) /* the last newline ends a line, it does not begin one */
			buf_addf(&out, "%s%s%s\n", *l, here ? " " : "", here ? name : "");
		done |= here;
	}
	if (!done)
		buf_addf(&out, "127.0.0.1 %s\n", name);
	r = write_file_at(c->pod_fd, CONTRACT_FILE_HOSTS, buf_str(&out), out.len, 0644, 0);
	return r < 0 ? err_sys(e, -r, "write %s", CONTRACT_FILE_HOSTS) : 0;
}

int netfiles_prepare(const struct podctx *c, struct err *e)
{
	enum mode modes[ARRAY_LEN(files)];
	int r = c->dns_mode ? parse(c, modes, e) : 0;

	if (r < 0 || !c->dns_mode)
		return r;
	return modes[1] == MODE_STAGE0 ? add_hostname(c, e) : 0;
}

static int open_own(const struct podctx *c, const char *name, struct err *e)
{
	int fd = openat(c->pod_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "open %s", name) : fd;
}

/* The host's file; its name may be a link, which is the host's own affair. */
static int open_host(const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "open %s", path) : fd;
}

/* @src is closed.  What is the host's is read-only. */
static int detach(int src, const char *target, bool host, struct err *e)
{
	auto_close int fd = src;
	auto_close int m = fd < 0 ? fd : mnt_clone(fd, "", false, e);

	if (m < 0 || mnt_set(m, MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_ | (host ? MNT_RO : 0), false, e) < 0)
		return err_ctx(e, "%s", target);
	return steal_fd(&m);
}

void netfiles_add(struct vol_mounts *l, const char *target, int fd, bool read_only)
{
	vol_mounts_push(l,
			&(struct vol_mount){ .target = xstrdup(target), .fd = fd, .read_only = read_only });
}

static bool covers(const struct vol_mounts *vols, const char *path)
{
	for (size_t i = 0; i < vols->n; i++)
		if (path_below(path, vols->v[i].target))
			return true;
	return false;
}

void netfiles_add_resolv(struct vol_mounts *l, const struct vol_mounts *vols, enum net_resolv which, int fd)
{
	const struct file *f = &files[0];
	bool yields = which == NET_RESOLV_HOST;

	if (yields && covers(vols, f->target)) {
		(void)close(fd);
		return;
	}
	netfiles_add(l, f->target, fd, false);
	l->v[l->n - 1].yields = yields;
}

bool netfiles_take_resolv(const struct podctx *c)
{
	enum mode modes[ARRAY_LEN(files)];
	struct err ignored = ERR_INIT; /* it was checked before */

	return parse(c, modes, &ignored) == 0 && modes[0] == MODE_DEFAULT;
}

int netfiles_resolv(const struct podctx *c, enum net_resolv which, struct err *e)
{
	const char *name = which == NET_RESOLV_HOST ? CONTRACT_FILE_RESOLV_HOST : CONTRACT_FILE_RESOLV;

	return detach(open_own(c, name, e), files[0].target, false, e);
}

static bool is_there(const struct podctx *c, const char *name)
{
	return faccessat(c->pod_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What counts when nobody has said anything: the file of the networks, which were there before an app that is added, or the
 * host's where its network is the pod's. */
static int open_default(const struct podctx *c, const struct vol_mounts *vols, bool host_net,
			struct vol_mounts *ret, struct err *e)
{
	enum net_resolv which = NET_RESOLV_NONE;
	int fd = FD_NONE;

	if (host_net && !covers(vols, files[0].target) && access(files[0].host, F_OK) == 0) {
		which = NET_RESOLV_HOST;
		fd = detach(open_host(files[0].host, e), files[0].target, true, e);
	} else if (!host_net && c->mutable_pod) {
		which = is_there(c, CONTRACT_FILE_RESOLV)        ? NET_RESOLV_NETWORK
			: is_there(c, CONTRACT_FILE_RESOLV_HOST) ? NET_RESOLV_HOST
								 : NET_RESOLV_NONE;
		if (which != NET_RESOLV_NONE)
			fd = netfiles_resolv(c, which, e);
	}
	if (which == NET_RESOLV_NONE)
		return 0;
	if (fd < 0)
		return fd;
	netfiles_add_resolv(ret, vols, which, fd);
	return 0;
}

int netfiles_open(const struct podctx *c, const struct vol_mounts *vols, bool host_net,
		  struct vol_mounts *ret, struct err *e)
{
	enum mode modes[ARRAY_LEN(files)];
	int r = parse(c, modes, e);

	*ret = (struct vol_mounts){ NULL, 0 };
	if (r == 0 && modes[0] == MODE_DEFAULT)
		r = open_default(c, vols, host_net, ret, e);
	for (size_t i = 0; i < ARRAY_LEN(files) && r == 0; i++) {
		bool host = modes[i] == MODE_HOST;

		if (!host && modes[i] != MODE_STAGE0)
			continue;
		int fd = detach(host ? open_host(files[i].host, e) : open_own(c, files[i].ours, e),
				files[i].target, host, e);
		if (fd < 0)
			return fd;
		netfiles_add(ret, files[i].target, fd, host);
	}
	return r;
}
