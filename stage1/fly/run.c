/*
 * stage1/fly/run — what is particular to flavor fly: the image's file system and the host's
 * everything else (internals.md section 6).
 *
 * Unlike rkt 1.30's it has a mount namespace of its own (nothing leaks to the host's), its app sits in
 * a cgroup (stop ends all its children), a supervisor stays (status is recorded), and empty volumes exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"

static int fly_check(const struct podctx *c, struct err *e)
{
	if (c->napps > 1)
		return err_set(e, ERR_INPUT, ENOTSUP, "flavor fly runs one app a pod; %zu were given",
			       c->napps);
	if (c->manifest->nports)
		return err_set(e, ERR_INPUT, ENOTSUP,
			       "flavor fly has the host's network: a port cannot be published");
	if (c->hostname && *c->hostname)
		log_warn("flavor fly shares the host's name: --hostname=%s ignored", c->hostname);
	if (strv_has(c->net, "none"))
		log_warn("flavor fly has the host's network: --net=none ignored");
	return 0;
}

static uint64_t fly_namespaces(const struct podctx *c)
{
	(void)c;
	return 0;
}

/* The host's own trees, recursively; slaves, so that later host mounts show up and ours stay here. */
static int bind_host(const struct app_build *a, const char *host, const char *name, struct err *e)
{
	auto_close int at = tree_own_dir(a->root_fd, name, 0755, e);
	if (at < 0)
		return at;
	auto_close int m = mnt_clone(AT_FDCWD, host, true, e);
	if (m < 0)
		return m;
	int r = mnt_propagation(m, MS_SLAVE, true, e);
	return r == 0 ? mnt_attach(m, at, "", e) : r;
}

static int fresh_tmp(const struct app_build *a, struct err *e)
{
	static const struct mnt_opt opts[] = { { "mode", "1777" }, { NULL, NULL } };
	auto_close int at = tree_own_dir(a->root_fd, "tmp", 01777, e);
	if (at < 0)
		return at;
	auto_close int m = mnt_new("tmpfs", opts, 0, e);
	return m < 0 ? m : mnt_attach(m, at, "", e);
}

static int fly_kernel_mounts(struct sandbox *s, struct app_build *a, struct err *e)
{
	int r = bind_host(a, "/dev", "dev", e);

	if (r == 0)
		r = bind_host(a, "/proc", "proc", e);
	if (r == 0)
		r = bind_host(a, "/sys", "sys", e);
	if (r == 0)
		r = fresh_tmp(a, e);
	if (r == 0 && s->tty) {
		a->dev_fd = openat(a->root_fd, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = a->dev_fd < 0 ? err_sys(e, errno, "open the app's /dev")
				  : dev_open_pty(a->dev_fd, "pts/ptmx", &s->pty_master, &s->pty_slave, e);
	}
	return r;
}

const struct flavor flavor = {
	.name = "fly",
	.flags = FLAVOR_STDIN,
	.check = fly_check,
	.namespaces = fly_namespaces,
	.kernel_mounts = fly_kernel_mounts,
};
