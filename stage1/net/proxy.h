/*
 * proxy — published ports by sockets of the host: for connections that no rule of the firewall can carry.
 *
 * Every published port has listening sockets in the host's namespace.  They make the port taken, and they serve who comes from
 * the host itself (127.0.0.1 and ::1 included), from the pod's own network, and everybody where the firewall drops what is
 * forwarded (fw.h): packets to a socket of the host's are not forwarded.  The app then sees the host's side of its own
 * network as the peer, never 127.0.0.1 (threats.md R30).
 */
#pragma once

#include "base/err.h"
#include "stage1/net/ports.h"
#include "stage1/net/result.h"

struct proxy; /* the sockets */

/* Bind and listen on everything, or on nothing: `port 8080/tcp: Address already in use` (-EADDRINUSE).  A machine without IPv6 has
 * only the others.  The caller frees. */
struct proxy *proxy_bind(const struct port_maps *l, struct err *e);
void proxy_free(struct proxy *p);

/* Serve for ever, towards the pod's addresses in @to (a connection of one family goes to an address of the same family, or
 * to the other one where there is none).  Gives up every privilege first; never returns but for a failure to do that. */
int proxy_serve(struct proxy *p, const struct net_result *to, struct err *e);
