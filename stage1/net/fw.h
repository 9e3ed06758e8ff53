/*
 * fw — our table of the host's firewall, "inet rkt", and nothing outside of it (threats.md R30, T48, T49).
 *
 * Every rule of a pod has the pod's UUID as its comment.  A change is one transaction of nftables, and the table is deleted with the
 * last rule of the last pod, so that afterwards the firewall is as it was.  Whoever changes it holds fw_lock.
 *
 *	antispoof   what comes in by an interface rkt* with an address of the source that does not lead back there is dropped
 *	publish     what is for an address of the host's own, and a published port, goes to the pod (not what comes from the pod's own
 *	            network, whose answers would not come back this way: those are proxy.h's)
 *	confine     what an isolated network's pod sends goes to its own network or to the host
 *	hide        what leaves a masquerading network has the host's address
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stage1/net/ports.h"
#include "stage1/net/result.h"

struct fw_net {
	const struct net_result *result; /* the pod's addresses in this network */
	bool masquerade;                 /* behind the host's address what leaves it */
	bool ports;    /* published ports lead here; peers everywhere must be reachable from it */
	bool isolated; /* nothing leaves it: a built-in network without a default route */
};

struct fw_pod {
	const char *uuid;
	const struct fw_net *nets;
	size_t nnets;
	const struct port_maps *ports;
};

/*
 * Make our table say this of the pod, whatever it said before.  Published ports get rules (the peers' addresses stay visible to the app) unless
 * somebody else filters what is forwarded; *ret_forwarded tells, and the sockets of proxy.h serve everybody then.
 */
int fw_set(const struct fw_pod *p, bool *ret_forwarded, struct err *e);
/*
 * Take out what is the pod's, and the table if it was the last one; also forget connections that lead to @gone, so that the next pod
 * with these addresses or ports gets its own: where the pod has published ports by rules, or nobody can tell any more.  @gone may be
 * NULL: there are none.  Nothing there is success.
 * @ret_last: descriptor that the caller closes when it has done everything else (FD_NONE on failure), since that waits until the
 * kernel has freed the rules, some ten milliseconds; may be NULL.
 */
int fw_clear(const char *uuid, const struct net_result *gone, int *ret_last, struct err *e);
/* UUIDs that rules of our table mention; strv, the caller frees. */
int fw_pods(char ***ret, struct err *e);

/* The lock that orders everything that pods do to one network namespace of the host; held until the descriptor is closed. */
int fw_lock(struct err *e);
