/*
 * prepare_ports — published ports of the pod manifest; what they mean is schema/portspec.h.
 */
#include "stage0/prepmerge.h"

#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"

int merge_ports(const struct pod_request *r, struct pod_manifest *m, struct err *e)
{
	return port_specs_apply(&r->ports, m, e) < 0 ? err_ctx(e, "option --port") : 0;
}

int check_ports(const struct merged *m, struct err *e)
{
	const struct app *apps[POD_APPS_MAX] = { NULL };
	struct image_manifest *images[POD_APPS_MAX] = { NULL };
	int r = 0;

	if (m->manifest->nports == 0)
		return 0;
	for (size_t i = 0; i < m->manifest->napps && r == 0; i++) {
		apps[i] = m->manifest->apps[i].app;
		if (apps[i])
			continue;
		images[i] = image_manifest_parse(m->images[i].manifest, strlen(m->images[i].manifest), e);
		r = images[i] ? 0 : -e->code;
		apps[i] = images[i] ? images[i]->app : NULL;
	}
	if (r == 0)
		r = exposed_ports_check(m->manifest, apps, e);
	for (size_t i = 0; i < m->manifest->napps; i++)
		image_manifest_free(images[i]);
	return r;
}
