/*
 * nlsock — one question to the kernel by netlink(7), and all of its answer.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "base/err.h"

#define NL_REQUEST_MAX 512
#define NL_ANSWER_MAX  32768

struct nlsock {
	struct mnl_socket *nl; /* of the namespace that the caller was in when it was opened */
	uint32_t seq;
};

/* @bus: NETLINK_ROUTE, NETLINK_NETFILTER. */
int nl_open(struct nlsock *s, int bus, struct err *e);
void nl_done(struct nlsock *s);

/* Room for one request of @type with @family in its first byte; @size that of the header of its kind. */
struct nl_request {
	uint64_t room[NL_REQUEST_MAX / 8];
};
struct nlmsghdr *nl_request(struct nl_request *q, uint16_t type, uint16_t flags, int family, size_t size);
/* Send @m, and give every part of the answer to @each until the end; once more when it was not of one moment.  The request
 * must be a dump or ask for an acknowledgement.  @what for the error; an answer of the kernel's is -errno. */
int nl_ask(struct nlsock *s, struct nlmsghdr *m, mnl_cb_t each, void *data, const char *what, struct err *e);
