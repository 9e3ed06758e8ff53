/* fw — see fw.h. */
#include "stage1/net/fw.h"

#include <errno.h>

int fw_set(const struct fw_pod *p, bool *ret_forwarded, struct err *e)
{
	(void)p;
	*ret_forwarded = false;
	return err_set(e, ERR_SYS, ENOTSUP, "firewall");
}

int fw_clear(const char *uuid, const struct net_result *gone, struct err *e)
{
	(void)uuid;
	(void)gone;
	(void)e;
	return 0;
}

int fw_pods(char ***ret, struct err *e)
{
	(void)e;
	*ret = NULL;
	return 0;
}

int fw_lock(struct err *e)
{
	return err_set(e, ERR_SYS, ENOTSUP, "firewall");
}
