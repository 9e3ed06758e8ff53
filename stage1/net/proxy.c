/* proxy — see proxy.h. */
#include "stage1/net/proxy.h"

#include <errno.h>

struct proxy *proxy_bind(const struct port_maps *l, struct err *e)
{
	(void)l;
	err_set(e, ERR_SYS, ENOTSUP, "publish");
	return NULL;
}

void proxy_free(struct proxy *p)
{
	(void)p;
}

int proxy_serve(struct proxy *p, const struct net_result *to, struct err *e)
{
	(void)p;
	(void)to;
	return err_set(e, ERR_SYS, ENOTSUP, "serve");
}
