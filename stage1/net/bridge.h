/*
 * bridge — what the CNI plugin of that name leaves: a bridge that pods once were on.
 */
#pragma once

#include "base/err.h"
#include "stage1/net/confs.h"

/* Remove the bridges of @c's plugins.  None there is success; -EBUSY: something else is on one. */
int bridge_remove(const struct net_conf *c, struct err *e);
