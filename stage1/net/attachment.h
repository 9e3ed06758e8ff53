/*
 * attachment — one network that one pod is in, and the two ways to get there.
 *
 * A pod's attachments are eth0, eth1, … in the order of the networks' configuration files.  Each is made by a
 * driver: "cni" asks plugins, "builtin" does the work itself (the table is in stage1/net/README.md).  Whatever a driver
 * makes must be found again by del from the attachment alone, since the process that made it may be dead.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/uuid.h"
#include "stage1/net/confs.h"

/* The pod as drivers see it. */
struct net_pod {
	char uuid[UUID_LEN + 1];
	int pod_fd;     /* the pod directory */
	int netns_fd;   /* its network namespace, or FD_NONE when that is gone */
	char netns[32]; /* a path of the same for plugins, "/proc/PID/fd/N"; "" when it is gone */
	char **path;    /* directories of plugins, after that of the configuration file */
};

struct attachment {
	char ifname[IFNAMSIZ]; /* inside the pod */
	char *args;            /* of --net=NAME:ARGS, "K=V;K=V"; "" when none */
	struct net_conf *conf; /* owned copy: the configuration may change while the pod runs */
	/* Values for capabilities that plugins declare: portMappings, ips, mac, bandwidth (formats.md section 15.4).
	 * An object, maybe empty. */
	json_t *runtime;
	/* Answer of the network in the shape of CNI, version conf->version; "builtin" answers as CNI 1.0.0 does.  NULL
	 * until the network is up. */
	json_t *result;
	bool up; /* false: being made, or half made when somebody died */
};

struct net_driver {
	const char *name;
	/* Connect.  Sets ->result.  Undoes itself on failure. */
	int (*add)(const struct net_pod *p, struct attachment *a, struct err *e);
	/* Disconnect.  Works on what add left half made, on what is gone already and without a namespace; 0 then. */
	int (*del)(const struct net_pod *p, const struct attachment *a, struct err *e);
	/* Is everything as add left it?  Needs the namespace. -ENOTSUP: the network cannot tell. */
	int (*check)(const struct net_pod *p, const struct attachment *a, struct err *e);
	/* Put back what somebody took out of the host's firewall or routes (`rkt net reload`). */
	int (*reload)(const struct net_pod *p, const struct attachment *a, struct err *e);
};

extern const struct net_driver net_driver_cni;
extern const struct net_driver net_driver_builtin;

/* The driver of a configuration. */
const struct net_driver *net_driver_of(const struct net_conf *c);

/* Owns everything that is reached from it. */
void attachment_free(struct attachment *a);
