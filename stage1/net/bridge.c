/* bridge — see bridge.h. */
#include "stage1/net/bridge.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/auto.h"
#include "stage1/net/rtnl.h"

static int remove_one(struct rtnl *k, const char *name, struct err *e)
{
	struct rtnl_link l;
	int r = rtnl_link_find(k, name, NULL, &l, e);

	if (r == -ENODEV) {
		err_clear(e);
		return 0;
	}
	if (r < 0 || !l.bridge) /* somebody else's interface of that name */
		return r;
	r = rtnl_link_ports(k, l.index, e);
	if (r < 0)
		return err_ctx(e, "bridge \"%s\"", name);
	if (r > 0)
		return err_set(e, ERR_STATE, EBUSY, "bridge \"%s\" is in use", name);
	rtnl_link_del(k, l.index);
	return rtnl_commit(k, e) < 0 ? err_ctx(e, "bridge \"%s\"", name) : 0;
}

int bridge_remove(const struct net_conf *c, struct err *e)
{
	const json_t *plugin;
	size_t i;
	auto_rtnl k = { .n = 0 };
	int r = rtnl_open(&k, e);

	json_array_foreach(c->plugins, i, plugin)
	{
		const char *type = json_string_value(json_member(plugin, "type"));
		const char *name = json_string_value(json_member(plugin, "bridge"));

		if (!type || strcmp(type, "bridge") != 0)
			continue;
		name = name ? name : "cni0";
		if (r == 0 && strlen(name) < IFNAMSIZ)
			r = remove_one(&k, name, e);
	}
	return r;
}
