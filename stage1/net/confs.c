/* confs — see confs.h. */
#include "stage1/net/confs.h"

#include <errno.h>
#include <stdlib.h>

int net_confs_load(const char *local_config, const char *system_config, struct net_confs *ret, struct err *e)
{
	(void)local_config;
	(void)system_config;
	*ret = (struct net_confs){ NULL, 0 };
	return err_set(e, ERR_INPUT, ENOTSUP, "read the networks");
}

void net_confs_done(struct net_confs *l)
{
	for (size_t i = 0; i < l->n; i++)
		net_conf_free(l->v[i]);
	free(l->v);
}

int net_confs_pick(const struct net_confs *l, const struct net_specs *s, const struct net_conf ***ret,
		   const char ***ret_args, size_t *n, struct err *e)
{
	(void)l;
	(void)s;
	*ret = NULL;
	*ret_args = NULL;
	*n = 0;
	return err_set(e, ERR_INPUT, ENOTSUP, "pick the networks");
}

json_t *net_conf_save(const struct net_conf *c)
{
	(void)c;
	return NULL;
}

struct net_conf *net_conf_load(const json_t *j, struct err *e)
{
	(void)j;
	err_set(e, ERR_INPUT, ENOTSUP, "load a network");
	return NULL;
}

struct net_conf *net_conf_copy(const struct net_conf *c)
{
	(void)c;
	return NULL;
}

void net_conf_free(struct net_conf *c)
{
	free(c);
}

bool net_conf_can(const struct net_conf *c, const char *capability)
{
	(void)c;
	(void)capability;
	return false;
}

bool net_conf_masquerades(const struct net_conf *c)
{
	(void)c;
	return false;
}
