/* supervise — see supervise.h. */
#include "stage1/lib/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/log.h"
#include "stage1/contract.h"
#include "stage1/lib/appfact.h"
#include "stage1/lib/notify.h"
#include "stage1/lib/relay.h"
#include "stage1/lib/requests.h"
#include "stage1/lib/tty.h"
#include "stage2/launch.h"
#include "stage2/plan.h"

struct watch {
	struct sandbox *s;
	int signal_fd;
	struct tty tty;
	struct requests requests; /* of a mutable pod */
	struct relay *relay;      /* or NULL */
	bool done;                /* MSG_DONE came */
	bool init_gone;
	bool started;  /* every program was executed */
	size_t silent; /* apps that will say READY=1 and have not yet */
	bool failed;   /* MSG_FAILED came: the status is ours, 254 */
	int status;
};

/* What the supervisor reacts to; everything else keeps its default, but for SIGPIPE, which is blocked: who writes learns
 * of it by EPIPE. */
static const int handled[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD };

int supervise_signals(struct err *e)
{
	sigset_t set, blocked;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(handled); i++)
		(void)sigaddset(&set, handled[i]);
	blocked = set;
	(void)sigaddset(&blocked, SIGPIPE);
	if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0)
		return err_sys(e, errno, "block signals");
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, errno, "signalfd") : fd;
}

static void send_msg(struct watch *w, enum plan_msg_type type, int value)
{
	struct plan_msg m = { .type = type, .app = -1, .value = value };

	/* a refused message means that init is gone or going: poll tells */
	(void)send(w->s->control[0], &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- records in the pod directory ---- */

/* NULL: there is no such app. */
static const char *app_name(const struct watch *w, int32_t app)
{
	if (w->s->ctx->mutable_pod)
		return requests_name(&w->requests, app);
	return app >= 0 && (size_t)app < w->s->ctx->napps ? w->s->ctx->manifest->apps[app].name : NULL;
}

/* Heap. */
static char *fact_path(const struct watch *w, const struct app_fact *f, const char *app)
{
	return w->s->ctx->own_stage0 ? app_fact_ours(f, app) : app_fact_classic(f, app);
}

static void record(struct watch *w, const struct app_fact *f, int app, int value)
{
	const struct podctx *c = w->s->ctx;
	auto_free char *path = fact_path(w, f, app_name(w, app));
	auto_free char *text = xasprintf(c->own_stage0 ? "%d" : "%d\n", value);
	int r = 0;

	if (c->own_stage0)
		r = record_write_at(c->pod_fd, path, text);
	else if ((r = mkdir_p_at(c->pod_fd, f->classic, 0755)) == 0)
		r = write_file_at(c->pod_fd, path, text, strlen(text), 0644, 0);
	if (r < 0)
		log_warn("write %s: %s", path, strerror(-r));
}

static int exit_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static bool app_ok(const struct watch *w, const struct plan_msg *m)
{
	return app_name(w, m->app) != NULL;
}

/* Scripts look for this sentence when a program or its interpreter is missing (cli.md, appendix A). */
static char *failure_text(const struct plan_msg *m)
{
	if (m->value == LAUNCH_EXEC && m->code == ENOENT)
		return xasprintf("Error: Unable to open \"%s\": No such file or directory", m->text);
	if (m->code && !m->text[0])
		return xstrdup(strerror(m->code));
	if (m->code)
		return xasprintf("%s: %s", m->text, strerror(m->code));
	return xstrdup(m->text);
}

static void report_failure(struct watch *w, struct plan_msg *m)
{
	m->text[sizeof(m->text) - 1] = '\0';
	/* in a mutable pod an app's failure is told to who started it, and the pod goes on */
	if (!w->s->ctx->mutable_pod || m->app < 0)
		w->failed |= m->value != INIT_POST_STOP && m->value != INIT_REMOVE;
	auto_free char *text = failure_text(m);

	if (app_ok(w, m))
		log_error("app \"%s\": %s: %s", app_name(w, m->app), launch_step_name(m->value), text);
	else
		log_error("%s: %s", launch_step_name(m->value), text);
}

/* An app that runs has no exit status. */
static void restarted(struct watch *w, int app, int times)
{
	const char *name = w->s->ctx->manifest->apps[app].name;
	auto_free char *path = fact_path(w, &app_fact_status, name);

	log_info("app \"%s\" is started again (%d)", name, times);
	record(w, &app_fact_restarts, app, times);
	if (unlinkat(w->s->ctx->pod_fd, path, 0) < 0 && errno != ENOENT)
		log_warn("remove %s: %s", path, strerror(errno));
}

static void if_ready(struct watch *w)
{
	const struct podctx *c = w->s->ctx;

	if (!w->started || w->silent)
		return;
	if (symlinkat("ready", c->pod_fd, c->own_stage0 ? CONTRACT_LINK_READY : CONTRACT_READY_LINK) < 0)
		log_warn("record readiness: %s", strerror(errno));
	notify_send("READY=1");
}

static void all_started(struct watch *w)
{
	w->started = true;
	if_ready(w);
}

/* Once is enough: later messages of the app are nobody's business. */
static void app_speaks(struct watch *w, struct app_build *a)
{
	if (!notify_take(a->notify_fd))
		return;
	fd_close(&a->notify_fd);
	w->silent--;
	if_ready(w);
}

static void on_message(struct watch *w, struct plan_msg *m)
{
	switch (m->type) {
	case MSG_STARTED:
		w->s->started = true;
		if (app_ok(w, m))
			record(w, &app_fact_pid, m->app, m->value);
		if (app_ok(w, m))
			relay_started(w->relay, (unsigned int)m->app, m->value);
		if (!w->s->ctx->mutable_pod && m->code)
			all_started(w);
		break;
	case MSG_READY:
		w->s->started |= w->s->ctx->mutable_pod;
		all_started(w);
		break;
	case MSG_EXITED:
		if (app_ok(w, m)) {
			record(w, &app_fact_status, m->app, exit_code(m->value));
			log_debug("app \"%s\" ended with status %d", app_name(w, m->app),
				  exit_code(m->value));
			if (!w->s->ctx->mutable_pod && !m->code)
				relay_ended(w->relay, (unsigned int)m->app);
		}
		break;
	case MSG_RESTARTED:
		if (app_ok(w, m))
			restarted(w, m->app, m->value);
		break;
	case MSG_FAILED:
		report_failure(w, m);
		break;
	case MSG_OVER:
		if (app_ok(w, m))
			relay_over(w->relay, (unsigned int)m->app);
		break;
	case MSG_DONE:
		w->done = true;
		w->status = m->value;
		break;
	default:
		break;
	}
}

/* Records first: whoever is answered may look at them at once. */
static void take_message(struct watch *w, struct plan_msg *m)
{
	m->text[sizeof(m->text) - 1] = '\0';
	on_message(w, m);
	if (w->requests.listen_fd >= 0 && m->app >= 0)
		requests_tell(&w->requests, m);
}

/* A datagram of @n bytes; false if it is none of init's. */
static bool take_messages(struct watch *w, struct plan_msg *m, ssize_t n)
{
	if (n <= 0 || n % (ssize_t)sizeof(*m) != 0)
		return false;
	for (ssize_t i = 0; i < n / (ssize_t)sizeof(*m); i++)
		take_message(w, &m[i]);
	return true;
}

/* After some messages init is silent for a while: what comes then, poll tells. */
static void drain_control(struct watch *w)
{
	struct plan_msg m[PLAN_MSGS_MAX], last = { .type = 0 };

	while (last.type != MSG_READY && last.type != MSG_DONE && (last.type != MSG_STARTED || !last.code)) {
		ssize_t n = recv(w->s->control[0], m, sizeof(m), MSG_DONTWAIT);

		if (n < 0 && errno == ECONNRESET) /* once: it ended before it had read everything */
			continue;
		if (!take_messages(w, m, n))
			break;
		last = m[n / (ssize_t)sizeof(m[0]) - 1];
	}
}

/* ---- signals ---- */

static void on_signal(struct watch *w, int sig)
{
	switch (sig) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		notify_send("STOPPING=1");
		send_msg(w, MSG_STOP, sig);
		break;
	case SIGWINCH:
		tty_resize(&w->tty);
		break;
	case SIGCHLD:
		break; /* the pidfd tells */
	default:
		send_msg(w, MSG_SIGNAL, sig);
		break;
	}
}

static void drain_signals(struct watch *w)
{
	struct signalfd_siginfo si;

	while (read(w->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		on_signal(w, (int)si.ssi_signo);
}

/* ---- the end ---- */

/* init died without a word (stop --force, or the kernel's memory killer): the apps died with it. */
static void lost_init(struct watch *w, int wait_status)
{
	if (w->done)
		return;
	w->status = exit_code(wait_status);
	for (size_t i = 0; w->s->ctx->mutable_pod && i < PLAN_APPS_MAX; i++) {
		if (w->requests.active[i] && w->requests.started[i])
			record(w, &app_fact_status, (int)i, w->status);
	}
	for (size_t i = 0; i < w->s->ctx->napps; i++) {
		auto_free char *path = fact_path(w, &app_fact_status, w->s->ctx->manifest->apps[i].name);

		if (faccessat(w->s->ctx->pod_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
		    !w->failed)
			record(w, &app_fact_status, (int)i, w->status);
	}
}

static void reap_init(struct watch *w)
{
	int st = 0;

	if (waitpid(w->s->init_pid, &st, w->done ? 0 : WNOHANG) != w->s->init_pid)
		return;
	if (!w->done)
		drain_control(w);
	w->init_gone = true;
	lost_init(w, st);
	struct err e = ERR_INIT;
	if ((!w->done || w->s->users.on) && cgroups_destroy(w->s->ctx->pod_fd, &e) < 0)
		log_warn("%s", e.text);
}

static void loop(struct watch *w)
{
	enum { SIG, CONTROL, INIT, IN, OUT, N };
	struct pollfd p[N + PLAN_APPS_MAX + REQUESTS_FDS + RELAY_FDS] = {
		[SIG] = { .fd = w->signal_fd, .events = POLLIN },
		[CONTROL] = { .fd = w->s->control[0], .events = POLLIN },
		[INIT] = { .fd = w->s->init_pidfd, .events = POLLIN },
		[IN] = { .fd = -1, .events = POLLIN },
		[OUT] = { .fd = w->tty.master >= 0 ? w->tty.master : -1, .events = POLLIN },
	};

	while (!w->init_gone) {
		p[IN].fd = p[OUT].fd >= 0 && w->tty.in_open ? STDIN_FILENO : -1;
		nfds_t n = N;
		for (size_t i = 0; w->silent && i < w->s->ctx->napps; i++)
			p[n++] = (struct pollfd){ .fd = w->s->apps[i].notify_fd, .events = POLLIN };
		struct pollfd *asked = p + n;
		nfds_t nasked = requests_poll(&w->requests, asked);
		struct pollfd *relayed = asked + nasked;
		nfds_t nrelayed = relay_poll(w->relay, relayed);
		if (poll(p, n + nasked + nrelayed, -1) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; n > N && i < w->s->ctx->napps; i++) {
			if (p[N + i].revents)
				app_speaks(w, &w->s->apps[i]);
		}
		if (p[SIG].revents)
			drain_signals(w);
		if (p[CONTROL].revents & POLLIN)
			drain_control(w);
		else if (p[CONTROL].revents)
			p[CONTROL].fd = -1;
		relay_react(w->relay, relayed, nrelayed);
		requests_react(&w->requests, asked, nasked, w->s->control[0], w->s->ctx->pod_fd);
		if (p[IN].revents)
			tty_input(&w->tty);
		if (p[OUT].revents && !tty_output(&w->tty))
			p[OUT].fd = -1;
		/* after its last message init does nothing but end: no need to be told by poll */
		if ((p[INIT].revents && p[OUT].revents == 0) || (w->done && p[OUT].fd < 0))
			reap_init(w);
	}
}

int supervise_called_off(int signal_fd, struct err *e)
{
	struct signalfd_siginfo si;

	while (read(signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT || si.ssi_signo == SIGQUIT)
			return err_set(e, ERR_STATE, EINTR, "ended by signal %u before the pod was complete",
				       si.ssi_signo);
	}
	return 0;
}

_Static_assert(sizeof(struct sync_msg) % sizeof(struct plan_msg) != 0, "told apart by their size");

/* Until the first word of init, or the end of the child.  It may take its time: a volume can be on a file system that does
 * not answer. */
static int await_child(struct watch *w, struct err *e)
{
	struct pollfd p[] = { { .fd = w->s->control[0], .events = POLLIN },
			      { .fd = w->signal_fd, .events = POLLIN } };

	for (;;) {
		union {
			struct sync_msg child;
			struct plan_msg init[PLAN_MSGS_MAX];
		} m;
		int fd = FD_NONE;
		size_t nfds = 1;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, errno, "wait for the pod's first process");
		if (p[1].revents && supervise_called_off(w->signal_fd, e) < 0)
			return -EINTR;
		if (!p[0].revents)
			continue;
		ssize_t n = fd_recv(w->s->control[0], &m, sizeof(m), &fd, &nfds);

		if (n ==
		    -ECONNRESET) /* it ended before it had read everything; what it said comes after this error */
			continue;
		if (n == 0 || take_messages(w, m.init, n))
			return 0;
		if (n != (ssize_t)sizeof(m.child))
			return err_sys(e, n < 0 ? (int)-n : EPROTO, "hear from the pod's first process");
		if (m.child.kind == SYNC_FAILED)
			return err_copy(e, &m.child.err);
		if (m.child.kind == SYNC_PTY && nfds == 1 && m.child.app < 0)
			tty_start(&w->tty, fd);
		else if (m.child.kind == SYNC_PTY && nfds == 1)
			relay_terminal(w->relay, (unsigned int)m.child.app, fd);
	}
}

int supervise(struct sandbox *s, int signal_fd, int *ret_status, struct err *e)
{
	struct watch w = { .s = s,
			   .signal_fd = signal_fd,
			   .tty = { .master = FD_NONE },
			   .requests = REQUESTS_INIT,
			   .status = CONTRACT_EXIT_FAILURE };
	for (size_t i = 0; i < s->ctx->napps; i++)
		w.silent += s->apps[i].notify_fd >= 0;
	w.relay = w.requests.relay = relay_new(s, e);
	int r = e->code ? -e->code : netcall_await(s, signal_fd, e);

	if (r == 0 && s->ctx->mutable_pod)
		r = requests_open(&w.requests, e);
	/* our records are written; init finds it when it looks for the first time */
	if (r == 0) {
		send_msg(&w, MSG_GO, 0);
		r = await_child(&w, e);
	}
	if (r == 0) {
		loop(&w);
	} else {
		(void)kill(s->init_pid, SIGKILL);
		(void)waitpid(s->init_pid, NULL, 0);
	}
	if (r == 0)
		relay_finish(w.relay, signal_fd);
	relay_free(w.relay);
	requests_close(&w.requests);
	tty_stop(&w.tty);
	*ret_status = w.failed ? CONTRACT_EXIT_FAILURE : w.status;
	return r;
}
