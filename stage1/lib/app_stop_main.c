/*
 * app/stop — the entrypoint that stops an added app: SIGTERM, SIGKILL after the grace time.  Ends when nothing of
 * the app is left, with status 5 (CONTRACT_EXIT_NOT_RUNNING) when nothing was there.
 */
#include "base/auto.h"
#include "stage1/contract.h"
#include "stage1/lib/addedplan.h"
#include "stage1/lib/appcall.h"

static int stop(struct app_entry *a, struct err *e)
{
	auto_buf plan = BUF_INIT;
	struct plan_msg m = { .type = 0 };
	uint32_t slot = 0;
	int r = addedplan_load(a->pod_fd, a->app, &plan, &slot, e);

	if (r == 0)
		r = app_request(a, &(struct app_call){ .op = APP_STOP, .slot = slot }, FD_NONE, &m, e);
	return r == 0 && m.value == 1 ? CONTRACT_EXIT_NOT_RUNNING : r;
}

int main(int argc, char **argv)
{
	return app_entry_main(argc, argv, "app stop", stop);
}
