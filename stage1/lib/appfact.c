/* appfact — see appfact.h. */
#include "stage1/lib/appfact.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage1/contract.h"

const struct app_fact app_fact_status = { CONTRACT_APP_STATUS, CONTRACT_DIR_STATUS },
		      app_fact_pid = { CONTRACT_APP_PID, CONTRACT_DIR_PIDS },
		      app_fact_restarts = { CONTRACT_APP_RESTARTS, CONTRACT_DIR_RESTARTS };

char *app_fact_ours(const struct app_fact *f, const char *app)
{
	return xasprintf(CONTRACT_DIR_APPS "/%s/%s", app, f->ours);
}

char *app_fact_classic(const struct app_fact *f, const char *app)
{
	return xasprintf("%s/%s", f->classic, app);
}

static void remove_one(int pod_fd, const char *path, struct err *e)
{
	if (unlinkat(pod_fd, path, 0) < 0 && errno != ENOENT && !e->code)
		err_sys(e, errno, "remove %s", path);
}

int app_facts_remove(int pod_fd, const char *app, struct err *e)
{
	const struct app_fact *facts[] = { &app_fact_status, &app_fact_pid };

	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		auto_free char *ours = app_fact_ours(facts[i], app);
		auto_free char *classic = app_fact_classic(facts[i], app);

		remove_one(pod_fd, ours, e);
		remove_one(pod_fd, classic, e);
	}
	return -e->code;
}
