/*
 * twins — has a plugin given an address that another pod has?  (threats.md T47)
 */
#pragma once

#include "base/err.h"
#include "stage1/net/attachment.h"

/* -EADDRINUSE: a pod beside ours is in the same network and has one of the addresses in @a->result, which pod.  What cannot be read of others
 * is passed over. */
int twins_check(const struct net_pod *p, const struct attachment *a, struct err *e);
