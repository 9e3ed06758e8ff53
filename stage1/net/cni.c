/* cni — see attachment.h. */
#include <errno.h>

#include "stage1/net/attachment.h"
#include "stage1/net/cni.h"

static int add(const struct net_pod *p, struct attachment *a, struct err *e)
{
	(void)p;
	(void)a;
	return err_set(e, ERR_INPUT, ENOTSUP, "add");
}

static int cni_same(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	(void)p;
	(void)a;
	return err_set(e, ERR_INPUT, ENOTSUP, "del");
}

const struct net_driver net_driver_cni = { "cni", add, cni_same, cni_same, cni_same };

int cni_runtime_of_args(const struct net_conf *c, const char *args, json_t *runtime, struct err *e)
{
	(void)c;
	(void)args;
	(void)runtime;
	(void)e;
	return 0;
}
