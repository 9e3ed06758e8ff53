/*
 * rtnl — links, addresses and routes of one network namespace, by rtnetlink(7).
 *
 * Changes are collected and sent together by rtnl_commit: one system call, which the kernel works off to its end even if the caller
 * is killed.  Each has a description for the error, which also carries what the kernel says beyond its errno.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stage1/net/nlsock.h"
#include "stage1/net/result.h"

#define RTNL_BATCH_MAX 24
#define RTNL_ALIAS_MAX 64

struct rtnl {
	struct nlsock sock;
	size_t len, n; /* of the batch */
	struct {
		char what[80];
		int tolerated; /* errno that is no failure, or 0 */
	} step[RTNL_BATCH_MAX];
	uint64_t batch[1024];
};

#define auto_rtnl __attribute__((cleanup(rtnl_done))) struct rtnl

int rtnl_open(struct rtnl *r, struct err *e);
void rtnl_done(struct rtnl *r);

struct rtnl_link {
	int index;
	char name[IFNAMSIZ];
	char alias[RTNL_ALIAS_MAX];
	uint8_t mac[6];
	bool up, bridge;
};

/* By name, or by alias when @alias is set (every link is looked at then).  -ENODEV. */
int rtnl_link_find(struct rtnl *r, const char *name, const char *alias, struct rtnl_link *ret, struct err *e);

/* How many interfaces are on the bridge (or below whatever else) of this number; or -errno. */
int rtnl_link_ports(struct rtnl *r, int index, struct err *e);

struct rtnl_veth {
	const char *name, *peer;
	int peer_netns_fd;
	const uint8_t *mac, *peer_mac; /* six bytes, or NULL: the kernel's choice */
	uint32_t mtu;                  /* 0: the kernel's choice */
};

/* The following are sent by rtnl_commit. */
void rtnl_veth_new(struct rtnl *r, const struct rtnl_veth *v);
void rtnl_link_del(struct rtnl *r, int index);
void rtnl_link_up(struct rtnl *r, int index, const char *alias,
		  bool strict_source);                              /* @alias NULL: as it is */
void rtnl_link_rename(struct rtnl *r, int index, const char *name); /* puts it down */
/* @prefix: length on the interface; no route is made of it, no duplicate is looked for. */
void rtnl_addr_add(struct rtnl *r, int index, const struct net_addr *a, uint8_t prefix);

struct rtnl_route {
	int index;
	struct net_addr dst; /* with its length */
	bool via;            /* ->dst.gateway; else on the link */
};
void rtnl_route_add(struct rtnl *r, const struct rtnl_route *t);
/* The change before was not made because of this errno: fine. */
void rtnl_tolerate(struct rtnl *r, int errnum);
/* Send; the first failure is the answer, the others are done nevertheless. */
int rtnl_commit(struct rtnl *r, struct err *e);

/* Is it there?  1, 0 or -errno. */
int rtnl_addr_has(struct rtnl *r, int index, const struct net_addr *a, struct err *e);
int rtnl_route_has(struct rtnl *r, const struct rtnl_route *t, struct err *e);
/* Length of the route that packets to @a would take, 0 when that is the default route or none. */
int rtnl_route_match(struct rtnl *r, const struct net_addr *a, struct err *e);
