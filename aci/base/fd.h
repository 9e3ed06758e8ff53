/*
 * fd — whole reads and writes, memfds, keep-lists, descriptors over sockets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

/* Read up to @n bytes, restarting on EINTR and short reads; returns bytes read (< n only at EOF) or
 * -errno. */
ssize_t read_full(int fd, void *p, size_t n);
/* Write all; 0 or -errno. */
int write_full(int fd, const void *p, size_t n);
/* Append everything up to EOF; -EFBIG when more than @max bytes come. */
int fd_read_all(int fd, size_t max, struct buf *out);

/* Set or clear FD_CLOEXEC; 0 or -errno. */
int fd_set_cloexec(int fd, bool on);

/* Close every descriptor >= 3 that is not in @keep[0..n) (close_range(2), Linux 5.9; falls back to
 * /proc/self/fd).  Negative entries are passed over. */
int fd_close_all_but(const int *keep, size_t n);

/* Make sure 0, 1 and 2 are open (on /dev/null if not), before any other descriptor is created. */
int fd_ensure_std(void);

/* memfd with CLOEXEC and sealing allowed; fd or -errno. */
int memfd_new(const char *name);
/* Seal against every change (F_SEAL_SEAL|SHRINK|GROW|WRITE); 0 or -errno. */
int memfd_seal(int fd);

/* One message with up to @nfds descriptors over a unix socket; 0 or -errno. */
int fd_send(int sock, const void *msg, size_t len, const int *fds, size_t nfds);
/* Receive one message of at most @len bytes; received descriptors are CLOEXEC and owned by the
 * caller; *nfds in: room, out: number.  Returns bytes (0 = peer closed) or -errno; -EMSGSIZE when the
 * message or its descriptors were more than there is room for (none is kept then). */
ssize_t fd_recv(int sock, void *msg, size_t len, int *fds, size_t *nfds);
