/*
 * result — what a network answers: addresses, routes, name servers (formats.md section 15.3).
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct net_addr {
	int family; /* AF_INET, AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} addr, gateway;
	bool has_gateway;
	uint8_t prefix;
};

struct net_result {
	struct net_addr *v; /* those of our interface in the pod, in the order of the answer */
	size_t n;
	/* "dns" */
	char **nameservers, **search, **options;
	char *domain;
	bool way_out; /* a route to everything else, of either family */
};

/* @j: an answer of any version from 0.1.0 to 1.0.0.  Addresses of interfaces that are not @ifname inside the pod are left
 * out.  -EINVAL: malformed, with the member at fault.  The caller frees with net_result_done. */
int net_result_parse(const json_t *j, const char *version, const char *ifname, struct net_result *ret,
		     struct err *e);
void net_result_done(struct net_result *r);

/* First address of @family, or NULL. */
const struct net_addr *net_result_first(const struct net_result *r, int family);

/* "10.1.2.3" into @out (INET6_ADDRSTRLEN). */
const char *net_addr_text(const struct net_addr *a, char *out);
