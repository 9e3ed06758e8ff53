/*
 * proxy_parts — what the files of proxy share; proxy.h is the interface.
 *
 * One thread, one epoll set, level-triggered.  What an event points at is a struct watch; it is in the set only while it asks
 * for something, because the kernel reports an end (EPOLLHUP) of what is in the set for ever, wanted or not.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/err.h"
#include "stage1/net/proxy.h"

#define PROXY_CONNS_MAX    8192
#define PROXY_SESSIONS_MAX 1024
#define PROXY_BUFFER_SIZE  (256u << 10) /* one, for everything: nothing stays in it */

struct watch {
	int fd; /* owned; FD_NONE: closed, events that were on their way are passed over */
	uint32_t events;
	void (*ready)(struct proxy *p, struct watch *w, uint32_t events);
};

/* First member of what is freed only when the events of one round are through. */
struct corpse {
	struct corpse *next;
};

union sock_addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct listener {
	struct watch w;
	struct port_map map;
	int family;         /* AF_INET, AF_INET6 (and of this only) */
	union sock_addr to; /* in the pod */
	socklen_t to_len;
};

TAILQ_HEAD(session_list, session);

struct udp {
	struct session *hash[PROXY_SESSIONS_MAX];
	/* Oldest first: those that are heard of once, and those where both sides have spoken and the client again. */
	struct session_list fresh, assured;
	size_t n, max;
	uint32_t seed; /* clients choose their addresses, so they must not choose the place in the table */
};

struct proxy {
	struct listener *l;
	size_t n;
	int epoll_fd;
	int64_t now; /* CLOCK_MONOTONIC in ms, once a round */
	/* tcp */
	size_t conns, conns_max;
	bool paused;       /* no more connections are accepted for the time being */
	int64_t resume_at; /* when to try again; 0: when a connection ends */
	struct udp udp;
	struct corpse *dead;
	char *buffer; /* PROXY_BUFFER_SIZE */
};

/* Ask for @events from now on; 0: for nothing. */
int watch_set(struct proxy *p, struct watch *w, uint32_t events);
void watch_close(struct proxy *p, struct watch *w);
void proxy_bury(struct proxy *p, struct corpse *c);

/* A non-blocking socket towards the pod, connected or (tcp) connecting; or -errno. */
int proxy_connect(const struct listener *l);

/* proxy_tcp.c */
void tcp_accept(struct proxy *p, struct watch *w, uint32_t events);
void tcp_pause(struct proxy *p, int64_t ms); /* ms 0: until a connection ends */
void tcp_resume(struct proxy *p);

/* proxy_udp.c */
int udp_prepare(int fd, int family);
void udp_init(struct udp *u);
void udp_receive(struct proxy *p, struct watch *w, uint32_t events);
/* End what has been silent for too long; returns ms until the next one may, or -1. */
int64_t udp_expire(struct proxy *p);

/* proxy_jail.c: give up every privilege and every descriptor that is not in @keep, and survive the signals of a terminal. */
int jail_enter(const int *keep, size_t nkeep, struct err *e);
