/* standin — see standin.h. */
#include "stage1/net/standin.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "stage1/net/result.h"
#include "stage1/net/rtnl.h"

static int add_addresses(struct rtnl *r, const struct attachment *a, int index, struct err *e)
{
	struct net_result res;
	int n = net_result_parse(a->result, a->conf->version, a->ifname, &res, e);

	if (n < 0)
		return n;
	for (size_t i = 0; i < res.n && i < RTNL_BATCH_MAX / 2; i++)
		rtnl_addr_add(r, index, &res.v[i], res.v[i].prefix);
	net_result_done(&res);
	rtnl_link_up(r, index, NULL, false);
	return rtnl_commit(r, e);
}

/* In the new namespace. */
static int furnish(const struct attachment *a, int netns, struct err *e)
{
	struct rtnl_link link;
	auto_rtnl r = { .len = 0 };
	int n = rtnl_open(&r, e);

	if (n < 0)
		return n;
	rtnl_veth_new(&r,
		      &(struct rtnl_veth){ .name = a->ifname, .peer = "standin", .peer_netns_fd = netns });
	n = rtnl_commit(&r, e);
	if (n == 0)
		n = rtnl_link_find(&r, a->ifname, NULL, &link, e);
	return n == 0 ? add_addresses(&r, a, link.index, e) : n;
}

int standin_make(const struct attachment *a, struct err *e)
{
	auto_close int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0 || unshare(CLONE_NEWNET) < 0)
		return err_sys(e, errno, "make a network namespace");
	auto_close int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r = netns < 0 ? err_sys(e, errno, "open a network namespace") : furnish(a, netns, e);
	/* whatever came next would be done to the wrong namespace */
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	return r < 0 ? r : steal_fd(&netns);
}
