/*
 * lease — addresses of built-in networks: one file an address, one lock a network.
 *
 * <data>/net/NETWORK/ADDRESS holds "UUID IFNAME"; <data>/net/NETWORK/lock is held while one is chosen, and says which was the last of
 * each family.  A file whose pod does not run any more (its directory in pods/run is not locked) is nobody's and may be taken over: a
 * crash costs no address.  Addresses that the kernel knows a route of its own to are passed over, since another data directory can
 * use the same network.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stage1/net/attachment.h"
#include "stage1/net/result.h"

/* In @subnet (its ->addr is the network, ->prefix its length): @wanted, or the next free one after the last that was given; never
 * the network's own, the gateway's (the first) or the broadcast address.  -EADDRINUSE: @wanted is taken, or the host has a route
 * to all of the subnet; -EADDRNOTAVAIL: outside of the subnet; -ENOSPC: the pool is exhausted. */
int lease_take(const struct net_pod *p, const char *network, const char *ifname,
	       const struct net_addr *subnet, const struct net_addr *wanted, struct net_addr *ret,
	       struct err *e);
/* Give back all of this pod's in @network; none is success. */
int lease_drop(const struct net_pod *p, const char *network, struct err *e);
