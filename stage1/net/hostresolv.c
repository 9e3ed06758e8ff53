/* hostresolv — see hostresolv.h. */
#include "stage1/net/hostresolv.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"

#define FILE_MAX (64u << 10)

static const char *const files[] = { "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf" };

/* An address that means the same host for the pod as it does here. */
static bool reachable(const char *s)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, s, &v4) == 1)
		return (ntohl(v4.s_addr) >> IN_CLASSA_NSHIFT) != IN_LOOPBACKNET && v4.s_addr != INADDR_ANY;
	/* with a zone ("fe80::1%eth0") it is no address to inet_pton */
	return inet_pton(AF_INET6, s, &v6) == 1 && !IN6_IS_ADDR_LOOPBACK(&v6) &&
	       !IN6_IS_ADDR_UNSPECIFIED(&v6) && !IN6_IS_ADDR_LINKLOCAL(&v6);
}

/* Cut a line into its keyword, which is returned, and the rest, without blanks around it. */
static const char *keyword(char *line, char **ret_rest)
{
	char *end = line + strcspn(line, " \t");
	char *rest = end + strspn(end, " \t");
	size_t n = strlen(rest);

	while (n > 0 && isspace((unsigned char)rest[n - 1]))
		n--;
	rest[n] = '\0';
	*ret_rest = rest;
	if (rest != end)
		*end = '\0';
	return line;
}

static bool printable(const char *s)
{
	for (; *s; s++)
		if (iscntrl((unsigned char)*s) && *s != '\t')
			return false;
	return true;
}

void hostresolv_filter(char *text, struct buf *out)
{
	auto_buf kept = BUF_INIT;
	bool any = false;

	for (char *line = text, *next; line; line = next) {
		char *rest;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		const char *key = keyword(line, &rest);
		bool server = strcmp(key, "nameserver") == 0;

		if (server)
			rest[strcspn(rest, " \t")] = '\0';
		if (!*rest || !printable(rest) || (server && !reachable(rest)))
			continue;
		if (server || strcmp(key, "search") == 0 || strcmp(key, "domain") == 0 ||
		    strcmp(key, "options") == 0)
			buf_addf(&kept, "%s %s\n", key, rest);
		any |= server;
	}
	if (any)
		buf_adds(out, buf_str(&kept));
}

void hostresolv_read(struct buf *out)
{
	size_t before = out->len;

	for (size_t i = 0; i < ARRAY_LEN(files) && out->len == before; i++) {
		/* the host's own file: where a link of it leads is the host's affair */
		auto_close int fd = open(files[i], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		auto_buf b = BUF_INIT;

		if (fd < 0 || fd_read_all(fd, FILE_MAX, &b) < 0)
			continue;
		auto_free char *text = buf_steal(&b);
		if (text)
			hostresolv_filter(text, out);
	}
	if (out->len == before)
		log_debug("the host knows no name server that a pod can reach");
}
