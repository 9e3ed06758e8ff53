/*
 * app/rm — the entrypoint that takes an added app out of a running pod: its cgroups, its tree, its records.  One
 * that runs is refused.  Whatever is missing already is no error, so that a removal that was interrupted can
 * be finished by another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/auto.h"
#include "stage1/contract.h"
#include "stage1/lib/addedplan.h"
#include "stage1/lib/appcall.h"
#include "stage1/lib/appfact.h"
#include "stage1/lib/cgroup.h"

/* From init's namespace, where it is attached; apps that run have left it out of theirs. */
static int detach_tree(const struct app_entry *a, uint32_t slot, struct err *e)
{
	struct init_place p;
	char name[16];
	int r = init_place_open(a->pod_fd, &p, e);

	if (r == 0)
		r = init_place_enter(&p, 0, e);
	(void)snprintf(name, sizeof(name), "a%u", slot);
	/* EINVAL: nothing is mounted there */
	if (r == 0 && umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		r = err_sys(e, errno, "unmount the tree of app \"%s\"", a->app);
	init_place_done(&p);
	return r;
}

static int forget_records(const struct app_entry *a, struct err *e)
{
	int r = app_facts_remove(a->pod_fd, a->app, e);

	return r == 0 ? addedplan_remove(a->pod_fd, a->app, e) : r;
}

static int rm(struct app_entry *a, struct err *e)
{
	auto_buf plan = BUF_INIT;
	uint32_t slot = 0;
	int r = addedplan_load(a->pod_fd, a->app, &plan, &slot, e);

	if (r == -ENOENT) { /* never wholly added */
		err_clear(e);
		return forget_records(a, e);
	}
	if (r == 0)
		r = app_request(a, &(struct app_call){ .op = APP_FORGET, .slot = slot }, FD_NONE, NULL, e);
	if (r == 0)
		r = cgroups_destroy_app(a->pod_fd, a->app, e);
	if (r == 0)
		r = detach_tree(a, slot, e);
	return r == 0 ? forget_records(a, e) : r;
}

int main(int argc, char **argv)
{
	return app_entry_main(argc, argv, "app rm", rm);
}
