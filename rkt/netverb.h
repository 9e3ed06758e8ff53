/*
 * netverb — what the verbs of `rkt net` share.
 */
#pragma once

#include "rkt/cli.h"
#include "rkt/host.h"
#include "stage0/networks.h"
#include "stage0/stage1.h"

struct net_where netverb_where(const struct cli *c);
/* The host, and the stage1 whose networks these are: the installed one.  @h and @s are to be given back also after an error. */
int netverb_open(const struct cli *c, struct host *h, struct stage1 *s, struct err *e);
