/*
 * init_control — messages between init and the supervisor; see plan.h for the protocol.
 *
 * The socket is SOCK_SEQPACKET: a datagram is one message, or what waited with it.  Init never blocks on it: what does not fit waits
 * in a queue that is large enough for all that a pod can ever say.
 */
#include "stage2/init.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "stage2/sys.h"

static bool send_some(const struct plan_msg *m, uint32_t n)
{
	/* Errors other than a full socket mean that the supervisor is gone, which the loop notices by itself. */
	return send(PLAN_FD_CONTROL, m, n * sizeof(*m), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

void control_flush(struct pod *p)
{
	while (p->queue_from < p->queue_to) {
		uint32_t n = p->queue_to - p->queue_from;

		n = n < PLAN_MSGS_MAX ? n : PLAN_MSGS_MAX;
		if (!send_some(&p->queue[p->queue_from], n))
			break;
		p->queue_from += n;
	}
	if (p->queue_from == p->queue_to)
		p->queue_from = p->queue_to = 0;
}

void control_put(struct pod *p, uint32_t type, int32_t app, int32_t value, int32_t code)
{
	if (!p->gone && p->queue_to < QUEUE_MAX)
		p->queue[p->queue_to++] =
			(struct plan_msg){ .type = type, .app = app, .value = value, .code = code };
}

void control_send(struct pod *p, uint32_t type, int32_t app, int32_t value, int32_t code, const char *text)
{
	struct plan_msg m = { .type = type, .app = app, .value = value, .code = code };

	if (p->gone)
		return;
	if (text)
		(void)text_put(m.text, sizeof(m.text), 0, text);
	if (p->queue_to < QUEUE_MAX)
		p->queue[p->queue_to++] = m;
	control_flush(p);
}

/* One message, and the *n descriptors that came with it; false if it is not one of ours. */
static bool receive_one(struct plan_msg *m, int fds[START_FDS], uint32_t *n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(START_FDS * sizeof(int))];
	} c;
	struct iovec v = { m, sizeof(*m) };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	/* MSG_TRUNC: the true length, so that a message of another build is seen as such and dropped. */
	ssize_t len = recvmsg(PLAN_FD_CONTROL, &h, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *first = len < 0 ? NULL : CMSG_FIRSTHDR(&h);

	*n = 0;
	if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS) {
		*n = (uint32_t)((first->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(first), *n * sizeof(int));
	}
	/* more descriptors than there is room for: the kernel has closed the rest */
	return len == (ssize_t)sizeof(*m) && !(h.msg_flags & MSG_CTRUNC);
}

static bool is_slot(const struct pod *p, int32_t app)
{
	return p->is_mutable && app >= 0 && app < (int32_t)p->napps;
}

void control_receive(struct pod *p)
{
	struct plan_msg m = { .type = 0 };
	int fds[START_FDS];
	uint32_t n = 0;

	if (!receive_one(&m, fds, &n))
		m.type = 0;
	switch (m.type) {
	case MSG_GO:
		if (p->phase == POD_WAIT)
			apps_start(p);
		break;
	case MSG_STOP:
		apps_stop(p);
		break;
	case MSG_SIGNAL:
		if (m.value > 0 && m.value <= SIGRTMAX)
			apps_signal(p, m.value);
		break;
	case MSG_APP_START:
		if (is_slot(p, m.app)) {
			mutable_start(p, (uint32_t)m.app, fds, n);
			n = 0;
		}
		break;
	case MSG_APP_STOP:
		if (is_slot(p, m.app))
			mutable_stop(p, (uint32_t)m.app);
		break;
	default:
		break;
	}
	while (n > 0)
		(void)close(fds[--n]);
}
