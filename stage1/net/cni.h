/*
 * cni — what the driver "cni" shares with the program.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "stage1/net/confs.h"

/* Arguments of --net=NAME:ARGS that have a meaning beyond CNI_ARGS, into @runtime where a plugin declares the capability: ips, mac,
 * bandwidth.  -EINVAL: a value is malformed. */
int cni_runtime_of_args(const struct net_conf *c, const char *args, json_t *runtime, struct err *e);
