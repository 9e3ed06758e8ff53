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

/* The host's file is the host's: read-only.  Its name may be a link, which is the host's own affair. */
static int open_source(const struct podctx *c, const struct file *f, bool host, struct err *e)
{
	auto_close int src = host ? open(f->host, O_PATH | O_CLOEXEC)
				  : openat(c->pod_fd, f->ours, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	unsigned int flags = MNT_NOSUID | MNT_NODEV_ | MNT_NOEXEC_ | (host ? MNT_RO : 0);

	if (src < 0)
		return err_sys(e, errno, "open %s", host ? f->host : f->ours);
	auto_close int m = mnt_clone(src, "", false, e);
	if (m < 0 || mnt_set(m, flags, false, e) < 0)
		return err_ctx(e, "%s", f->target);
	return steal_fd(&m);
}

void netfiles_add(struct vol_mounts *l, const char *target, int fd, bool read_only)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct vol_mount){ .target = xstrdup(target), .fd = fd, .read_only = read_only };
}

bool netfiles_take_resolv(const struct podctx *c)
{
	enum mode modes[ARRAY_LEN(files)];
	struct err ignored = ERR_INIT; /* it was checked before */

	return parse(c, modes, &ignored) == 0 && modes[0] == MODE_DEFAULT;
}

int netfiles_resolv(const struct podctx *c, struct err *e)
{
	return open_source(c, &files[0], false, e);
}

int netfiles_open(const struct podctx *c, struct vol_mounts *ret, struct err *e)
{
	enum mode modes[ARRAY_LEN(files)];
	int r = parse(c, modes, e);

	*ret = (struct vol_mounts){ NULL, 0 };
	if (r < 0)
		return r;
	/* who adds an app comes after the networks */
	if (c->mutable_pod && modes[0] == MODE_DEFAULT &&
	    faccessat(c->pod_fd, CONTRACT_FILE_RESOLV, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		modes[0] = MODE_STAGE0;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (modes[i] != MODE_HOST && modes[i] != MODE_STAGE0)
			continue;
		int fd = open_source(c, &files[i], modes[i] == MODE_HOST, e);
		if (fd < 0)
			return fd;
		netfiles_add(ret, files[i].target, fd, modes[i] == MODE_HOST);
	}
	return 0;
}
