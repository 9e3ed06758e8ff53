/*
 * resolv — name servers that networks know, as a resolv.conf for the pod.
 */
#pragma once

#include "base/err.h"
#include "stage1/net/record.h"

/* CONTRACT_FILE_RESOLV from the first network whose answer has "dns": 1.  0: none has, nothing was written. */
int resolv_write(const struct net_pod *p, const struct record *r, struct err *e);
