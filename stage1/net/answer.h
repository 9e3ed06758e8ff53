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

struct net_answer {
	bool serves;    /* it stays and serves published ports, until it is killed; else it ends by itself */
	bool resolv;    /* etc/rkt-resolv.conf was written: some network knows name servers */
	struct err err; /* code 0: the networks are up */
};
