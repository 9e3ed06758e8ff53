/* plugin — see plugin.h. */
#include "stage1/net/plugin.h"

#include <errno.h>

int plugin_run(const struct plugin_call *c, struct buf *out, struct err *e)
{
	(void)c;
	(void)out;
	return err_set(e, ERR_INPUT, ENOTSUP, "run a plugin");
}

char **plugin_path(void)
{
	return NULL;
}
