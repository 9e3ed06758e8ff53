/*
 * netfiles — /etc/resolv.conf and /etc/hosts as --dns-conf-mode asks for them (internals.md section 5.9).
 *
 * They are mounts over the app's files, after its volumes: what the user said on the command line goes above a
 * volume, and a volume above the image.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage1/lib/podctx.h"
#include "stage1/lib/volumes.h"
#include "stage1/net/answer.h"

/* Once for a pod: check the mode ("resolv=host|stage0|none|default,hosts=host|stage0|default" or NULL) and put
 * the host name into the hosts file that stage0 wrote. */
int netfiles_prepare(const struct podctx *c, struct err *e);
/*
 * Detached mounts for one app, to be attached with volumes_attach.  @vols: its volumes; @host_net: the pod has the host's
 * network, and its name servers with it unless somebody says otherwise.
 */
int netfiles_open(const struct podctx *c, const struct vol_mounts *vols, bool host_net,
		  struct vol_mounts *ret, struct err *e);

/* ---- what networks know about names, when the mode is "default" ---- */

/* May a resolv.conf that came with the networks be an app's? */
bool netfiles_take_resolv(const struct podctx *c);
/* A detached mount of it, for one app; @which is not NET_RESOLV_NONE. */
int netfiles_resolv(const struct podctx *c, enum net_resolv which, struct err *e);
/* Put it among the app's files; takes @fd.  The host's servers are nothing that anybody asked for: they yield to a volume of
 * the app that covers the file (then @fd is closed), and to a file of the image that says anything. */
void netfiles_add_resolv(struct vol_mounts *l, const struct vol_mounts *vols, enum net_resolv which, int fd);
/* One more mount for volumes_attach; takes @fd. */
void netfiles_add(struct vol_mounts *l, const char *target, int fd, bool read_only);
