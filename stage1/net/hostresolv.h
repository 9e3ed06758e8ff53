/*
 * hostresolv — the host's own name servers, for pods that can reach them (resolv.conf(5)).
 */
#pragma once

#include "base/buf.h"

/*
 * Append what /etc/resolv.conf of the host says, as a resolv.conf for a pod with a network of its own: servers on a loopback
 * address or on one link of the host are left out.  Where nothing but such is there, the file counts that systemd-resolved
 * keeps for this purpose, /run/systemd/resolve/resolv.conf (systemd-resolved.service(8)).  Without any server that is left
 * nothing is appended: a search list alone would send the pod's resolver to itself.
 */
void hostresolv_read(struct buf *out);

/* The same of the text of one file; @text is cut into lines. */
void hostresolv_filter(char *text, struct buf *out);
