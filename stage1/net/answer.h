/*
 * answer — the one message of `net add` to the supervisor, over a socket of its own.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage1/contract.h"

#define NET_FD_NETNS                                                                                         \
	CONTRACT_NET_FD /* of the program net: the pod's network namespace; not open when that is gone */
#define NET_FD_ANSWER 4 /* of `net add`: SOCK_SEQPACKET */

/* What was written about name servers. */
enum net_resolv {
	NET_RESOLV_NONE,
	NET_RESOLV_NETWORK, /* CONTRACT_FILE_RESOLV: some network knows them */
	NET_RESOLV_HOST,    /* CONTRACT_FILE_RESOLV_HOST: none does, and the host's can be reached */
};

struct net_answer {
	bool serves; /* it stays and serves published ports, until it is killed; else it ends by itself */
	enum net_resolv resolv;
	struct err err; /* code 0: the networks are up */
};
