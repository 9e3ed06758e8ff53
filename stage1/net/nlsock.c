/* nlsock — see nlsock.h. */
#include "stage1/net/nlsock.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/auto.h"

int nl_open(struct nlsock *s, int bus, struct err *e)
{
	int on = 1;

	*s = (struct nlsock){ .nl = mnl_socket_open2(bus, SOCK_CLOEXEC) };
	if (!s->nl || mnl_socket_bind(s->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return err_sys(e, errno, "open a socket to the kernel's networks");
	/* Before Linux 4.12 and 4.20 there is less to be told, and more is sent by dumps. */
	(void)mnl_socket_setsockopt(s->nl, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(s->nl, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return 0;
}

void nl_done(struct nlsock *s)
{
	if (s->nl)
		(void)mnl_socket_close(s->nl);
	s->nl = NULL;
}

struct nlmsghdr *nl_request(struct nl_request *q, uint16_t type, uint16_t flags, int family, size_t size)
{
	*q = (struct nl_request){ { 0 } };
	struct nlmsghdr *m = mnl_nlmsg_put_header(q->room);

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	*(uint8_t *)mnl_nlmsg_put_extra_header(m, size) = (uint8_t)family;
	return m;
}

/* A dump during which something changed says so in every message, and libmnl then stops in the middle of it. */
static bool interrupted(void *answer, ssize_t got)
{
	bool is = false;
	int left = (int)got;

	for (struct nlmsghdr *m = answer; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		is |= m->nlmsg_flags & NLM_F_DUMP_INTR;
		m->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
	return is;
}

int nl_ask(struct nlsock *s, struct nlmsghdr *m, mnl_cb_t each, void *data, const char *what, struct err *e)
{
	auto_free char *answer = xmalloc(NL_ANSWER_MAX);
	unsigned int port = mnl_socket_get_portid(s->nl);

	for (int attempt = 0;; attempt++) {
		bool again = false;
		int n;

		m->nlmsg_seq = ++s->seq;
		if (mnl_socket_sendto(s->nl, m, m->nlmsg_len) < 0)
			return err_sys(e, errno, "%s", what);
		do {
			ssize_t got = mnl_socket_recvfrom(s->nl, answer, NL_ANSWER_MAX);

			again |= got > 0 && interrupted(answer, got);
			n = got < 0 ? -1 : mnl_cb_run(answer, (size_t)got, s->seq, port, each, data);
		} while (n == MNL_CB_OK);
		if (n < 0)
			return err_sys(e, errno, "%s", what);
		if (!again || attempt == 9)
			return 0;
	}
}
