/*
 * init_control — messages between init and the supervisor; see plan.h for the protocol.
 *
 * The socket is SOCK_SEQPACKET: one datagram a message.  Init never blocks on it: what does not fit waits
 * in a queue that is large enough for all that a pod can ever say.
 */
#include "stage2/init.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "stage2/sys.h"

static bool send_one(const struct plan_msg *m)
{
	/* Errors other than a full socket mean that the supervisor is gone, which the loop notices by itself. */
	return send(PLAN_FD_CONTROL, m, sizeof(*m), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

void control_flush(struct pod *p)
{
	while (p->queue_from < p->queue_to && send_one(&p->queue[p->queue_from]))
		p->queue_from++;
}

void control_send(struct pod *p, uint32_t type, int32_t app, int32_t value, int32_t code, const char *text)
{
	struct plan_msg m = { .type = type, .app = app, .value = value, .code = code };

	if (p->gone)
		return;
	if (text)
		(void)text_put(m.text, sizeof(m.text), 0, text);
	control_flush(p);
	if (p->queue_from == p->queue_to && send_one(&m))
		return;
	if (p->queue_to < QUEUE_MAX)
		p->queue[p->queue_to++] = m;
}

void control_receive(struct pod *p)
{
	struct plan_msg m;

	/* MSG_TRUNC: the true length, so that a message of another build is seen as such and dropped. */
	if (recv(PLAN_FD_CONTROL, &m, sizeof(m), MSG_DONTWAIT | MSG_TRUNC) != (ssize_t)sizeof(m))
		return;
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
	default:
		break;
	}
}
