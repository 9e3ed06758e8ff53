/*
 * init_mutable — apps that are added to a running pod (PLAN_MUTABLE): start and stop one.
 *
 * Stage1 has attached the app's tree at "/a<slot>" of our mount namespace and hands us a plan that is encoded and
 * checked like the pod's own; from there on the app is one like all others.  What the plan may not bring is
 * what only the pod's own plan can have described: descriptors beyond the standard ones, other cgroups.
 */
#include "stage2/init.h"

#include <sys/mman.h>

#include "stage2/sys.h"

static void slot_root(uint32_t i, char out[16])
{
	size_t n = text_put(out, 16, 0, "/a");

	(void)text_put_uint(out, 16, n, i);
}

/* Does the checked plan describe one app that can live in slot @i of this pod? */
static bool fits(const struct pod *p, uint32_t i, const void *plan)
{
	const struct plan_header *h = plan_head(plan);
	const struct plan_app *a = plan_app(plan, 0);
	char root[16];

	slot_root(i, root);
	if (h->napps != 1 || h->ncgroups != plan_head(p->plan)->ncgroups || a->flags & PLAN_APP_TTY ||
	    a->nlisten || strcmp(plan_str(plan, a->root), root) != 0)
		return false;
	for (int n = 0; n < 3; n++) {
		if (a->stdio[n] > 2)
			return false;
	}
	/* its name is its cgroup's */
	for (uint32_t k = 0; k < p->napps; k++) {
		const struct app *other = &p->apps[k];

		if (k != i && other->plan && other->state != APP_WAIT && other->state != APP_DONE &&
		    strcmp(plan_str(other->plan, app_plan(p, k)->name), plan_str(plan, a->name)) == 0)
			return false;
	}
	return true;
}

static int take_plan(struct pod *p, uint32_t i, int fd)
{
	struct app *a = &p->apps[i];
	const void *plan = NULL;
	int r = map_plan(fd, &plan);

	if (r < 0)
		return r;
	if (!fits(p, i, plan)) {
		(void)munmap((void *)(uintptr_t)plan, plan_head(plan)->size);
		return -EINVAL;
	}
	if (a->plan)
		(void)munmap((void *)(uintptr_t)a->plan, plan_head(a->plan)->size);
	a->plan = plan;
	a->index = 0;
	return 0;
}

void mutable_start(struct pod *p, uint32_t i, int plan_fd)
{
	struct app *a = &p->apps[i];
	int r = plan_fd < 0 ? -EBADF : 0;

	if (p->phase != POD_RUN)
		r = -ESHUTDOWN;
	else if (a->state != APP_WAIT && a->state != APP_DONE)
		r = -EBUSY;
	else if (r == 0)
		r = take_plan(p, i, plan_fd);
	if (plan_fd >= 0)
		(void)close(plan_fd);
	if (r < 0) {
		control_send(p, MSG_FAILED, (int32_t)i, INIT_PLAN, -r, "");
		if (r != -EBUSY)
			control_send(p, MSG_OVER, (int32_t)i, 0, 0, NULL);
		return;
	}
	p->running++;
	if (cgroups_make_app(p, i) < 0)
		app_done(p, i);
	else
		app_begin(p, i);
}

void mutable_stop(struct pod *p, uint32_t i)
{
	const struct app *a = &p->apps[i];

	if (a->state == APP_WAIT || a->state == APP_DONE)
		control_send(p, MSG_OVER, (int32_t)i, 0, 0, NULL);
	else
		app_term(p, i);
}
