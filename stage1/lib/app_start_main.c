/*
 * app/start — the entrypoint that starts an added app, the first time or again: the recorded plan goes to the
 * supervisor and from there to init, with the word of the manifest on where the app's streams lead.  Ends when the app's
 * program was executed, or could not be.
 */
#include "base/auto.h"
#include "stage1/lib/addedplan.h"
#include "stage1/lib/appcall.h"
#include "stage1/lib/podctx.h"
#include "stage1/lib/streams.h"
#include "stage2/plan.h"

/* app/add has refused what cannot be. */
static int choose_streams(const struct app_entry *a, struct app_call *c, struct err *e)
{
	struct app_streams s = APP_STREAMS_INIT;
	struct podctx ctx;
	int r = podctx_load_app(a->app, &ctx, e);

	if (r == 0)
		r = streams_choose(&ctx, 0, true, &s, e);
	for (int i = 0; i < 3; i++)
		c->mode[i] = (uint8_t)s.mode[i];
	podctx_done(&ctx);
	return r;
}

static int start(struct app_entry *a, struct err *e)
{
	struct app_call c = { .op = APP_START };
	auto_buf plan = BUF_INIT;
	int r = addedplan_load(a->pod_fd, a->app, &plan, &c.slot, e);

	if (r == 0)
		r = choose_streams(a, &c, e);
	if (r < 0)
		return r;
	c.handlers = plan_app(plan.data, 0)->pre_start.n > 0;
	auto_close int fd = addedplan_seal(&plan, e);
	return fd < 0 ? fd : app_request(a, &c, fd, NULL, e);
}

int main(int argc, char **argv)
{
	return app_entry_main(argc, argv, "app start", start);
}
