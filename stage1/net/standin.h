/*
 * standin — a network namespace like one that is gone.
 *
 * Plugins bridge and ptp learn the addresses whose masquerading they take out of the firewall from the interface inside of the pod; without
 * its namespace their DEL says success and leaves the rules.  So after a crash they are shown one with that interface.
 */
#pragma once

#include "base/err.h"
#include "stage1/net/attachment.h"

/* A new namespace with @a->ifname and the addresses of its answer; descriptor. */
int standin_make(const struct attachment *a, struct err *e);
