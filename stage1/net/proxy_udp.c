/*
 * proxy_udp — datagrams: one session for each client and the address of ours that it asked.
 *
 * A session is a socket connected to the pod, so that answers find their way back: they leave from the very address that was asked
 * (IP_PKTINFO, IPV6_PKTINFO), since a client takes them from no other.  Senders can be forged, so sessions are few, and those whose client
 * was heard again after an answer are the last to go.
 */
#include "stage1/net/proxy_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/auto.h"

#define DATAGRAMS_A_ROUND 32
#define FRESH_MS          30000
#define ASSURED_MS        120000 /* RFC 4787, REQ-5 */

/* The address of ours that was asked. */
union local {
	struct in_addr v4;
	struct in6_pktinfo v6; /* the interface only where addresses mean nothing without one */
};

struct session {
	struct corpse corpse;
	struct watch w; /* towards the pod */
	const struct listener *l;
	union sock_addr client;
	union local local;
	bool answered, assured;
	int64_t last; /* of either side */
	struct session *next;
	TAILQ_ENTRY(session) link;
};

static struct session *of_watch(struct watch *w)
{
	return (struct session *)(void *)((char *)w - offsetof(struct session, w));
}

int udp_prepare(int fd, int family)
{
	const int on = 1;
	int r = family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on))
				  : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));

	return r < 0 ? -errno : 0;
}

void udp_init(struct udp *u)
{
	TAILQ_INIT(&u->fresh);
	TAILQ_INIT(&u->assured);
	if (getrandom(&u->seed, sizeof(u->seed), GRND_NONBLOCK) < 0)
		u->seed = 0;
}

/* ---- the table ---- */

static uint32_t mix(uint32_t h, const void *p, size_t n)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ c[i]) * 16777619u;
	return h;
}

static size_t place_of(const struct udp *u, int family, const union sock_addr *client)
{
	uint32_t h = u->seed ^ 2166136261u;

	if (family == AF_INET) {
		h = mix(h, &client->v4.sin_addr, sizeof(client->v4.sin_addr));
		h = mix(h, &client->v4.sin_port, sizeof(client->v4.sin_port));
	} else {
		h = mix(h, &client->v6.sin6_addr, sizeof(client->v6.sin6_addr));
		h = mix(h, &client->v6.sin6_port, sizeof(client->v6.sin6_port));
	}
	return (h ^ h >> 16) % ARRAY_LEN(u->hash);
}

static bool same_client(int family, const union sock_addr *a, const union sock_addr *b)
{
	if (family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
	       IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

static bool same_local(int family, const union local *a, const union local *b)
{
	if (family == AF_INET)
		return a->v4.s_addr == b->v4.s_addr;
	return a->v6.ipi6_ifindex == b->v6.ipi6_ifindex &&
	       IN6_ARE_ADDR_EQUAL(&a->v6.ipi6_addr, &b->v6.ipi6_addr);
}

static struct session *find(const struct udp *u, const struct listener *l, const union sock_addr *client,
			    const union local *local)
{
	struct session *s = u->hash[place_of(u, l->family, client)];

	while (s && !(s->l == l && same_client(l->family, &s->client, client) &&
		      same_local(l->family, &s->local, local)))
		s = s->next;
	return s;
}

static struct session_list *list_of(struct udp *u, const struct session *s)
{
	return s->assured ? &u->assured : &u->fresh;
}

static void end_session(struct proxy *p, struct session *s)
{
	struct udp *u = &p->udp;
	struct session **at = &u->hash[place_of(u, s->l->family, &s->client)];

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	TAILQ_REMOVE(list_of(u, s), s, link);
	u->n--;
	watch_close(p, &s->w);
	proxy_bury(p, &s->corpse);
}

/* Heard of now: it is the last of its list. */
static void touch(struct proxy *p, struct session *s, bool assured)
{
	TAILQ_REMOVE(list_of(&p->udp, s), s, link);
	s->assured = assured;
	s->last = p->now;
	TAILQ_INSERT_TAIL(list_of(&p->udp, s), s, link);
}

static struct session *oldest(struct udp *u)
{
	struct session *s = TAILQ_FIRST(&u->fresh);

	return s ? s : TAILQ_FIRST(&u->assured);
}

/* ---- from the pod ---- */

static void set_source(struct msghdr *m, const struct session *s)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	memset(m->msg_control, 0, m->msg_controllen);
	if (s->l->family == AF_INET) {
		const struct in_pktinfo info = { .ipi_spec_dst = s->local.v4 };

		m->msg_controllen = CMSG_SPACE(sizeof(info));
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		m->msg_controllen = CMSG_SPACE(sizeof(s->local.v6));
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(s->local.v6));
		memcpy(CMSG_DATA(c), &s->local.v6, sizeof(s->local.v6));
	}
}

static void answer(const struct proxy *p, struct session *s, size_t n)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct iovec iov = { p->buffer, n };
	struct msghdr m = {
		.msg_name = &s->client,
		.msg_namelen = s->l->family == AF_INET ? sizeof(s->client.v4) : sizeof(s->client.v6),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	set_source(&m, s);
	/* What does not fit or has no way is lost, as datagrams are. */
	(void)sendmsg(s->l->w.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void session_ready(struct proxy *p, struct watch *w, uint32_t events)
{
	struct session *s = of_watch(w);

	(void)events;
	for (int i = 0; i < DATAGRAMS_A_ROUND; i++) {
		ssize_t n = recv(w->fd, p->buffer, PROXY_BUFFER_SIZE, MSG_DONTWAIT);

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				end_session(p, s); /* nobody listens there (ECONNREFUSED), or no way */
			return;
		}
		s->answered = true;
		touch(p, s, s->assured);
		answer(p, s, (size_t)n);
	}
}

/* ---- from clients ---- */

static struct session *new_session(struct proxy *p, const struct listener *l, const union sock_addr *client,
				   const union local *local)
{
	struct udp *u = &p->udp;
	struct session *s;
	int fd;

	if (u->n >= u->max && oldest(u))
		end_session(p, oldest(u));
	fd = proxy_connect(l);
	if (fd < 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->w = (struct watch){ .fd = fd, .ready = session_ready };
	s->l = l;
	s->client = *client;
	s->local = *local;
	s->last = p->now;
	s->next = u->hash[place_of(u, l->family, client)];
	u->hash[place_of(u, l->family, client)] = s;
	TAILQ_INSERT_TAIL(&u->fresh, s, link);
	u->n++;
	if (watch_set(p, &s->w, EPOLLIN) == 0)
		return s;
	end_session(p, s);
	return NULL;
}

/* Which address of ours was asked, in the words of an answer? */
static void asked(struct msghdr *m, union local *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ret->v4 = info.ipi_spec_dst;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&ret->v6, CMSG_DATA(c), sizeof(ret->v6));
			if (IN6_IS_ADDR_MULTICAST(&ret->v6.ipi6_addr))
				ret->v6.ipi6_addr = in6addr_any;
			else if (!IN6_IS_ADDR_LINKLOCAL(&ret->v6.ipi6_addr))
				ret->v6.ipi6_ifindex = 0;
		}
	}
}

static void pass_on(struct proxy *p, const struct listener *l, const union sock_addr *client,
		    const union local *local, size_t n)
{
	struct session *s = find(&p->udp, l, client, local);

	if (s)
		touch(p, s, s->answered);
	else
		s = new_session(p, l, client, local);
	/* The error of an earlier datagram, that nobody listens, is told once. */
	if (s && send(s->w.fd, p->buffer, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
		(void)send(s->w.fd, p->buffer, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void udp_receive(struct proxy *p, struct watch *w, uint32_t events)
{
	const struct listener *l = (const struct listener *)(void *)w; /* its first member */

	(void)events;
	for (int i = 0; i < DATAGRAMS_A_ROUND; i++) {
		char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))]
			__attribute__((aligned(__alignof__(struct cmsghdr))));
		union sock_addr client = { .v6 = { .sin6_family = AF_UNSPEC } };
		struct iovec iov = { p->buffer, PROXY_BUFFER_SIZE };
		struct msghdr m = {
			.msg_name = &client,
			.msg_namelen = sizeof(client),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(w->fd, &m, MSG_DONTWAIT);
		union local local;

		if (n < 0)
			return;
		asked(&m, &local);
		pass_on(p, l, &client, &local, (size_t)n);
	}
}

/* ---- time ---- */

static int64_t expire_list(struct proxy *p, struct session_list *list, int64_t limit)
{
	struct session *s;

	while ((s = TAILQ_FIRST(list)) && p->now - s->last >= limit)
		end_session(p, s);
	return s ? s->last + limit - p->now : -1;
}

int64_t udp_expire(struct proxy *p)
{
	int64_t a = expire_list(p, &p->udp.fresh, FRESH_MS), b = expire_list(p, &p->udp.assured, ASSURED_MS);

	return a < 0 || (b >= 0 && b < a) ? b : a;
}
