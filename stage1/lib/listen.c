/* listen — see listen.h. */
#include "stage1/lib/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/strv.h"
#include "stage1/lib/sandbox.h"

#define FIRST 3

/* How many there are for us; a wrong LISTEN_PID is what a shell inherited from somebody else's start. */
static int count(uint32_t *ret, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	uint32_t p = 0;

	*ret = 0;
	if (!pid || !n || parse_u32(pid, &p) < 0 || (pid_t)p != getpid())
		return 0;
	if (parse_u32(n, ret) < 0 || *ret > PLAN_LISTEN_MAX)
		return err_set(e, ERR_INPUT, EINVAL, "LISTEN_FDS=%.20s: not a number up to %u", n,
			       PLAN_LISTEN_MAX);
	return 0;
}

/* The port that a socket is bound to, 0 for others than IP. */
static uint32_t port_of(int fd)
{
	struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return 0;
	if (a.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)&a)->sin_port);
	return a.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)&a)->sin6_port)
				       : 0;
}

static bool takes(const struct app *a, uint32_t port)
{
	for (size_t i = 0; i < a->ports.n; i++) {
		const struct port *p = &a->ports.v[i];

		if (p->socket_activated && port >= p->port && port - p->port < p->count)
			return true;
	}
	return false;
}

static struct app_build *taker(const struct sandbox *s, int fd)
{
	uint32_t port = s->ctx->napps > 1 ? port_of(fd) : 0;

	for (size_t i = 0; i < s->ctx->napps; i++) {
		if (s->ctx->napps == 1 || (port && takes(s->ctx->apps[i].app, port)))
			return &s->apps[i];
	}
	return NULL;
}

static void add_name(struct listen_fds *l, const char *name)
{
	char *joined = l->names ? xasprintf("%s:%s", l->names, name) : xstrdup(name);

	free(l->names);
	l->names = joined;
}

int listen_share(struct sandbox *s, struct err *e)
{
	const char *text = getenv("LISTEN_FDNAMES");
	uint32_t n = 0;
	int r = count(&n, e);
	auto_strv names = n && text ? strv_split(text, ':') : NULL;

	for (uint32_t i = 0; i < n && r == 0; i++) {
		int fd = FIRST + (int)i;
		struct app_build *a = taker(s, fd);

		if (!a)
			return err_set(
				e, ERR_INPUT, EINVAL,
				"socket %d of LISTEN_FDS: no app has a socketActivated port of its number",
				fd);
		if (fd_set_cloexec(fd, true) < 0)
			return err_sys(e, errno, "socket %d of LISTEN_FDS", fd);
		a->listen.fd[a->listen.n++] = fd;
		if (names)
			add_name(&a->listen, i < strv_len(names) ? names[i] : "unknown");
	}
	return r;
}

void listen_hand_over(struct sandbox *s)
{
	for (size_t i = 0; i < s->ctx->napps; i++) {
		for (uint32_t k = 0; k < s->apps[i].listen.n; k++)
			fd_close(&s->apps[i].listen.fd[k]);
	}
}
