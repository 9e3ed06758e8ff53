/*
 * record — what a pod's networks are, on disk before they are made.
 *
 * <pod>/net/IFNAME.json is one attachment each: written before anything is asked for, written again with the answer, removed when it was undone.
 * Whoever finds the directory has work to do: `rkt gc` after a crash.  <pod>/net-info.json is for readers: the array of rkt 1.30 with
 * members of ours; it stays when the pod has ended.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "stage1/net/attachment.h"
#include "stage1/net/ports.h"

struct record {
	struct attachment **v; /* eth0 first */
	size_t n;
	struct port_maps ports; /* published by us: proxy.h, fw.h */
};

/* Only one process at a time works on a pod's networks; del waits until an add whose supervisor died is dead, too.  The lock lasts until the
 * descriptor is closed.  -ENOENT: there is no record, or del has just removed it. */
int record_lock(const struct net_pod *p, struct err *e);

int record_save(const struct net_pod *p, const struct attachment *a, struct err *e);
/* Also which ports we publish, once for the pod. */
int record_save_ports(const struct net_pod *p, const struct port_maps *l, struct err *e);
/* Everything of the pod; an absent directory is an empty record.  A damaged file is an error that names it; the others are loaded. */
int record_load(const struct net_pod *p, struct record *ret, struct err *e);
void record_done(struct record *r);
/* One attachment was undone; and all were: the directory goes. */
int record_drop(const struct net_pod *p, const struct attachment *a, struct err *e);
int record_finish(const struct net_pod *p, struct err *e);

/* net-info.json of all attachments that are up. */
int record_tell(const struct net_pod *p, const struct record *r, struct err *e);
