/*
 * proxy — see proxy.h: the sockets, and the loop.
 *
 * "Every address" is two sockets, one a family, so that no IPv4 client appears in IPv6 clothes.
 */
#include "stage1/net/proxy_parts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/ticks.h"

#define EVENTS_MAX  128
#define FDS_OF_OURS 16 /* beside the sockets: epoll, 0 to 2, some air */
#define SYN_TRIES   4  /* a pod that says nothing is given up after half a minute */

/* ---- bind ---- */

static socklen_t set_addr(union sock_addr *a, int family, const void *addr, uint16_t port)
{
	*a = (union sock_addr){ .v6 = { .sin6_family = AF_UNSPEC } };
	if (family == AF_INET) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		if (addr)
			memcpy(&a->v4.sin_addr, addr, sizeof(a->v4.sin_addr));
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	if (addr)
		memcpy(&a->v6.sin6_addr, addr, sizeof(a->v6.sin6_addr));
	return sizeof(a->v6);
}

/* Only a listening socket may be succeeded by another while old connections linger: with SO_REUSEADDR two UDP sockets
 * would share one port, and the later one get it all. */
static int prepare(int fd, int family, int protocol)
{
	const int on = 1;

	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (protocol == IPPROTO_UDP)
		return udp_prepare(fd, family);
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int listen_on(const struct port_map *m, int family)
{
	bool tcp = m->protocol == IPPROTO_TCP;
	union sock_addr a;
	socklen_t len = set_addr(&a, family, m->family == AF_UNSPEC ? NULL : (const void *)&m->host,
				 m->host_port);
	auto_close int fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   m->protocol);
	int r;

	if (fd < 0)
		return -errno;
	r = prepare(fd, family, m->protocol);
	if (r < 0)
		return r;
	if (bind(fd, &a.sa, len) < 0 || (tcp && listen(fd, SOMAXCONN) < 0))
		return -errno;
	return steal_fd(&fd);
}

static void add_listener(struct proxy *p, const struct port_map *m, int family, int fd)
{
	p->l = xreallocarray(p->l, p->n + 1, sizeof(p->l[0]));
	p->l[p->n++] = (struct listener){
		.w = { .fd = fd, .ready = m->protocol == IPPROTO_TCP ? tcp_accept : udp_receive },
		.map = *m,
		.family = family,
	};
}

static int bind_map(struct proxy *p, const struct port_map *m, struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		char text[PORT_MAP_TEXT_MAX];
		int fd;

		if (m->family != AF_UNSPEC && m->family != families[i])
			continue;
		fd = listen_on(m, families[i]);
		if (fd == -EAFNOSUPPORT && m->family == AF_UNSPEC)
			continue; /* a machine without this family */
		if (fd < 0)
			return err_sys(e, -fd, "port %s", port_map_text(m, text));
		add_listener(p, m, families[i], fd);
	}
	return 0;
}

/* At most @wanted descriptors, or as many as are allowed. */
static size_t allow_fds(size_t wanted)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 1024;
	if (l.rlim_cur >= wanted)
		return wanted;
	if (l.rlim_max >= wanted || setrlimit(RLIMIT_NOFILE, &(const struct rlimit){ wanted, wanted }) < 0) {
		l.rlim_cur = l.rlim_max < wanted ? l.rlim_max : wanted;
		(void)setrlimit(RLIMIT_NOFILE, &l);
		(void)getrlimit(RLIMIT_NOFILE, &l);
		return l.rlim_cur;
	}
	return wanted;
}

struct proxy *proxy_bind(const struct port_maps *l, struct err *e)
{
	struct proxy *p = xcalloc(1, sizeof(*p));

	p->epoll_fd = FD_NONE;
	if (l->n > 256) /* whole ranges: more than what a shell usually allows */
		(void)allow_fds(2 * l->n + 256);
	for (size_t i = 0; i < l->n; i++) {
		if (bind_map(p, &l->v[i], e) < 0) {
			proxy_free(p);
			return NULL;
		}
	}
	return p;
}

void proxy_free(struct proxy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		fd_close(&p->l[i].w.fd);
	fd_close(&p->epoll_fd);
	free(p->l);
	free(p->buffer);
	free(p);
}

/* ---- watches ---- */

int watch_set(struct proxy *p, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };
	int op = !w->events ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

	if (w->events == events)
		return 0;
	if (epoll_ctl(p->epoll_fd, op, w->fd, &ev) < 0)
		return -errno;
	w->events = events;
	return 0;
}

void watch_close(struct proxy *p, struct watch *w)
{
	if (w->fd >= 0)
		(void)watch_set(p, w, 0);
	fd_close(&w->fd);
}

void proxy_bury(struct proxy *p, struct corpse *c)
{
	c->next = p->dead;
	p->dead = c;
}

static void free_dead(struct proxy *p)
{
	while (p->dead) {
		struct corpse *c = p->dead;

		p->dead = c->next;
		free(c);
	}
}

int proxy_connect(const struct listener *l)
{
	const int on = 1, tries = SYN_TRIES;
	bool tcp = l->map.protocol == IPPROTO_TCP;
	auto_close int fd = socket(l->to.sa.sa_family,
				   (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   l->map.protocol);

	if (fd < 0)
		return -errno;
	if (tcp) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		(void)setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof(tries));
	}
	if (connect(fd, &l->to.sa, l->to_len) < 0 && errno != EINPROGRESS)
		return -errno;
	return steal_fd(&fd);
}

/* ---- serve ---- */

static const struct net_addr *first_of(const struct net_result *to, int family)
{
	for (size_t i = 0; i < to->n; i++)
		if (to->v[i].family == family)
			return &to->v[i];
	return NULL;
}

/* Where do the connections of each listener go? */
static int aim(struct proxy *p, const struct net_result *to, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		struct listener *l = &p->l[i];
		const struct net_addr *a = first_of(to, l->family);

		if (!a)
			a = first_of(to, l->family == AF_INET ? AF_INET6 : AF_INET);
		if (!a)
			return err_set(e, ERR_STATE, EADDRNOTAVAIL, "the pod has no address");
		l->to_len = set_addr(&l->to, a->family, &a->addr, l->map.pod_port);
	}
	return 0;
}

/* Each connection has two sockets, each session of UDP one; everything that was allowed is shared out. */
static void share_out(struct proxy *p)
{
	size_t fixed = FDS_OF_OURS + p->n;
	size_t n = allow_fds(fixed + 2 * (size_t)PROXY_CONNS_MAX + PROXY_SESSIONS_MAX);

	n = n > fixed + 8 ? n - fixed : 8;
	p->udp.max = n / 4 < PROXY_SESSIONS_MAX ? n / 4 : PROXY_SESSIONS_MAX;
	p->conns_max = (n - p->udp.max) / 2;
	if (p->conns_max > PROXY_CONNS_MAX)
		p->conns_max = PROXY_CONNS_MAX;
}

static int enter_jail(const struct proxy *p, struct err *e)
{
	auto_free int *keep = xcalloc(p->n + 1, sizeof(*keep));

	for (size_t i = 0; i < p->n; i++)
		keep[i] = p->l[i].w.fd;
	keep[p->n] = p->epoll_fd;
	return jail_enter(keep, p->n + 1, e);
}

/* How long until something has to be done without an event; -1: for ever. */
static int next_timeout(struct proxy *p)
{
	int64_t ms = udp_expire(p);

	if (p->paused && p->resume_at) {
		int64_t wait = p->resume_at > p->now ? p->resume_at - p->now : 0;

		if (wait == 0)
			tcp_resume(p);
		else if (ms < 0 || wait < ms)
			ms = wait;
	}
	return (int)ms;
}

static int run_loop(struct proxy *p, struct err *e)
{
	for (;;) {
		struct epoll_event ev[EVENTS_MAX];
		int n;

		p->now = ticks_ms();
		n = epoll_wait(p->epoll_fd, ev, EVENTS_MAX, next_timeout(p));
		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "wait for connections");
		p->now = ticks_ms();
		for (int i = 0; i < n; i++) {
			struct watch *w = ev[i].data.ptr;

			if (w->fd >= 0)
				w->ready(p, w, ev[i].events);
		}
		free_dead(p);
	}
}

int proxy_serve(struct proxy *p, const struct net_result *to, struct err *e)
{
	int r = aim(p, to, e);

	if (r < 0)
		return r;
	p->buffer = xmalloc(PROXY_BUFFER_SIZE);
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll_fd < 0)
		return err_sys(e, errno, "make an epoll set");
	udp_init(&p->udp);
	share_out(p);
	for (size_t i = 0; i < p->n; i++) {
		r = watch_set(p, &p->l[i].w, EPOLLIN);
		if (r < 0)
			return err_sys(e, -r, "watch a socket");
	}
	r = enter_jail(p, e);
	return r < 0 ? r : run_loop(p, e);
}
