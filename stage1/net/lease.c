/* lease — see lease.h. */
#include "stage1/net/lease.h"

#include <errno.h>

int lease_take(const struct net_pod *p, const char *network, const char *ifname,
	       const struct net_addr *subnet, const struct net_addr *wanted, struct net_addr *ret,
	       struct err *e)
{
	(void)p;
	(void)network;
	(void)ifname;
	(void)subnet;
	(void)wanted;
	(void)ret;
	return err_set(e, ERR_SYS, ENOTSUP, "lease");
}

int lease_drop(const struct net_pod *p, const char *network, struct err *e)
{
	(void)p;
	(void)network;
	(void)e;
	return 0;
}
