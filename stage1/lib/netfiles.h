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

/* Once for a pod: check the mode ("resolv=host|stage0|none|default,hosts=host|stage0|default" or NULL) and put
 * the host name into the hosts file that stage0 wrote. */
int netfiles_prepare(const struct podctx *c, struct err *e);
/* Detached mounts for one app, to be attached with volumes_attach. */
int netfiles_open(const struct podctx *c, struct vol_mounts *ret, struct err *e);

/* ---- what networks know about names, when the mode is "default" ---- */

/* May a resolv.conf that came with the networks be an app's? */
bool netfiles_take_resolv(const struct podctx *c);
/* A detached mount of it, for one app. */
int netfiles_resolv(const struct podctx *c, struct err *e);
/* One more mount for volumes_attach; takes @fd. */
void netfiles_add(struct vol_mounts *l, const char *target, int fd, bool read_only);
