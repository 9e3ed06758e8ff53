/*
 * sysctls — parameters of the network namespace that the caller is in (/proc/sys/net shows those of whoever opens a file).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* @path below /proc/sys/net, "ipv4/ip_forward".  Writes only what is not so already; 0 or -errno. */
int sysctl_put(const char *path, const char *value);
/* "accept_ra" of one interface: /proc/sys/net/ipv6/conf/IFNAME/accept_ra.  A kernel without IPv6 has none: success. */
int sysctl_put_ipv6(const char *ifname, const char *name, const char *value, struct err *e);

/* Does this machine do IPv6 on new interfaces? */
bool sysctl_have_ipv6(void);
/* Forward packets of @family.  A host that configures itself by router advertisements goes on doing so: accept_ra of its interfaces
 * becomes 2 where it was 1, before IPv6 forwarding is turned on.  What is on already is left alone. */
int sysctl_forward(int family, struct err *e);
