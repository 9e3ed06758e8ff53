/*
 * init_mutable — apps that are added to a running pod (PLAN_MUTABLE): start and stop one.
 *
 * Stage1 has attached the app's tree at "/a<slot>" of our mount namespace and hands us a plan that is encoded and
 * checked like the pod's own; from there on the app is one like all others.  What the plan may not bring is
 * what only the pod's own plan can have described: numbers of descriptors, other cgroups.  A stream is init's own
 * one of that number, or comes with the plan and is what a stream can be; nothing else of ours gets to the app.
 */
#include "stage2/init.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>

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
	if (h->napps != 1 || h->ncgroups != plan_head(p->plan)->ncgroups || a->nlisten ||
	    strcmp(plan_str(plan, a->root), root) != 0)
		return false;
	/* its name is its cgroup's */
	for (uint32_t k = 0; k < p->napps; k++) {
		const struct app *other = &p->apps[k];

		if (k != i && other->plan && other->state != APP_WAIT && other->state != APP_DONE &&
		    strcmp(plan_str(other->plan, app_plan(p, k)->name), plan_str(plan, a->name)) == 0)
			return false;
	}
	return true;
}

/* Can @fd be stream @n of an app: a pipe's right end, or a device for both directions or that one?  No file, no directory,
 * no socket, nothing that is only a path. */
static bool is_stream(int fd, int n)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL), mode = flags & O_ACCMODE;

	if (fd < 3 || flags < 0 || flags & O_PATH || fstat(fd, &st) < 0)
		return false;
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return false;
	return mode == (n ? O_WRONLY : O_RDONLY) || (mode == O_RDWR && S_ISCHR(st.st_mode));
}

/* isatty(3), which is not among the functions that stage2 has. */
static bool is_terminal(int fd)
{
	struct termios t;

	return ioctl(fd, TCGETS, &t) == 0;
}

/* Each stream of the plan has its descriptor, each descriptor its stream; *out: what the app gets. */
static bool streams_fit(const struct plan_app *a, const int *fds, uint32_t nfds, int out[3])
{
	uint32_t taken = 0;

	for (int n = 0; n < 3; n++) {
		out[n] = n;
		if (a->stdio[n] == n)
			continue;
		if (a->stdio[n] != PLAN_FD_SENT || taken == nfds || !is_stream(fds[taken], n))
			return false;
		out[n] = fds[taken++];
	}
	/* what becomes the controlling terminal is never one of ours */
	return taken == nfds && (!(a->flags & PLAN_APP_TTY) || (out[0] > 2 && is_terminal(out[0])));
}

static int take_plan(struct pod *p, uint32_t i, const int *fds, uint32_t n)
{
	struct app *a = &p->apps[i];
	const void *plan = NULL;
	int stdio[3], r = map_plan(fds[0], &plan);

	if (r < 0)
		return r;
	if (!fits(p, i, plan) || !streams_fit(plan_app(plan, 0), fds + 1, n - 1, stdio)) {
		(void)munmap((void *)(uintptr_t)plan, plan_head(plan)->size);
		return -EINVAL;
	}
	if (a->plan)
		(void)munmap((void *)(uintptr_t)a->plan, plan_head(a->plan)->size);
	a->plan = plan;
	a->index = 0;
	(void)memcpy(a->stdio, stdio, sizeof(stdio));
	return 0;
}

void mutable_start(struct pod *p, uint32_t i, int *fds, uint32_t n)
{
	struct app *a = &p->apps[i];
	int r = n == 0 ? -EBADF : 0;

	if (p->phase != POD_RUN)
		r = -ESHUTDOWN;
	else if (a->state != APP_WAIT && a->state != APP_DONE)
		r = -EBUSY;
	else if (r == 0)
		r = take_plan(p, i, fds, n);
	/* the streams are the app's now, unless it was refused */
	for (uint32_t k = 0; k < (r < 0 ? n : 1); k++)
		(void)close(fds[k]);
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

void mutable_over(struct pod *p, uint32_t i)
{
	struct app *a = &p->apps[i];

	for (int n = 0; n < 3; n++) {
		if (a->stdio[n] > 2)
			(void)close(a->stdio[n]);
		a->stdio[n] = n;
	}
}

void mutable_stop(struct pod *p, uint32_t i)
{
	const struct app *a = &p->apps[i];

	if (a->state == APP_WAIT || a->state == APP_DONE)
		control_send(p, MSG_OVER, (int32_t)i, 0, 0, NULL);
	else
		app_term(p, i);
}
