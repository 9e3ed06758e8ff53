/*
 * attach — the entrypoint that connects the caller's descriptors to the streams of a running app (attach.h).
 *
 * Arguments as rkt 1.30's stage0 gives them (internals.md section 2.4): --action=list, auto-attach or custom-attach,
 * --app, and for the last one the streams.  It never enters the pod: the streams are the supervisor's.
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/attach.h"

#define ESCAPE       0x1d /* ^], three times within … */
#define ESCAPE_NS    1000000000LL
#define ESCAPE_TIMES 3

struct attach_args {
	char *action, *app;
	bool debug, in, out, err, tty_in, tty_out;
};

#define ROW(kind_, member, name_)                                                                            \
	{                                                                                                    \
		.name = (name_), .kind = (kind_), .offset = offsetof(struct attach_args, member)             \
	}
static const struct opt attach_opts[] = {
	ROW(OPT_STR, action, "action"),  ROW(OPT_STR, app, "app"),          ROW(OPT_BOOL, debug, "debug"),
	ROW(OPT_BOOL, in, "stdin"),      ROW(OPT_BOOL, out, "stdout"),      ROW(OPT_BOOL, err, "stderr"),
	ROW(OPT_BOOL, tty_in, "tty-in"), ROW(OPT_BOOL, tty_out, "tty-out"), { .kind = OPT_END },
};

static const struct {
	const char *name;
	uint32_t bit;
} targets[] = {
	{ "stdin", ATTACH_STDIN },   { "stdout", ATTACH_STDOUT },   { "stderr", ATTACH_STDERR },
	{ "tty-in", ATTACH_TTY_IN }, { "tty-out", ATTACH_TTY_OUT },
};

struct session {
	int sock;
	uint32_t bits;
	bool raw, in_open;
	struct termios saved;
	struct attach_frame input; /* read, and not sent yet if … */
	size_t waiting;            /* … this many bytes of it are */
	int escapes;               /* of ^] in a row */
	int64_t first_ns;
};

static volatile sig_atomic_t ended, resized;

static void on_end(int sig)
{
	ended = sig;
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

/* Interrupt poll(2), which SA_RESTART would not change anyway. */
static void catch_signals(void)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	struct sigaction a = { .sa_handler = on_end };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		(void)sigaction(ends[i], &a, NULL);
	a.sa_handler = on_resize;
	(void)sigaction(SIGWINCH, &a, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* ---- the connection ---- */

static int connect_to(struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = CONTRACT_FILE_ATTACH };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct ucred u;
	socklen_t n = sizeof(u);

	if (fd < 0)
		return err_sys(e, errno, "socket");
	int r = connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
	if (r == ENOENT || r == ECONNREFUSED)
		return err_set(
			e, ERR_STATE, ENOENT,
			"no app of the pod was started with --stdin, --stdout or --stderr to attach to");
	if (r)
		return err_sys(e, r, "connect to the pod's supervisor");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) < 0)
		return err_sys(e, errno, "ask who the pod's supervisor is");
	if (u.uid != 0)
		return err_set(e, ERR_STATE, EPERM, "the other side of the socket is not root's");
	return steal_fd(&fd);
}

/* Ask for @want of @app; *offered: what there is. */
static int ask(int sock, const char *app, uint32_t want, uint32_t *offered, struct err *e)
{
	struct attach_call call = { .version = ATTACH_VERSION, .want = want };
	struct attach_frame f = { .kind = 0 };

	if (snprintf(call.app, sizeof(call.app), "%s", app) >= (int)sizeof(call.app))
		return err_set(e, ERR_INPUT, ENAMETOOLONG, "app \"%.40s…\": the name is too long", app);
	if (send(sock, &call, sizeof(call), MSG_NOSIGNAL) < 0)
		return err_sys(e, errno, "ask the pod's supervisor");
	ssize_t n = recv(sock, &f, sizeof(f), 0);
	if (n < (ssize_t)ATTACH_HEAD)
		return err_set(e, ERR_STATE, EPIPE, "the pod's supervisor does not answer");
	if (f.kind == ATTACH_OK) {
		*offered = f.number;
		return 0;
	}
	return err_set(e, ERR_STATE, ENOENT, "app \"%s\": %.*s", app, (int)(n - (ssize_t)ATTACH_HEAD),
		       f.data);
}

/* ---- the relay ---- */

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Has the user had enough?  ^] three times within a second. */
static bool escaped(struct session *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t now = now_ns();

		if (p[i] != ESCAPE) {
			s->escapes = 0;
			continue;
		}
		if (s->escapes == 0 || now - s->first_ns > ESCAPE_NS) {
			s->escapes = 0;
			s->first_ns = now;
		}
		if (++s->escapes == ESCAPE_TIMES)
			return true;
	}
	return false;
}

static void send_size(const struct session *s)
{
	struct attach_frame f = { .kind = ATTACH_SIZE };
	struct winsize w;

	if (!s->raw || ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0)
		return;
	f.number = (uint32_t)w.ws_row << 16 | w.ws_col;
	(void)send(s->sock, &f, ATTACH_HEAD, MSG_NOSIGNAL);
}

/* What was read goes on as soon as the app has room for it; waiting for that in send(2) would keep us from reading what
 * the app says, and the supervisor lets go of who does not read. */
static void send_input(struct session *s)
{
	if (send(s->sock, &s->input, ATTACH_HEAD + s->waiting, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
	    (errno != EAGAIN && errno != EINTR))
		s->waiting = 0;
}

/* false: the user detaches. */
static bool take_input(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->input.data, sizeof(s->input.data));

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		s->in_open = false;
	if (n <= 0)
		return true;
	if (s->raw && escaped(s, s->input.data, (size_t)n))
		return false;
	s->input.kind = ATTACH_DATA;
	s->input.number = s->bits & (ATTACH_STDIN | ATTACH_TTY_IN);
	s->waiting = (size_t)n;
	send_input(s);
	return true;
}

/* false: over. */
static bool take_output(struct session *s)
{
	struct attach_frame f;
	ssize_t n = recv(s->sock, &f, sizeof(f), 0);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < (ssize_t)ATTACH_HEAD || f.kind == ATTACH_END)
		return false;
	if (f.kind != ATTACH_DATA)
		return true;
	int to = f.number == ATTACH_STDERR ? STDERR_FILENO : STDOUT_FILENO;
	return write_full(to, f.data, (size_t)n - ATTACH_HEAD) == 0;
}

/* Only input was asked for and there is no more of it: nothing is left to do once it was sent. */
static bool idle(const struct session *s)
{
	return !s->in_open && !s->waiting && !(s->bits & (ATTACH_STDOUT | ATTACH_STDERR | ATTACH_TTY_OUT));
}

static void relay(struct session *s)
{
	bool on = true;

	s->in_open = s->bits & (ATTACH_STDIN | ATTACH_TTY_IN);
	send_size(s);
	while (on && !ended && !idle(s)) {
		struct pollfd p[] = { { .fd = s->sock, .events = POLLIN | (s->waiting ? POLLOUT : 0) },
				      { .fd = s->in_open && !s->waiting ? STDIN_FILENO : -1,
					.events = POLLIN } };

		if (resized) {
			resized = 0;
			send_size(s);
		}
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents & POLLOUT)
			send_input(s);
		if (p[0].revents & ~POLLOUT)
			on = take_output(s);
		if (on && p[1].revents)
			on = take_input(s);
	}
}

static void raw_terminal(struct session *s)
{
	struct termios raw;

	if (!(s->bits & ATTACH_TTY_IN) || tcgetattr(STDIN_FILENO, &s->saved) < 0)
		return;
	raw = s->saved;
	cfmakeraw(&raw);
	s->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* ---- actions ---- */

static int list(uint32_t offered)
{
	json_t *all = json_array();

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		if (offered & targets[i].bit)
			json_array_append_new(all,
					      json_pack("{s:s,s:s,s:s}", "name", targets[i].name, "domain",
							"unix", "address", CONTRACT_FILE_ATTACH));
	}
	auto_json doc = json_pack("{s:i,s:o}", "version", 1, "targets", all);
	auto_free char *text = json_text(doc, JSON_TABS);
	return puts(text) < 0 || fflush(stdout) != 0 ? -errno : 0;
}

static uint32_t wanted(const struct attach_args *a)
{
	return (a->in ? ATTACH_STDIN : 0u) | (a->out ? ATTACH_STDOUT : 0u) | (a->err ? ATTACH_STDERR : 0u) |
	       (a->tty_in ? ATTACH_TTY_IN : 0u) | (a->tty_out ? ATTACH_TTY_OUT : 0u);
}

/* What there is, by a connection of its own. */
static int look(const char *app, uint32_t *offered, struct err *e)
{
	auto_close int sock = connect_to(e);

	return sock < 0 ? sock : ask(sock, app, 0, offered, e);
}

static int attach(const struct attach_args *a, struct err *e)
{
	struct session s = { .sock = FD_NONE, .bits = wanted(a) };
	bool custom = strcmp(a->action, "custom-attach") == 0;
	int r = custom ? 0 : look(a->app, &s.bits, e);

	if (r == 0 && !s.bits)
		r = err_set(e, ERR_USAGE, EINVAL, "no streams were named");
	if (r < 0)
		return r;
	s.sock = connect_to(e);
	if (s.sock < 0)
		return s.sock;
	uint32_t offered = 0;
	r = ask(s.sock, a->app, s.bits, &offered, e);
	if (r == 0) {
		catch_signals();
		raw_terminal(&s);
		relay(&s);
		if (s.raw)
			(void)tcsetattr(STDIN_FILENO, TCSANOW, &s.saved);
	}
	fd_close(&s.sock);
	return r;
}

static int run(int argc, char **argv, struct err *e)
{
	struct attach_args a = { .action = NULL };
	struct opt_set set = { attach_opts, &a };
	auto_strv rest = NULL;
	uint32_t offered = 0;
	int index = 1;
	int r = opt_parse(&set, 1, argc, argv, &index, OPT_STOP_NEVER, &rest, e);

	if (r == 0 && (!a.action || !a.app))
		r = err_set(e, ERR_USAGE, EINVAL, "--action and --app are needed");
	if (r < 0)
		return r;
	if (strcmp(a.action, "list") != 0)
		return attach(&a, e);
	r = look(a.app, &offered, e);
	if (r == 0 && (r = list(offered)) < 0)
		r = err_sys(e, -r, "write the list");
	return r;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	(void)fd_ensure_std();
	log_setup("rkt: attach", LOG_NORMAL);
	if (run(argc, argv, &e) == 0)
		return ended ? 128 + (int)ended : 0;
	log_error("%s", e.text);
	return CONTRACT_EXIT_FAILURE;
}
