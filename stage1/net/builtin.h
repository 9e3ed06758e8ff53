/*
 * builtin — what the built-in driver reads from a configuration and writes into an answer.
 *
 * Keys of a plugin of type NET_TYPE_BUILTIN: "subnets" (["172.16.28.0/24", "fd72::/64"], at most one of each family), "ipMasq",
 * "defaultRoute", "mtu", "dns" (copied to the answer).  Arguments of --net: IP, IP6, MAC.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stage1/net/attachment.h"
#include "stage1/net/result.h"
#include "stage1/net/rtnl.h"

struct builtin_plan {
	struct net_addr subnet[2], wanted[2]; /* those of families that this machine has */
	bool has_wanted[2];
	size_t n;
	bool default_route, has_mac;
	uint8_t mac[6];
	uint32_t mtu; /* 0: the kernel's */
};

/* -EINVAL: malformed, with the key at fault; an argument that is none of ours; an address of a family that the network does not have. */
int builtin_plan_of(const struct attachment *a, struct builtin_plan *ret, struct err *e);

/* An answer as CNI 1.0.0 has it; @pod: addresses with their gateways, @t->n of them.  The caller owns it. */
json_t *builtin_answer(const struct net_pod *p, const struct attachment *a, const struct builtin_plan *t,
		       const struct net_addr *pod, const struct rtnl_link *outer,
		       const struct rtnl_link *inner);

/* Back from the answer. */
struct builtin_made {
	char name[IFNAMSIZ]; /* the host's end */
	struct net_addr v[2];
	size_t n;
};
int builtin_made_of(const struct attachment *a, struct builtin_made *ret, struct err *e);
