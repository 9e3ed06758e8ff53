/* attachment — see attachment.h. */
#include "stage1/net/attachment.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Which path is used: one table.  Everything that is not ours is a plugin's. */
static const struct {
	const char *type; /* of the first plugin; NULL: any */
	const struct net_driver *driver;
} drivers[] = {
	{ NET_TYPE_BUILTIN, &net_driver_builtin },
	{ NULL, &net_driver_cni },
};

const struct net_driver *net_driver_of(const struct net_conf *c)
{
	const char *type = json_string_value(json_member(json_array_get(c->plugins, 0), "type"));
	size_t i = 0;

	while (drivers[i].type && (!type || strcmp(type, drivers[i].type) != 0))
		i++;
	return drivers[i].driver;
}

void attachment_free(struct attachment *a)
{
	if (!a)
		return;
	free(a->args);
	net_conf_free(a->conf);
	json_decref(a->runtime);
	json_decref(a->result);
	free(a);
}
