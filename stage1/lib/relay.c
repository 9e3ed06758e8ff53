/* relay — see relay.h; relay_clients.c has those who attach. */
#include "stage1/lib/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "stage1/lib/relay_clients.h"
#include "stage1/lib/sandbox.h"

#define CHUNK       16384
#define PENDING_MAX (64u << 10) /* of one outlet; above it nobody's output is read */
#define WRITE_BYTES 4096        /* what a pipe that polls as writable takes without blocking (pipe(7)) */
#define ENDED_MAX   (1u << 20)  /* above it what an app that has ended wrote last is lost */
#define PATIENCE_S  10          /* after the end of the pod, without a byte taken */

static uint64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- the caller's side ---- */

static bool writable_now(const struct outlet *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	return poll(&p, 1, 0) > 0;
}

/* A piece, so that a blocking descriptor, which is not ours to change, does not block. */
static void outlet_write(struct outlet *o)
{
	size_t n = o->pending.len - o->from < WRITE_BYTES ? o->pending.len - o->from : WRITE_BYTES;
	ssize_t w = write(o->fd, o->pending.data + o->from, n);

	if (w < 0 && errno != EINTR && errno != EAGAIN) {
		o->dead = true; /* nobody reads any more: as with a broken pipe, the rest is lost */
		o->from = o->pending.len;
		w = 0;
	}
	if (w > 0)
		o->from += (size_t)w;
	if (o->from >= PENDING_MAX || o->from == o->pending.len) {
		o->pending.len -= o->from;
		(void)memmove(o->pending.data, o->pending.data + o->from, o->pending.len);
		o->from = 0;
	}
}

static void outlet_flush(struct outlet *o)
{
	while (o->pending.len && !o->dead && writable_now(o))
		outlet_write(o);
	if (o->dead)
		buf_clear(&o->pending);
}

/* ---- the apps' side ---- */

/* The bytes of one source of an app, wherever they go. */
static void pass_on(struct relay *r, struct source *s, const char *p, size_t n)
{
	if (s->outlet) {
		lines_feed(&s->lines, p, n, now_us(), &s->outlet->pending);
		outlet_flush(s->outlet);
	} else {
		clients_data(r, s, p, n);
	}
}

/* 1 there may be more, 0 not now or never. */
static int source_read(struct relay *r, struct source *s)
{
	char b[CHUNK];
	ssize_t n = read(s->fd, b, sizeof(b));

	if (n > 0) {
		pass_on(r, s, b, (size_t)n);
		return 1;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		fd_close(&s->fd);
	return 0;
}

static void source_end(struct source *s)
{
	if (s->outlet) {
		lines_flush(&s->lines, now_us(), &s->outlet->pending);
		outlet_flush(s->outlet);
	}
}

/* ---- making ---- */

static const enum attach_bit source_bit[RELAY_SOURCES] = { ATTACH_STDOUT, ATTACH_STDERR, ATTACH_TTY_OUT };

static uint32_t offered(const struct app_streams *t)
{
	static const uint32_t stream[3] = { ATTACH_STDIN, ATTACH_STDOUT, ATTACH_STDERR };
	uint32_t bits = 0;

	for (int i = 0; i < 3; i++) {
		if (t->mode[i] == STREAM_ATTACH)
			bits |= stream[i];
		if (t->mode[i] == STREAM_TTY)
			bits |= i ? ATTACH_TTY_OUT : ATTACH_TTY_IN;
	}
	return bits;
}

/* Nobody is in place @i. */
static void clear_app(struct relay *r, unsigned int i)
{
	r->apps[i] = (struct relayed){ .name = NULL };
	r->inlets[i] = (struct inlet){ .fd = FD_NONE };
	for (unsigned int k = 0; k < RELAY_SOURCES; k++)
		r->sources[i * RELAY_SOURCES + k] =
			(struct source){ .app = i, .bit = source_bit[k], .fd = FD_NONE };
}

static int add_app(struct relay *r, unsigned int i, const char *name, bool early, struct app_streams *t,
		   struct err *e)
{
	struct source *s = &r->sources[(size_t)i * RELAY_SOURCES];
	uint32_t bits = offered(t);

	if (bits && clients_listen(r, e) < 0)
		return -e->code;
	r->apps[i] = (struct relayed){ .name = name, .early = early, .offered = bits };
	r->inlets[i].fd = steal_fd(&t->outer[0]);
	for (int k = 0; k < 2; k++) {
		s[k].fd = steal_fd(&t->outer[k + 1]);
		s[k].outlet = t->mode[k + 1] == STREAM_LOG ? &r->outlets[k] : NULL;
		s[k].lines = (struct lines){ .app = name, .escape = s[k].outlet && s[k].outlet->tty };
	}
	return 0;
}

/* Nobody in any place. */
static struct relay *new_empty(unsigned int napps)
{
	struct relay *r = xcalloc(1, sizeof(*r));

	r->listen_fd = FD_NONE;
	r->napps = napps;
	r->nsources = (size_t)napps * RELAY_SOURCES;
	r->apps = xcalloc(napps, sizeof(*r->apps));
	r->sources = xcalloc(r->nsources, sizeof(*r->sources));
	r->inlets = xcalloc(napps, sizeof(*r->inlets));
	for (int i = 0; i < 2; i++)
		r->outlets[i] = (struct outlet){ .fd = i + 1, .tty = isatty(i + 1) };
	for (int i = 0; i < RELAY_CLIENTS; i++)
		r->clients[i].fd = FD_NONE;
	for (unsigned int i = 0; i < napps; i++)
		clear_app(r, i);
	return r;
}

struct relay *relay_new(struct sandbox *s, struct err *e)
{
	bool any = false;

	if (s->ctx->mutable_pod)
		return new_empty(PLAN_APPS_MAX);
	for (size_t i = 0; i < s->ctx->napps; i++) {
		const struct app_streams *t = &s->apps[i].streams;

		any |= streams_any(t, STREAM_LOG) || streams_any(t, STREAM_ATTACH) ||
		       streams_any(t, STREAM_TTY);
	}
	if (!any)
		return NULL;
	struct relay *r = new_empty((unsigned int)s->ctx->napps);
	for (unsigned int i = 0; i < r->napps; i++) {
		const struct pod_app *a = s->apps[i].in;

		if (add_app(r, i, a->rt->name, a->app->pre_start != NULL, &s->apps[i].streams, e) < 0) {
			relay_free(r);
			return NULL;
		}
	}
	return r;
}

void relay_terminal(struct relay *r, unsigned int app, int master)
{
	if (!r || app >= r->napps || !(r->apps[app].offered & (ATTACH_TTY_IN | ATTACH_TTY_OUT))) {
		fd_close(&master);
		return;
	}
	r->sources[app * RELAY_SOURCES + 2].fd = master;
	(void)fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
}

int relay_begin(struct relay *r, unsigned int app, const char *name, bool early, struct app_streams *t,
		struct err *e)
{
	char *own = r ? xstrdup(name) : NULL;
	int result = r ? add_app(r, app, own, early, t, e) : 0;

	if (!r || result < 0) {
		free(own);
		return result;
	}
	r->apps[app].own_name = own;
	relay_terminal(r, app, steal_fd(&t->tty_outer));
	return 0;
}

/* What belongs to place @i goes. */
static void drop_app(struct relay *r, unsigned int i)
{
	for (unsigned int k = 0; k < RELAY_SOURCES; k++) {
		struct source *s = &r->sources[i * RELAY_SOURCES + k];

		fd_close(&s->fd);
		lines_done(&s->lines);
		free(s->ring);
	}
	fd_close(&r->inlets[i].fd);
	buf_done(&r->inlets[i].pending);
	free(r->apps[i].own_name);
	clear_app(r, i);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	clients_close(r);
	for (unsigned int i = 0; i < r->napps; i++)
		drop_app(r, i);
	for (int i = 0; i < 2; i++)
		buf_done(&r->outlets[i].pending);
	free(r->apps);
	free(r->sources);
	free(r->inlets);
	free(r);
}

/* ---- the loop's two halves ---- */

static bool holds_more(const struct source *s, size_t most)
{
	return s->outlet && s->outlet->pending.len - s->outlet->from > most;
}

static bool full(const struct source *s)
{
	return holds_more(s, PENDING_MAX);
}

/* Lines wait for the number that goes before them, which comes with the program's start; handlers have none. */
static bool holds(const struct relay *r, const struct source *s)
{
	bool early = s->outlet && !s->lines.pid && !r->apps[s->app].early;

	return early || full(s);
}

nfds_t relay_poll(struct relay *r, struct pollfd *p)
{
	nfds_t n = 0;

	if (!r)
		return 0;
	for (size_t i = 0; i < r->nsources; i++)
		p[n++] = (struct pollfd){ .fd = holds(r, &r->sources[i]) ? -1 : r->sources[i].fd,
					  .events = POLLIN };
	for (int i = 0; i < 2; i++)
		p[n++] = (struct pollfd){ .fd = r->outlets[i].pending.len ? r->outlets[i].fd : -1,
					  .events = POLLOUT };
	return n + clients_poll(r, p + n);
}

void relay_react(struct relay *r, const struct pollfd *p, nfds_t n)
{
	if (!r || n == 0)
		return;
	for (size_t i = 0; i < r->nsources; i++) {
		if (p[i].fd >= 0 && p[i].fd == r->sources[i].fd && p[i].revents)
			(void)source_read(r, &r->sources[i]);
	}
	for (int i = 0; i < 2; i++) {
		if (p[r->nsources + (size_t)i].revents)
			outlet_flush(&r->outlets[i]);
	}
	clients_react(r, p + r->nsources + 2, n - r->nsources - 2);
}

/* ---- what happens to the apps ---- */

void relay_started(struct relay *r, unsigned int app, int pid)
{
	for (size_t i = 0; r && i < r->nsources; i++) {
		if (r->sources[i].app == app)
			r->sources[i].lines.pid = pid;
	}
}

/* What it wrote before it ended is in the pipes by now.  @most: what may wait in front of it.  False: some is left. */
static bool read_last(struct relay *r, unsigned int app, size_t most)
{
	bool all = true;

	for (unsigned int k = 0; k < RELAY_SOURCES; k++) {
		struct source *s = &r->sources[app * RELAY_SOURCES + k];

		while (s->fd >= 0 && !holds_more(s, most) && source_read(r, s) > 0)
			continue;
		all &= s->fd < 0 || !holds_more(s, most);
		source_end(s);
	}
	clients_app_ended(r, app);
	return all;
}

void relay_ended(struct relay *r, unsigned int app)
{
	if (!r)
		return;
	(void)read_last(r, app, PENDING_MAX);
	r->apps[app].ended = true;
}

/* The pipes cannot wait for who reads us, since the next start has its own. */
void relay_over(struct relay *r, unsigned int app)
{
	if (!r || !r->apps[app].name)
		return;
	/* nor may we wait in telling */
	if (!read_last(r, app, ENDED_MAX) && writable_now(&r->outlets[1]))
		log_warn("app \"%s\": nobody takes its last output: it is lost", r->apps[app].name);
	drop_app(r, app);
}

/* Is anything left that somebody may take? */
static bool work_left(const struct relay *r)
{
	for (size_t i = 0; i < r->nsources; i++) {
		if (r->sources[i].fd >= 0 && r->sources[i].outlet)
			return true;
	}
	return r->outlets[0].pending.len || r->outlets[1].pending.len || clients_pending(r);
}

/* A number that changes when somebody takes something. */
static size_t waiting(const struct relay *r)
{
	size_t n = 0;

	for (int i = 0; i < 2; i++)
		n += r->outlets[i].pending.len - r->outlets[i].from;
	for (int i = 0; i < RELAY_CLIENTS; i++)
		n += r->clients[i].out.len - r->clients[i].from;
	return n;
}

void relay_finish(struct relay *r, int signal_fd)
{
	struct pollfd p[RELAY_FDS + 1];
	uint64_t deadline = now_us() + PATIENCE_S * 1000000ULL;

	while (r && work_left(r)) {
		size_t before = waiting(r);
		nfds_t n = relay_poll(r, p);

		p[n] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
		if (poll(p, n + 1, 1000) > 0) {
			relay_react(r, p, n);
			if (p[n].revents)
				break;
		}
		if (waiting(r) != before)
			deadline = now_us() + PATIENCE_S * 1000000ULL;
		else if (now_us() > deadline)
			break;
	}
	for (size_t i = 0; r && i < r->nsources; i++)
		source_end(&r->sources[i]);
	if (r && (r->outlets[0].pending.len || r->outlets[1].pending.len))
		log_warn("nobody takes the last output of the apps: it is lost");
}
