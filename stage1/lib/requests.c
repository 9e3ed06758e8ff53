/* requests — see requests.h. */
#include "stage1/lib/requests.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "stage1/contract.h"
#include "stage1/lib/appfact.h"
#include "stage1/lib/podsock.h"
#include "stage1/lib/relay.h"
#include "stage1/lib/sandbox.h"

int requests_open(struct requests *q, struct err *e)
{
	for (int i = 0; i < REQUESTS_MAX; i++)
		q->client[i].fd = FD_NONE;
	q->listen_fd = podsock_listen(CONTRACT_FILE_SOCKET, REQUESTS_MAX, e);
	return q->listen_fd < 0 ? q->listen_fd : 0;
}

nfds_t requests_poll(const struct requests *q, struct pollfd *p)
{
	nfds_t n = 0;

	if (q->listen_fd < 0)
		return 0;
	p[n++] = (struct pollfd){ .fd = q->listen_fd, .events = POLLIN };
	for (int i = 0; i < REQUESTS_MAX; i++)
		p[n++] = (struct pollfd){ .fd = q->client[i].fd, .events = POLLIN };
	return n;
}

const char *requests_name(const struct requests *q, int32_t slot)
{
	return slot >= 0 && slot < (int32_t)PLAN_APPS_MAX ? q->name[slot] : NULL;
}

static void answer(struct requests *q, int i, const struct plan_msg *m)
{
	/* who does not wait for the answer gets none */
	(void)send(q->client[i].fd, m, sizeof(*m), MSG_NOSIGNAL | MSG_DONTWAIT);
	fd_close(&q->client[i].fd);
	q->client[i].op = 0;
}

static void refuse(struct requests *q, int i, int errnum, const char *text)
{
	struct plan_msg m = { .type = MSG_FAILED, .app = (int32_t)q->client[i].slot, .code = errnum };

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	answer(q, i, &m);
}

/* What is known of an earlier run would be taken for this one's. */
static void clear_records(const char *name, int pod_fd)
{
	struct err e = ERR_INIT;

	if (app_facts_remove(pod_fd, name, &e) < 0)
		log_warn("%s", e.text);
}

static int pass_on(int control, enum plan_msg_type type, uint32_t slot, const int *fds, size_t n)
{
	struct plan_msg m = { .type = type, .app = (int32_t)slot };

	return fd_send(control, &m, sizeof(m), fds, n);
}

/* ---- start ---- */

static bool modes_ok(const struct app_call *c)
{
	for (int i = 0; i < 3; i++) {
		if (c->mode[i] > STREAM_TTY || (i == 0 && c->mode[i] == STREAM_LOG))
			return false;
	}
	return true;
}

static int make_streams(const struct requests *q, const struct app_call *c, struct app_streams *t,
			struct err *e)
{
	for (int i = 0; i < 3; i++)
		t->mode[i] = c->mode[i];
	int r = streams_connect(t, e);
	if (r < 0 || !streams_any(t, STREAM_TTY))
		return r;
	if (!q->pts[c->slot])
		return err_set(e, ERR_STATE, ENOENT, "nobody has told of the app's terminals");
	return dev_open_pty(q->pts[c->slot] - 1, "ptmx", &t->tty_outer, &t->tty_inner, e);
}

/* Ours to the relay, the app's to init, behind the plan and in the order of the streams. */
static int connect_and_pass(struct requests *q, const struct app_call *c, int plan_fd, int control,
			    struct app_streams *t, struct err *e)
{
	int fds[4] = { plan_fd }, r = make_streams(q, c, t, e);
	size_t n = 1;

	for (int i = 0; i < 3; i++) {
		if (t->mode[i] != STREAM_PASS)
			fds[n++] = streams_inner(t, i, FD_NONE);
	}
	if (r == 0)
		r = relay_begin(q->relay, c->slot, c->name, c->handlers, t, e);
	if (r < 0)
		return r;
	r = pass_on(control, MSG_APP_START, c->slot, fds, n);
	if (r < 0)
		relay_over(q->relay, c->slot);
	return r < 0 ? err_sys(e, -r, "pass the plan on") : 0;
}

static void start(struct requests *q, int i, const struct app_call *c, int plan_fd, int control, int pod_fd)
{
	struct app_streams t = APP_STREAMS_INIT;
	struct err e = ERR_INIT;
	uint32_t slot = c->slot;

	if (!modes_ok(c)) {
		refuse(q, i, EINVAL, "these streams are none");
		return;
	}
	if (plan_fd < 0) {
		refuse(q, i, EINVAL, "no plan came with the request");
		return;
	}
	if (q->active[slot]) {
		refuse(q, i, EBUSY, "it is running already");
		return;
	}
	clear_records(c->name, pod_fd);
	free(q->name[slot]);
	q->name[slot] = xstrdup(c->name);
	q->started[slot] = false;
	q->active[slot] = connect_and_pass(q, c, plan_fd, control, &t, &e) == 0;
	streams_done(&t);
	if (!q->active[slot])
		refuse(q, i, e.code, e.text);
}

/* ---- the other requests ---- */

static void stop(struct requests *q, int i, int control)
{
	struct plan_msg idle = { .type = MSG_OVER, .value = 1 };
	int r = q->active[q->client[i].slot] ? pass_on(control, MSG_APP_STOP, q->client[i].slot, NULL, 0) : 1;

	if (r == 1)
		answer(q, i, &idle);
	else if (r < 0)
		refuse(q, i, -r, "pass the request on");
}

static void close_pts(struct requests *q, uint32_t slot)
{
	if (q->pts[slot])
		(void)close(q->pts[slot] - 1);
	q->pts[slot] = 0;
}

/* @fd: taken over. */
static void keep_pts(struct requests *q, int i, int *fd)
{
	struct plan_msg done = { .type = MSG_OVER };
	uint32_t slot = q->client[i].slot;
	struct statfs fs;

	if (q->active[slot]) {
		refuse(q, i, EBUSY, "it is running");
		return;
	}
	if (*fd < 0 || fstatfs(*fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC) {
		refuse(q, i, EINVAL, "no terminals came with the request");
		return;
	}
	close_pts(q, slot);
	q->pts[slot] = steal_fd(fd) + 1;
	answer(q, i, &done);
}

static void forget(struct requests *q, int i)
{
	struct plan_msg done = { .type = MSG_OVER };
	uint32_t slot = q->client[i].slot;

	if (q->active[slot]) {
		refuse(q, i, EBUSY, "it is running");
		return;
	}
	free(q->name[slot]);
	q->name[slot] = NULL;
	close_pts(q, slot);
	answer(q, i, &done);
}

static void take_call(struct requests *q, int i, int control, int pod_fd)
{
	struct app_call c = { .op = 0 };
	int fd = FD_NONE;
	size_t nfds = 1;
	ssize_t n = fd_recv(q->client[i].fd, &c, sizeof(c), &fd, &nfds);
	auto_close int got = nfds == 1 && n > 0 ? fd : FD_NONE;

	if (n != (ssize_t)sizeof(c) || c.slot >= PLAN_APPS_MAX || q->client[i].op || !c.name[0] ||
	    !memchr(c.name, '\0', sizeof(c.name)) || strchr(c.name, '/')) {
		/* gone, or not one of ours */
		fd_close(&q->client[i].fd);
		q->client[i].op = 0;
		return;
	}
	q->client[i].op = c.op;
	q->client[i].slot = c.slot;
	q->client[i].failed.type = 0;
	if (c.op == APP_START)
		start(q, i, &c, got, control, pod_fd);
	else if (c.op == APP_STOP)
		stop(q, i, control);
	else if (c.op == APP_FORGET)
		forget(q, i);
	else if (c.op == APP_TERMINALS)
		keep_pts(q, i, &got);
	else
		refuse(q, i, EINVAL, "unknown request");
}

static void take_client(struct requests *q)
{
	auto_close int fd = accept4(q->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (int i = 0; fd >= 0 && i < REQUESTS_MAX; i++) {
		if (q->client[i].fd < 0) {
			q->client[i].fd = steal_fd(&fd);
			q->client[i].op = 0;
		}
	}
}

void requests_react(struct requests *q, const struct pollfd *p, nfds_t n, int control, int pod_fd)
{
	for (nfds_t i = 1; i < n; i++) {
		if (p[i].revents && p[i].fd >= 0 && p[i].fd == q->client[i - 1].fd)
			take_call(q, (int)i - 1, control, pod_fd);
	}
	if (n && p[0].revents)
		take_client(q);
}

/* Is this what a client with request @op waits for? */
static bool answers(const struct requests *q, uint32_t op, const struct plan_msg *m)
{
	if (op == APP_START)
		return m->type == MSG_STARTED || m->type == MSG_OVER;
	return op == APP_STOP && m->type == MSG_OVER && !q->active[m->app];
}

/* @m is of the app that client @i asked for. */
static void tell(struct requests *q, int i, const struct plan_msg *m)
{
	struct plan_msg *why = &q->client[i].failed;

	/* A start that fails: the first reason, when nothing of the app is left and its end is recorded. */
	if (q->client[i].op == APP_START && m->type == MSG_FAILED && !why->type)
		*why = *m;
	if (!answers(q, q->client[i].op, m))
		return;
	if (q->client[i].op != APP_START || m->type == MSG_STARTED)
		answer(q, i, m);
	else if (why->type)
		answer(q, i, why);
	else
		refuse(q, i, ECANCELED, "it was stopped before it ran");
}

void requests_tell(struct requests *q, const struct plan_msg *m)
{
	if (!requests_name(q, m->app))
		return;
	if (m->type == MSG_STARTED)
		q->started[m->app] = true;
	if (m->type == MSG_OVER)
		q->active[m->app] = false;
	for (int i = 0; i < REQUESTS_MAX; i++) {
		if (q->client[i].fd >= 0 && q->client[i].slot == (uint32_t)m->app)
			tell(q, i, m);
	}
}

void requests_close(struct requests *q)
{
	if (q->listen_fd < 0)
		return;
	fd_close(&q->listen_fd);
	for (int i = 0; i < REQUESTS_MAX; i++)
		fd_close(&q->client[i].fd);
	for (uint32_t i = 0; i < PLAN_APPS_MAX; i++) {
		free(q->name[i]);
		close_pts(q, i);
	}
	(void)unlink(CONTRACT_FILE_SOCKET);
}
