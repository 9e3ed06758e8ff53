/*
 * networks — for `rkt net`: which networks there are, which pods are in them, and the calls to a stage1 about them
 * (stage1/CONTRACT.md, CONTRACT_NET).
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "stage0/dirs.h"
#include "stage0/pod.h"
#include "stage0/stage1.h"

/* Where networks are configured; borrowed strings. */
struct net_where {
	const char *local_config, *system_config;
	bool debug;
};

/* Array of the configured networks as objects: name, file (or null), driver, plugins, subnets, ipMasq. */
int networks_configured(const struct stage1 *s, const struct datadir *d, const struct net_where *w,
			json_t **ret, struct err *e);
/* Of every running pod each network it is in: array of {uuid, netName, ifName, ips}.  What cannot be read is passed over. */
int networks_used(const struct datadir *d, json_t **ret, struct err *e);

/* Ask the pod's stage1 to put back what somebody took out of the host's firewall, and to look whether all is as it was made.
 * @p: running.  A pod without networks of its own: 0. */
int networks_reload(const struct pod *p, const struct net_where *w, struct err *e);
/* Take away what pods have left of @name, and its file if the administrator made it.  Only when no pod uses it. */
int networks_remove(const struct stage1 *s, const struct datadir *d, const struct net_where *w,
		    const char *name, struct err *e);
