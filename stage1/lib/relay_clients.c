/* relay_clients — see relay_clients.h and attach.h. */
#include "stage1/lib/relay_clients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "stage1/contract.h"
#include "stage1/lib/podsock.h"

#define BEHIND_MAX (1u << 20)  /* bytes that a client has not taken */
#define INPUT_MAX  (64u << 10) /* that an app has not read yet; above it we do not listen */

int clients_listen(struct relay *r, struct err *e)
{
	if (r->listen_fd < 0)
		r->listen_fd = podsock_listen(CONTRACT_FILE_ATTACH, RELAY_CLIENTS, e);
	return r->listen_fd < 0 ? r->listen_fd : 0;
}

static void let_go(struct client *c)
{
	fd_close(&c->fd);
	buf_done(&c->out);
	*c = (struct client){ .fd = FD_NONE };
}

void clients_close(struct relay *r)
{
	if (r->listen_fd < 0)
		return;
	for (int i = 0; i < RELAY_CLIENTS; i++)
		let_go(&r->clients[i]);
	fd_close(&r->listen_fd);
	(void)unlink(CONTRACT_FILE_ATTACH);
}

/* ---- sending ---- */

/* Keep the memory within what waits: a client who is always a little behind never empties it. */
static void forget_sent(struct client *c)
{
	if (c->from < BEHIND_MAX / 4)
		return;
	c->out.len -= c->from;
	(void)memmove(c->out.data, c->out.data + c->from, c->out.len);
	c->from = 0;
}

/* What waits, as far as the client takes it.  A socket of this kind holds a few hundred messages at most. */
static void client_flush(struct client *c)
{
	while (c->from < c->out.len) {
		uint32_t n;

		(void)memcpy(&n, c->out.data + c->from, sizeof(n));
		if (send(c->fd, c->out.data + c->from + sizeof(n), n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno != EAGAIN && errno != EINTR)
				let_go(c);
			else
				forget_sent(c);
			return;
		}
		c->from += sizeof(n) + n;
	}
	buf_clear(&c->out);
	c->from = 0;
	if (c->closing)
		let_go(c);
}

/* One frame; a client who is too far behind is let go, so that the app and the others need not wait. */
static void send_frame(struct client *c, enum attach_kind kind, uint32_t number, const char *p, size_t n)
{
	const uint32_t head[] = { ATTACH_HEAD + (uint32_t)n, kind, number };

	if (c->fd < 0 || c->closing)
		return;
	buf_add(&c->out, head, sizeof(head));
	if (n)
		buf_add(&c->out, p, n);
	if (c->out.len - c->from > BEHIND_MAX)
		let_go(c);
	else
		client_flush(c);
}

/* The last frame has been sent, or waits. */
static void close_after(struct client *c)
{
	c->closing = true;
	if (c->fd >= 0 && !c->out.len)
		let_go(c);
}

static void send_data(struct client *c, enum attach_bit bit, const char *p, size_t n)
{
	while (n > 0) {
		size_t piece = n < ATTACH_DATA_MAX ? n : ATTACH_DATA_MAX;

		send_frame(c, ATTACH_DATA, bit, p, piece);
		p += piece;
		n -= piece;
	}
}

static void ring_add(struct source *s, const char *p, size_t n)
{
	if (!s->ring)
		s->ring = xmalloc(RELAY_RING);
	if (n > RELAY_RING) {
		p += n - RELAY_RING;
		n = RELAY_RING;
	}
	size_t first = n < RELAY_RING - s->ring_at ? n : RELAY_RING - s->ring_at;
	(void)memcpy(s->ring + s->ring_at, p, first);
	(void)memcpy(s->ring, p + first, n - first);
	s->ring_at = (s->ring_at + n) % RELAY_RING;
	s->ring_len = s->ring_len + n < RELAY_RING ? s->ring_len + n : RELAY_RING;
}

/* What was said last, for who comes late. */
static void send_ring(struct client *c, const struct source *s)
{
	size_t from = (s->ring_at + RELAY_RING - s->ring_len) % RELAY_RING;
	size_t first = s->ring_len < RELAY_RING - from ? s->ring_len : RELAY_RING - from;

	if (!s->ring_len)
		return;
	send_data(c, s->bit, s->ring + from, first);
	send_data(c, s->bit, s->ring, s->ring_len - first);
}

void clients_data(struct relay *r, struct source *s, const char *p, size_t n)
{
	ring_add(s, p, n);
	for (int i = 0; i < RELAY_CLIENTS; i++) {
		struct client *c = &r->clients[i];

		if (c->fd >= 0 && c->app == s->app && c->bits & s->bit)
			send_data(c, s->bit, p, n);
	}
}

void clients_app_ended(struct relay *r, unsigned int app)
{
	for (int i = 0; i < RELAY_CLIENTS; i++) {
		struct client *c = &r->clients[i];

		if (c->fd < 0 || !c->bits || c->app != app)
			continue;
		send_frame(c, ATTACH_END, 0, NULL, 0);
		c->bits = 0; /* whatever begins in its place is not what it asked for */
		close_after(c);
	}
}

/* ---- the app's input ---- */

static int terminal_of(const struct relay *r, unsigned int app)
{
	for (size_t i = 0; i < r->nsources; i++) {
		if (r->sources[i].app == app && r->sources[i].bit == ATTACH_TTY_OUT)
			return r->sources[i].fd;
	}
	return FD_NONE;
}

static int input_fd(const struct relay *r, unsigned int app)
{
	return r->inlets[app].fd >= 0 ? r->inlets[app].fd : terminal_of(r, app);
}

/* Write what waits; the rest stays for when there is room. */
static void input_flush(struct relay *r, unsigned int app)
{
	struct buf *b = &r->inlets[app].pending;
	int fd = input_fd(r, app);

	while (b->len > 0) {
		ssize_t n = fd < 0 ? -1 : write(fd, b->data, b->len);

		if (n < 0 && fd >= 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			buf_clear(b); /* nobody will read it */
			return;
		}
		(void)memmove(b->data, b->data + n, b->len - (size_t)n);
		b->len -= (size_t)n;
	}
}

/* ---- calls and frames of a client ---- */

static void refuse(struct client *c, const char *why)
{
	send_frame(c, ATTACH_REFUSED, 0, why, strlen(why));
	close_after(c);
}

static int find_app(const struct relay *r, const char *name)
{
	for (unsigned int i = 0; i < r->napps; i++) {
		if (r->apps[i].name && strcmp(r->apps[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static void take_call(struct relay *r, struct client *c, const struct attach_call *call, ssize_t n)
{
	int app;

	if (n != (ssize_t)sizeof(*call) || call->version != ATTACH_VERSION ||
	    call->want & ~(uint32_t)ATTACH_ALL || !memchr(call->app, '\0', sizeof(call->app))) {
		refuse(c, "the request is not understood");
		return;
	}
	app = find_app(r, call->app);
	if (app < 0 || r->apps[app].ended) {
		refuse(c, "the app does not run");
		return;
	}
	uint32_t bits = r->apps[app].offered;
	if (!bits || call->want & ~bits) {
		refuse(c, bits ? "the app does not offer all of these streams"
			       : "the app was not started with --stdin, --stdout or --stderr to attach to");
		return;
	}
	c->app = (unsigned int)app;
	c->bits = call->want;
	send_frame(c, ATTACH_OK, bits, NULL, 0);
	if (!call->want) {
		close_after(c);
		return;
	}
	for (size_t i = 0; i < r->nsources; i++) {
		if (r->sources[i].app == c->app && r->sources[i].bit & c->bits)
			send_ring(c, &r->sources[i]);
	}
}

static void take_frame(struct relay *r, struct client *c)
{
	struct attach_frame f;
	ssize_t n = recv(c->fd, &f, sizeof(f), MSG_DONTWAIT);
	struct winsize w = { 0 };

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < (ssize_t)ATTACH_HEAD) {
		let_go(c);
		return;
	}
	if (f.kind == ATTACH_SIZE && c->bits & ATTACH_TTY_IN) {
		w.ws_row = (unsigned short)(f.number >> 16);
		w.ws_col = (unsigned short)f.number;
		(void)ioctl(terminal_of(r, c->app), TIOCSWINSZ, &w);
	} else if (f.kind == ATTACH_DATA && c->bits & (ATTACH_STDIN | ATTACH_TTY_IN)) {
		buf_add(&r->inlets[c->app].pending, f.data, (size_t)n - ATTACH_HEAD);
		input_flush(r, c->app);
	}
}

/* Only root gets to the socket; that it is root who connected is looked at all the same. */
static bool is_root(int fd)
{
	struct ucred u;
	socklen_t n = sizeof(u);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) == 0 && u.uid == 0;
}

static void take_client(struct relay *r)
{
	auto_close int fd = accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 || !is_root(fd))
		return;
	for (int i = 0; i < RELAY_CLIENTS; i++) {
		if (r->clients[i].fd < 0) {
			r->clients[i] = (struct client){ .fd = steal_fd(&fd) };
			return;
		}
	}
	struct client none = { .fd = steal_fd(&fd) };
	refuse(&none, "too many clients");
	let_go(&none);
}

bool clients_pending(const struct relay *r)
{
	for (int i = 0; i < RELAY_CLIENTS; i++) {
		if (r->clients[i].fd >= 0 && r->clients[i].out.len)
			return true;
	}
	return false;
}

/* ---- the loop's two halves ---- */

static bool input_waits(const struct relay *r, const struct client *c)
{
	return c->bits && r->inlets[c->app].pending.len > INPUT_MAX;
}

/* The listener, the clients, and the inputs of apps that did not take everything. */
nfds_t clients_poll(struct relay *r, struct pollfd *p)
{
	nfds_t n = 0;

	if (r->listen_fd < 0)
		return 0;
	p[n++] = (struct pollfd){ .fd = r->listen_fd, .events = POLLIN };
	for (int i = 0; i < RELAY_CLIENTS; i++) {
		const struct client *c = &r->clients[i];
		int events = (input_waits(r, c) ? 0 : POLLIN) | (c->out.len ? POLLOUT : 0);

		p[n++] = (struct pollfd){ .fd = events ? c->fd : -1, .events = (short)events };
	}
	for (unsigned int i = 0; i < r->napps; i++)
		p[n++] = (struct pollfd){ .fd = r->inlets[i].pending.len ? input_fd(r, i) : -1,
					  .events = POLLOUT };
	return n;
}

void clients_react(struct relay *r, const struct pollfd *p, nfds_t n)
{
	if (n == 0)
		return;
	for (int i = 0; i < RELAY_CLIENTS; i++) {
		struct client *c = &r->clients[i];
		struct attach_call call = { .version = 0 };

		if (!p[1 + i].revents || c->fd < 0 || c->fd != p[1 + i].fd)
			continue;
		if (p[1 + i].revents & POLLOUT)
			client_flush(c);
		if (c->fd < 0 || !(p[1 + i].revents & ~POLLOUT))
			continue;
		if (c->bits || c->closing)
			take_frame(r, c);
		else
			take_call(r, c, &call, recv(c->fd, &call, sizeof(call), MSG_DONTWAIT));
	}
	for (unsigned int i = 0; i < r->napps; i++) {
		if (p[1 + RELAY_CLIENTS + i].revents)
			input_flush(r, i);
	}
	if (p[0].revents)
		take_client(r);
}
