/*
 * conntrack — flows that the kernel remembers.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "stage1/net/nlsock.h"
#include "stage1/net/result.h"

/*
 * Forget the flows that begin or end at one of the addresses of a pod that is gone: a remembered flow goes on being translated
 * whatever the rules say now, which datagrams notice, since nothing ends their flows but silence.  @s is a socket of
 * NETLINK_NETFILTER.  A kernel that remembers nothing has nothing to forget: success.
 */
int conntrack_forget(struct nlsock *s, const struct net_result *gone, struct err *e);
