/*
 * peersay — tells its peers who they are, for tests of networks; static, so that it runs in pods too.
 *
 *   peersay PORT                    serve TCP and UDP on every address: "peer=ADDRESS\n", then TCP peers get back what they send
 *   peersay ADDRESS PORT [udp] ...  connect, send the words, print what comes within PEERSAY_SECONDS (5); status 0 if anything came
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_ms(void)
{
	const char *s = getenv("PEERSAY_SECONDS");

	return 1000 * (s ? (int)strtol(s, NULL, 10) : 5);
}

static const char *text_of(const struct sockaddr_in6 *a, char *out)
{
	if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr))
		return inet_ntop(AF_INET, &a->sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, &a->sin6_addr, out, INET6_ADDRSTRLEN);
}

static int listen_on(int type, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int off = 0, on = 1, s = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (s < 0 || setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 || (type == SOCK_STREAM && listen(s, 128) < 0)) {
		perror("peersay: listen");
		_exit(1);
	}
	return s;
}

static void serve_stream(int s)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);
	char text[INET6_ADDRSTRLEN], buf[65536];
	int c = accept4(s, (struct sockaddr *)&a, &len, SOCK_CLOEXEC);
	ssize_t n;

	if (c < 0 || fork() != 0) {
		if (c >= 0)
			(void)close(c);
		return;
	}
	if (dprintf(c, "peer=%s\n", text_of(&a, text)) < 0)
		_exit(1);
	while ((n = read(c, buf, sizeof(buf))) > 0)
		if (write(c, buf, (size_t)n) != n)
			_exit(1);
	_exit(0);
}

static void serve_datagram(int s)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);
	char text[INET6_ADDRSTRLEN], buf[2048], out[2200];
	ssize_t n = recvfrom(s, buf, sizeof(buf) - 1, 0, (struct sockaddr *)&a, &len);

	if (n < 0)
		return;
	buf[n] = '\0';
	int m = snprintf(out, sizeof(out), "peer=%s\n%s", text_of(&a, text), buf);
	(void)sendto(s, out, (size_t)m, 0, (struct sockaddr *)&a, len);
}

static int serve(int port)
{
	struct pollfd p[] = { { .fd = listen_on(SOCK_STREAM, port), .events = POLLIN },
			      { .fd = listen_on(SOCK_DGRAM, port), .events = POLLIN } };

	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return 1;
		if (p[0].revents)
			serve_stream(p[0].fd);
		if (p[1].revents)
			serve_datagram(p[1].fd);
	}
}

static int connected(const char *host, const char *port, int type)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = v4.sin_port };
	struct timeval limit = { .tv_sec = wait_ms() / 1000 };
	bool four = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
	const struct sockaddr *a = four ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;

	if (!four && inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
		return -1;
	int s = socket(a->sa_family, type, 0);
	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(s, a, four ? sizeof(v4) : sizeof(v6)) < 0) {
		perror("peersay: connect");
		return -1;
	}
	return s;
}

static int ask(char **argv)
{
	int type = argv[3] && strcmp(argv[3], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	int s = connected(argv[1], argv[2], type);
	struct pollfd p = { .fd = s, .events = POLLIN };
	char buf[65536];
	ssize_t n = 0, total = 0;

	if (s < 0)
		return 1;
	for (char **w = argv + (type == SOCK_DGRAM ? 4 : 3); *w; w++)
		if (dprintf(s, "%s\n", *w) < 0)
			return 1;
	if (type == SOCK_DGRAM && !argv[4] && send(s, "", 0, 0) < 0)
		return 1;
	if (type == SOCK_STREAM)
		(void)shutdown(s, SHUT_WR);
	while (poll(&p, 1, wait_ms()) > 0 && (n = read(s, buf, sizeof(buf))) > 0) {
		total += n;
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			return 1;
		if (type == SOCK_DGRAM)
			break;
	}
	return total > 0 && n >= 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return serve((int)strtoul(argv[1], NULL, 10));
	if (argc > 2)
		return ask(argv);
	return 2;
}
