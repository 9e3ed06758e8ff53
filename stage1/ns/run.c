/*
 * stage1/ns/run — what is particular to the default flavor: pid, mount, uts, ipc and (unless
 * --net=host) network namespaces around an overlay of the image.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "schema/netspec.h"
#include "stage1/lib/sandbox.h"

/* What later interface versions may ask for and this flavor cannot do yet. */
static int ns_check(const struct podctx *c, struct err *e)
{
	static const char *const ipc_modes[] = { "", "auto", "private", "parent", NULL };
	struct net_specs nets;
	int r = net_specs_parse(c->net, &nets, e);

	if (r < 0)
		return err_ctx(e, "option --net");
	net_specs_done(&nets);
	if (c->ipc && !strv_has((char *const *)ipc_modes, c->ipc))
		return err_set(e, ERR_USAGE, EINVAL, "--ipc=%s: must be auto, private or parent", c->ipc);
	if (c->mds_token && *c->mds_token)
		return err_set(e, ERR_INPUT, ENOTSUP, "the metadata service is not supported by this stage1");
	return 0;
}

static uint64_t ns_namespaces(const struct podctx *c)
{
	uint64_t f = CLONE_NEWPID | CLONE_NEWUTS;

	if (!c->ipc || strcmp(c->ipc, "parent") != 0)
		f |= CLONE_NEWIPC;
	if (!strv_has(c->net, "host"))
		f |= CLONE_NEWNET;
	return f;
}

static int loopback_up(struct err *e)
{
	struct ifreq r = { .ifr_name = "lo" };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* ends with our execve */

	if (s < 0)
		return err_sys(e, errno, "socket for the loopback interface");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &r) < 0)
		return err_sys(e, errno, "bring up the loopback interface");
	return 0;
}

static int ns_enter(struct sandbox *s, struct err *e)
{
	const char *name = s->ctx->hostname;

	if (sethostname(name, strlen(name)) < 0)
		return err_sys(e, errno, "set the host name \"%s\"", name);
	return strv_has(s->ctx->net, "host") ? 0 : loopback_up(e);
}

static int ns_kernel_mounts(struct sandbox *s, struct app_build *a, struct err *e)
{
	int r = kernfs_mount(s, a, e);

	return r == 0 ? dev_mount(s, a, e) : r;
}

const struct flavor flavor = {
	.name = "ns",
	.flags = FLAVOR_PIDNS | FLAVOR_CONFINE | FLAVOR_IMPLICIT | FLAVOR_RECURSIVE | FLAVOR_MUTABLE |
		 FLAVOR_TTYS,
	.check = ns_check,
	.namespaces = ns_namespaces,
	.enter = ns_enter,
	.kernel_mounts = ns_kernel_mounts,
};
