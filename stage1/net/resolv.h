/*
 * resolv — name servers that networks know, as a resolv.conf for the pod.
 */
#pragma once

#include "base/err.h"
#include "stage1/net/answer.h"
#include "stage1/net/record.h"

/*
 * CONTRACT_FILE_RESOLV from the first network whose answer has "dns".  Where none has and some network has a way out,
 * CONTRACT_FILE_RESOLV_HOST from the host's own file.  @ret says which of them was written, if any.
 */
int resolv_write(const struct net_pod *p, const struct record *r, enum net_resolv *ret, struct err *e);
