/*
 * app/start — the entrypoint that starts an added app, the first time or again: the recorded plan goes to the
 * supervisor and from there to init.  Ends when the app's program was executed, or could not be.
 */
#include "base/auto.h"
#include "stage1/lib/addedplan.h"
#include "stage1/lib/appcall.h"

static int start(struct app_entry *a, struct err *e)
{
	auto_buf plan = BUF_INIT;
	uint32_t slot = 0;
	int r = addedplan_load(a->pod_fd, a->app, &plan, &slot, e);

	if (r < 0)
		return r;
	auto_close int fd = addedplan_seal(&plan, e);
	return fd < 0 ? fd : app_request(a, APP_START, slot, fd, NULL, e);
}

int main(int argc, char **argv)
{
	return app_entry_main(argc, argv, "app start", start);
}
