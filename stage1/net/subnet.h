/*
 * subnet — arithmetic on addresses of both families.
 *
 * A subnet is a struct net_addr whose ->addr is the network's own address and whose ->prefix its length.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stage1/net/result.h"

/* Bytes of an address of @family, 0 for families that are neither. */
size_t subnet_len(int family);
/* One address without a length, "10.1.2.3"; ->prefix is then that of a single host.  -EINVAL. */
int subnet_parse_addr(const char *s, struct net_addr *ret, struct err *e);
/* "172.16.28.0/24".  -EINVAL also when there is no room for a gateway and a pod, or bits below the length are set. */
int subnet_parse(const char *s, struct net_addr *ret, struct err *e);

bool subnet_same(const struct net_addr *a, const struct net_addr *b);
bool subnet_contains(const struct net_addr *subnet, const struct net_addr *a);
/* Its first address, the gateway's, with the subnet's length. */
void subnet_gateway(const struct net_addr *subnet, struct net_addr *ret);
/* Inside, and not the network's own address, the gateway's or the broadcast address. */
bool subnet_usable(const struct net_addr *subnet, const struct net_addr *a);
/* The usable address after *a, round the end; of an address outside: the first. */
void subnet_next(const struct net_addr *subnet, struct net_addr *a);
/* The network that @a with its length is in. */
void subnet_of(const struct net_addr *a, struct net_addr *ret);
