/* netverb — see netverb.h. */
#include "rkt/netverb.h"

struct net_where netverb_where(const struct cli *c)
{
	return (struct net_where){
		.local_config = c->g.local_config,
		.system_config = c->g.system_config,
		.debug = c->g.debug,
	};
}

int netverb_open(const struct cli *c, struct host *h, struct stage1 *s, struct err *e)
{
	static const struct stage1_choice choice = { .name = "coreos.com/rkt/stage1-ns" };
	int r = host_open(&c->g, HOST_CREATE | HOST_STORE, h, e);

	return r == 0 ? stage1_select(&choice, &h->config, &h->store, &h->fetch, s, e) : r;
}
