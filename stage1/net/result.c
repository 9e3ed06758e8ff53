/* result — see result.h. */
#include "stage1/net/result.h"

#include <arpa/inet.h>
#include <errno.h>

int net_result_parse(const json_t *j, const char *version, const char *ifname, struct net_result *ret,
		     struct err *e)
{
	(void)j;
	(void)version;
	(void)ifname;
	*ret = (struct net_result){ 0 };
	return err_set(e, ERR_INPUT, ENOTSUP, "read the answer");
}

void net_result_done(struct net_result *r)
{
	(void)r;
}

const struct net_addr *net_result_first(const struct net_result *r, int family)
{
	(void)r;
	(void)family;
	return NULL;
}

const char *net_addr_text(const struct net_addr *a, char *out)
{
	return inet_ntop(a->family, &a->addr, out, INET6_ADDRSTRLEN);
}
