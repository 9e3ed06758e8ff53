/*
 * podsock — sockets in the pod directory, on which the supervisor is spoken to: only root gets there, and no pod sees them.
 */
#pragma once

#include "base/err.h"

/* A listening, non-blocking SOCK_SEQPACKET socket @name (mode 0600) in the working directory, which is the pod's, in the place of one
 * that a crash has left.  Descriptor or -errno. */
int podsock_listen(const char *name, int backlog, struct err *e);
