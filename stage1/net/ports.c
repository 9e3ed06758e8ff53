/* ports — see ports.h. */
#include "stage1/net/ports.h"

#include <errno.h>

int port_maps_of_pod(const struct pod_manifest *m, const struct app *const *apps, struct port_maps *ret,
		     struct err *e)
{
	(void)apps;
	(void)e;
	*ret = (struct port_maps){ NULL, 0 };
	return m->nports ? err_set(e, ERR_INPUT, ENOTSUP, "ports") : 0;
}

json_t *port_maps_to_json(const struct port_maps *l)
{
	(void)l;
	return json_array();
}

int port_maps_from_json(const json_t *j, struct port_maps *ret, struct err *e)
{
	(void)j;
	(void)e;
	*ret = (struct port_maps){ NULL, 0 };
	return 0;
}
