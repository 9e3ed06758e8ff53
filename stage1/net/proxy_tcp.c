/*
 * proxy_tcp — connections: bytes from one socket to the other, in both directions.
 *
 * Nothing is kept: bytes are looked at in the queue of the one socket (MSG_PEEK), offered to the other, and only what that took is taken
 * out of the queue.  So a connection costs two descriptors and a struct, whoever is slow slows only his own peer by the
 * windows of TCP, and the kernel's limits on socket memory are the limits (and in a crowd, smaller ones).
 *
 * An end of one direction is passed on as such (half-close); a reset or an error is passed on as a reset, so that nobody takes a
 * broken connection for a complete one.
 */
#include "stage1/net/proxy_parts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/alloc.h"
#include "base/auto.h"

#define ACCEPTS_A_ROUND 16
#define MOVES_A_ROUND   4   /* buffers in one direction before others have their turn */
#define PAUSE_MS        100 /* when the kernel has no descriptor or memory for us */
#define CROWD                                                                                                \
	256 /* so many connections may have what buffers the kernel finds useful, up to megabytes each */
#define CROWD_BUFFER (32 << 10) /* of all others; the kernel doubles it */

struct conn;

struct side {
	struct watch w;
	struct conn *conn;
	bool eof;     /* all that it sends was passed on, the end too */
	bool blocked; /* it takes no more for now, and the other side has something */
};

struct conn {
	struct corpse corpse;
	struct side side[2]; /* the client, the pod */
	bool connecting;     /* to the pod */
};

/* ---- accepting, and not ---- */

static void set_listeners(struct proxy *p, uint32_t events)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->l[i].map.protocol == IPPROTO_TCP)
			(void)watch_set(p, &p->l[i].w, events);
}

void tcp_pause(struct proxy *p, int64_t ms)
{
	p->resume_at = ms ? p->now + ms : 0;
	if (p->paused)
		return;
	p->paused = true;
	set_listeners(p, 0);
}

void tcp_resume(struct proxy *p)
{
	if (!p->paused || p->conns >= p->conns_max)
		return;
	p->paused = false;
	p->resume_at = 0;
	set_listeners(p, EPOLLIN);
}

/* ---- the end ---- */

static void reset_on_close(int fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void end_conn(struct proxy *p, struct conn *c, bool reset)
{
	for (size_t i = 0; i < ARRAY_LEN(c->side); i++) {
		if (reset && c->side[i].w.fd >= 0)
			reset_on_close(c->side[i].w.fd);
		watch_close(p, &c->side[i].w);
	}
	p->conns--;
	proxy_bury(p, &c->corpse);
	tcp_resume(p);
}

/* ---- bytes ---- */

/* Take @n bytes out of a queue that has them. */
static int discard(int fd, char *buffer, size_t n)
{
	while (n > 0) {
		ssize_t m = recv(fd, buffer, n, MSG_TRUNC | MSG_DONTWAIT);

		if (m <= 0)
			return m < 0 ? -errno : -ECONNRESET;
		n -= (size_t)m;
	}
	return 0;
}

static int move(const struct proxy *p, struct side *from, struct side *to)
{
	for (int round = 0; round < MOVES_A_ROUND; round++) {
		ssize_t sent, n = recv(from->w.fd, p->buffer, PROXY_BUFFER_SIZE, MSG_PEEK | MSG_DONTWAIT);
		int r;

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (n == 0) {
			from->eof = true;
			return shutdown(to->w.fd, SHUT_WR) < 0 ? -errno : 0;
		}
		sent = send(to->w.fd, p->buffer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		to->blocked = sent < n;
		r = sent > 0 ? discard(from->w.fd, p->buffer, (size_t)sent) : 0;
		if (r < 0 || to->blocked || (size_t)n < PROXY_BUFFER_SIZE)
			return r;
	}
	return 0;
}

/* ---- events ---- */

static uint32_t wanted(const struct conn *c, size_t i)
{
	const struct side *s = &c->side[i];
	uint32_t events = s->blocked ? EPOLLOUT : 0;

	if (c->connecting)
		return i == 1 ? EPOLLOUT : 0;
	return !s->eof && !c->side[!i].blocked ? events | EPOLLIN : events;
}

static int ask(struct proxy *p, struct conn *c)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(c->side) && r == 0; i++)
		r = watch_set(p, &c->side[i].w, wanted(c, i));
	return r;
}

static int socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? -errno : -error;
}

static void conn_ready(struct proxy *p, struct watch *w, uint32_t events)
{
	struct side *s = (struct side *)(void *)w; /* its first member */
	struct conn *c = s->conn;
	struct side *other = &c->side[s == &c->side[0]];
	int r = 0;

	if (c->connecting || (events & EPOLLERR))
		r = socket_error(w->fd);
	if (r == 0 && (events & EPOLLERR))
		r = -ECONNRESET;
	if (r == 0 && c->connecting) {
		c->connecting = false;
	} else if (r == 0) {
		if (events & EPOLLOUT) {
			s->blocked = false;
			r = other->eof ? 0 : move(p, other, s);
		}
		if (r == 0 && (events & (EPOLLIN | EPOLLHUP)) && !s->eof && !other->blocked)
			r = move(p, s, other);
	}
	if (r == 0 && !(s->eof && other->eof))
		r = ask(p, c);
	if (r < 0 || (s->eof && other->eof))
		end_conn(p, c, r < 0);
}

static void prepare_client(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* Who vanishes without a word does not keep his place for ever. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* Thousands that send to an app which does not read must not take what all TCP of the machine shares (tcp_mem). */
static void limit_buffers(int fd)
{
	const int size = CROWD_BUFFER;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* Urgent data stay where they are in the stream: what was seen by MSG_PEEK must be what is taken out. */
static void keep_in_line(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
}

static void new_conn(struct proxy *p, const struct listener *l, int fd)
{
	int pod = proxy_connect(l);
	struct conn *c;

	if (pod < 0) {
		reset_on_close(fd);
		(void)close(fd);
		if (pod == -EMFILE || pod == -ENFILE || pod == -ENOBUFS || pod == -ENOMEM)
			tcp_pause(p, PAUSE_MS);
		return;
	}
	prepare_client(fd);
	keep_in_line(fd);
	keep_in_line(pod);
	if (p->conns >= CROWD) {
		limit_buffers(fd);
		limit_buffers(pod);
	}
	c = xcalloc(1, sizeof(*c));
	c->side[0] = (struct side){ .w = { .fd = fd, .ready = conn_ready }, .conn = c };
	c->side[1] = (struct side){ .w = { .fd = pod, .ready = conn_ready }, .conn = c };
	c->connecting = true;
	p->conns++;
	if (ask(p, c) < 0)
		end_conn(p, c, true);
}

void tcp_accept(struct proxy *p, struct watch *w, uint32_t events)
{
	const struct listener *l = (const struct listener *)(void *)w; /* its first member */

	(void)events;
	for (int i = 0; i < ACCEPTS_A_ROUND && !p->paused; i++) {
		int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			new_conn(p, l, fd);
		else if (errno == EAGAIN)
			return;
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			tcp_pause(p, PAUSE_MS);
		if (p->conns >= p->conns_max)
			tcp_pause(p, 0); /* the others wait in the kernel's queue */
	}
}
