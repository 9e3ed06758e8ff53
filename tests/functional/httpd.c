/*
 * httpd — a small HTTP/1.1 server on loopback for tests, able to misbehave on demand.
 *
 * httpd --root DIR --port-file FILE [--log FILE] [--rules FILE] [--cert PEM [--key PEM]]
 *
 * Serves regular files below DIR with ETag, If-None-Match, Range and HEAD; one process a connection,
 * one request a connection.  The port is chosen by the kernel and written to FILE.  The log has one
 * line a request: METHOD PATH STATUS range=.. auth=.. inm=.. host=.. agent=.., "-" when absent.
 *
 * Rules are read anew for every request, one a line: PATTERN KEY[=VALUE]...; PATTERN is fnmatch(3) on
 * the path with its query; keys of all matching lines add up.  A line with times=N counts for its
 * first N matching requests only.  Keys:
 *	status=N location=URL body=TEXT type=TEXT header=NAME:VALUE auth=USER:PASSWORD (else 401)
 *	bearer=TOKEN (else 401) delay=SECONDS drop=BYTES (close after that many bytes of body) length=N (what
 *	Content-Length claims) rate=BYTES (a second) norange noetag nolength age=SECONDS file=PATH (below DIR)
 * "+" in a VALUE of header, body and type stands for a space.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { RULES_MAX = 256, HEAD_MAX = 16384, VALUE_MAX = 1024 };

/* How often each line of the rules matched since the file was written. */
struct used {
	int64_t written;
	unsigned int times[RULES_MAX];
};

static struct {
	const char *root, *port_file, *log, *rules, *cert, *key;
	struct used *used; /* shared with the children */
	SSL_CTX *tls;
} server;

struct conn {
	int fd;
	SSL *ssl;
};

struct request {
	char method[16], path[2048];
	char range[256], auth[1024], inm[256], host[256], agent[256];
};

/* What the matching rules add up to; -1 = not said. */
struct verdict {
	int64_t status, drop, length, rate, age;
	double delay;
	bool norange, noetag, nolength;
	char location[VALUE_MAX], body[VALUE_MAX], type[VALUE_MAX], auth[VALUE_MAX], bearer[VALUE_MAX];
	char file[VALUE_MAX], headers[4 * VALUE_MAX];
};

struct answer {
	int status;
	int fd; /* body, or -1 */
	int64_t from, count, size;
	char etag[64];
	const char *text;
};

static void fail(const char *what)
{
	fprintf(stderr, "httpd: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- bytes ------------------------------------------------------------------------------------- */

static ssize_t conn_read(struct conn *c, void *p, size_t n)
{
	return c->ssl ? SSL_read(c->ssl, p, (int)n) : read(c->fd, p, n);
}

static bool conn_write(struct conn *c, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = c->ssl ? SSL_write(c->ssl, p, (int)n) : send(c->fd, p, n, MSG_NOSIGNAL);
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

__attribute__((format(printf, 2, 3))) static bool conn_printf(struct conn *c, const char *fmt, ...)
{
	char text[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return n >= 0 && n < (int)sizeof(text) && conn_write(c, text, (size_t)n);
}

static void pause_for(double seconds)
{
	struct timespec t = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static void copy_text(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from);
}

static void plus_to_space(char *s)
{
	for (; *s; s++)
		*s = *s == '+' ? ' ' : *s;
}

static void base64(const char *in, char *out, size_t size)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(in), o = 0;

	for (size_t i = 0; i < n && o + 4 < size; i += 3) {
		unsigned int left = (unsigned int)(n - i);
		unsigned int v = (unsigned int)(unsigned char)in[i] << 16;
		v |= left > 1 ? (unsigned int)(unsigned char)in[i + 1] << 8 : 0;
		v |= left > 2 ? (unsigned int)(unsigned char)in[i + 2] : 0;
		out[o++] = set[v >> 18];
		out[o++] = set[v >> 12 & 63];
		out[o++] = left > 1 ? set[v >> 6 & 63] : '=';
		out[o++] = left > 2 ? set[v & 63] : '=';
	}
	out[o] = '\0';
}

/* ---- rules ------------------------------------------------------------------------------------- */

static void rule_header(struct verdict *v, const char *value)
{
	size_t n = strlen(v->headers);
	const char *colon = strchr(value, ':');
	char text[VALUE_MAX];

	if (!colon)
		return;
	copy_text(text, sizeof(text), colon + 1);
	plus_to_space(text);
	(void)snprintf(v->headers + n, sizeof(v->headers) - n, "%.*s: %s\r\n", (int)(colon - value), value,
		       text);
}

static void rule_word(struct verdict *v, const char *word)
{
	const struct {
		const char *name;
		int64_t *number;
		bool *flag;
		char *text;
	} keys[] = {
		{ "status", &v->status, NULL, NULL },    { "drop", &v->drop, NULL, NULL },
		{ "length", &v->length, NULL, NULL },    { "rate", &v->rate, NULL, NULL },
		{ "age", &v->age, NULL, NULL },          { "norange", NULL, &v->norange, NULL },
		{ "noetag", NULL, &v->noetag, NULL },    { "nolength", NULL, &v->nolength, NULL },
		{ "location", NULL, NULL, v->location }, { "body", NULL, NULL, v->body },
		{ "type", NULL, NULL, v->type },         { "auth", NULL, NULL, v->auth },
		{ "bearer", NULL, NULL, v->bearer },     { "file", NULL, NULL, v->file },
	};
	size_t n = strcspn(word, "=");
	const char *value = word[n] ? word + n + 1 : "";

	if (n == 5 && strncmp(word, "delay", n) == 0)
		v->delay = strtod(value, NULL);
	else if (n == 6 && strncmp(word, "header", n) == 0)
		rule_header(v, value);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i].name) != n || strncmp(keys[i].name, word, n) != 0)
			continue;
		if (keys[i].number)
			*keys[i].number = strtoll(value, NULL, 10);
		if (keys[i].flag)
			*keys[i].flag = true;
		if (keys[i].text)
			copy_text(keys[i].text, VALUE_MAX, value);
	}
}

static void rule_line(struct verdict *v, char *line, const char *path, size_t number)
{
	char *save = NULL;
	char *pattern = strtok_r(line, " \t\n", &save);
	char *times = save ? strstr(save, "times=") : NULL;

	if (!pattern || pattern[0] == '#' || fnmatch(pattern, path, 0) != 0)
		return;
	if (number < RULES_MAX) {
		unsigned int nth = __atomic_fetch_add(&server.used->times[number], 1, __ATOMIC_SEQ_CST);
		if (times && nth >= strtoul(times + 6, NULL, 10))
			return;
	}
	for (char *word; (word = strtok_r(NULL, " \t\n", &save));)
		rule_word(v, word);
}

/* Other rules are counted from the beginning. */
static void rules_count(FILE *f)
{
	struct stat st;

	if (!f || fstat(fileno(f), &st) < 0)
		return;
	int64_t written = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (__atomic_exchange_n(&server.used->written, written, __ATOMIC_SEQ_CST) != written)
		memset(server.used->times, 0, sizeof(server.used->times));
}

static void rules_read(struct verdict *v, const char *path)
{
	FILE *f = server.rules ? fopen(server.rules, "re") : NULL;
	char line[4096];

	rules_count(f);
	memset(v, 0, sizeof(*v));
	v->status = v->drop = v->length = v->rate = v->age = -1;
	for (size_t i = 0; f && fgets(line, sizeof(line), f); i++)
		rule_line(v, line, path, i);
	if (f)
		(void)fclose(f);
	plus_to_space(v->body);
	plus_to_space(v->type);
}

/* ---- request ----------------------------------------------------------------------------------- */

static void header_take(const char *head, const char *name, char *to, size_t size)
{
	size_t n = strlen(name);

	copy_text(to, size, "-");
	for (const char *p = strstr(head, "\r\n"); p; p = strstr(p + 2, "\r\n")) {
		const char *line = p + 2;
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		const char *value = line + n + 1 + strspn(line + n + 1, " ");
		(void)snprintf(to, size, "%.*s", (int)strcspn(value, "\r"), value);
	}
}

static bool request_read(struct conn *c, struct request *r)
{
	char head[HEAD_MAX];
	size_t n = 0;

	for (head[0] = '\0'; !strstr(head, "\r\n\r\n");) {
		ssize_t got = n + 1 < sizeof(head) ? conn_read(c, head + n, sizeof(head) - 1 - n) : 0;
		if (got <= 0)
			return false;
		n += (size_t)got;
		head[n] = '\0';
	}
	if (sscanf(head, "%15s %2047s", r->method, r->path) != 2)
		return false;
	header_take(head, "Range", r->range, sizeof(r->range));
	header_take(head, "Authorization", r->auth, sizeof(r->auth));
	header_take(head, "If-None-Match", r->inm, sizeof(r->inm));
	header_take(head, "Host", r->host, sizeof(r->host));
	header_take(head, "User-Agent", r->agent, sizeof(r->agent));
	return true;
}

static void request_log(const struct request *r, int status)
{
	int fd = server.log ? open(server.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;

	if (fd < 0)
		return;
	(void)dprintf(fd, "%s %s %d range=%s auth=%s inm=%s host=%s agent=%s\n", r->method, r->path, status,
		      r->range, r->auth, r->inm, r->host, r->agent);
	(void)close(fd);
}

static bool authorized(const struct request *r, const struct verdict *v)
{
	char want[2 * VALUE_MAX];

	if (v->auth[0]) {
		copy_text(want, sizeof(want), "Basic ");
		base64(v->auth, want + 6, sizeof(want) - 6);
		return strcmp(want, r->auth) == 0;
	}
	if (v->bearer[0]) {
		(void)snprintf(want, sizeof(want), "Bearer %s", v->bearer);
		return strcmp(want, r->auth) == 0;
	}
	return true;
}

/* ---- answer ------------------------------------------------------------------------------------ */

static int open_body(const struct request *r, const struct verdict *v)
{
	char path[8192];
	const char *name = v->file[0] ? v->file : r->path;
	int n = (int)strcspn(name, "?");

	if (memmem(name, (size_t)n, "..", 2))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/%.*s", server.root, n, name);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/* Only "bytes=N-" and "bytes=N-M" exist here: that is what resuming sends. */
static void apply_range(struct answer *a, const struct request *r)
{
	int64_t from = -1, to = -1;
	int got = sscanf(r->range, "bytes=%" SCNd64 "-%" SCNd64, &from, &to);

	if (got < 1 || from < 0)
		return;
	if (from >= a->size) {
		a->status = 416;
		a->count = 0;
		return;
	}
	a->status = 206;
	a->from = from;
	a->count = (got == 2 && to >= from && to < a->size ? to + 1 : a->size) - from;
}

static void answer_file(struct answer *a, const struct request *r, const struct verdict *v)
{
	struct stat st;

	a->fd = open_body(r, v);
	if (a->fd < 0 || fstat(a->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		a->status = 404;
		a->text = "not found\n";
		return;
	}
	a->status = 200;
	a->size = a->count = st.st_size;
	(void)snprintf(a->etag, sizeof(a->etag), "\"%" PRIx64 "-%" PRIx64 "-%lx\"", (uint64_t)st.st_ino,
		       (uint64_t)st.st_size, st.st_mtim.tv_nsec + st.st_mtim.tv_sec);
	if (v->noetag)
		a->etag[0] = '\0';
	if (a->etag[0] && strstr(r->inm, a->etag)) {
		a->status = 304;
		a->count = 0;
	} else if (!v->norange) {
		apply_range(a, r);
	}
}

static void answer_make(struct answer *a, const struct request *r, const struct verdict *v)
{
	memset(a, 0, sizeof(*a));
	a->fd = -1;
	if (!authorized(r, v)) {
		a->status = 401;
		a->text = "who are you\n";
	} else if (v->body[0] || (v->status >= 0 && !v->file[0])) {
		a->status = v->status >= 0 ? (int)v->status : 200;
		a->text = v->body;
	} else {
		answer_file(a, r, v);
		a->status = v->status >= 0 ? (int)v->status : a->status;
	}
	if (a->text)
		a->count = a->size = (int64_t)strlen(a->text);
}

static bool send_head(struct conn *c, const struct answer *a, const struct verdict *v)
{
	bool ok = conn_printf(c, "HTTP/1.1 %d %s\r\nConnection: close\r\nAccept-Ranges: %s\r\n", a->status,
			      a->status < 400 ? "Fine" : "Sorry", v->norange ? "none" : "bytes");

	if (!v->nolength)
		ok = ok &&
		     conn_printf(c, "Content-Length: %" PRId64 "\r\n", v->length >= 0 ? v->length : a->count);
	if (a->etag[0])
		ok = ok && conn_printf(c, "ETag: %s\r\n", a->etag);
	if (a->status == 206)
		ok = ok && conn_printf(c, "Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64 "\r\n",
				       a->from, a->from + a->count - 1, a->size);
	if (a->status == 416)
		ok = ok && conn_printf(c, "Content-Range: bytes */%" PRId64 "\r\n", a->size);
	if (a->status == 401 && v->auth[0])
		ok = ok && conn_printf(c, "WWW-Authenticate: Basic realm=\"test\"\r\n");
	if (v->location[0])
		ok = ok && conn_printf(c, "Location: %s\r\n", v->location);
	if (v->age >= 0)
		ok = ok && conn_printf(c, "Cache-Control: max-age=%" PRId64 "\r\n", v->age);
	return ok && conn_printf(c, "Content-Type: %s\r\n%s\r\n",
				 v->type[0] ? v->type : "application/octet-stream", v->headers);
}

static void send_body(struct conn *c, const struct answer *a, const struct verdict *v)
{
	static char block[65536];
	int64_t left = v->drop >= 0 && v->drop < a->count ? v->drop : a->count;

	if (a->text) {
		(void)conn_write(c, a->text, (size_t)left);
		return;
	}
	for (off_t at = a->from; left > 0;) {
		size_t n = sizeof(block);
		if (v->rate > 0 && n > (size_t)v->rate / 10 + 1)
			n = (size_t)v->rate / 10 + 1;
		if ((int64_t)n > left)
			n = (size_t)left;
		ssize_t got = pread(a->fd, block, n, at);
		if (got <= 0 || !conn_write(c, block, (size_t)got))
			return;
		at += got;
		left -= got;
		if (v->rate > 0)
			pause_for(0.1);
	}
}

static void serve(struct conn *c)
{
	struct request r = { 0 };
	struct verdict v;
	struct answer a;

	if (!request_read(c, &r))
		return;
	rules_read(&v, r.path);
	answer_make(&a, &r, &v);
	request_log(&r, a.status);
	pause_for(v.delay);
	if (send_head(c, &a, &v) && strcmp(r.method, "HEAD") != 0)
		send_body(c, &a, &v);
	if (c->ssl)
		(void)SSL_shutdown(c->ssl);
	(void)shutdown(c->fd, SHUT_WR);
}

/* ---- server ------------------------------------------------------------------------------------ */

static int listen_loopback(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	char tmp[4096];
	FILE *f;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		fail("listen on 127.0.0.1");
	(void)snprintf(tmp, sizeof(tmp), "%s.new", server.port_file);
	f = fopen(tmp, "we");
	if (!f || fprintf(f, "%u\n", (unsigned int)ntohs(at.sin_port)) < 0 || fclose(f) != 0 ||
	    rename(tmp, server.port_file) < 0)
		fail(server.port_file);
	return fd;
}

static void serve_child(int fd)
{
	struct conn c = { .fd = fd };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(120);
	if (server.tls) {
		c.ssl = SSL_new(server.tls);
		if (!c.ssl || SSL_set_fd(c.ssl, fd) != 1 || SSL_accept(c.ssl) != 1)
			_exit(1);
	}
	serve(&c);
	_exit(0);
}

static void parse_args(int argc, char **argv)
{
	const struct {
		const char *name;
		const char **to;
	} opts[] = { { "--root", &server.root }, { "--port-file", &server.port_file },
		     { "--log", &server.log },   { "--rules", &server.rules },
		     { "--cert", &server.cert }, { "--key", &server.key } };

	for (int i = 1; i < argc; i += 2) {
		bool known = false;
		for (size_t k = 0; i + 1 < argc && k < sizeof(opts) / sizeof(opts[0]); k++) {
			if (strcmp(argv[i], opts[k].name) == 0) {
				*opts[k].to = argv[i + 1];
				known = true;
			}
		}
		if (!known) {
			errno = EINVAL;
			fail(argv[i]);
		}
	}
	if (!server.root || !server.port_file) {
		errno = EINVAL;
		fail("--root and --port-file are needed");
	}
}

int main(int argc, char **argv)
{
	int listener;

	parse_args(argc, argv);
	server.used = mmap(NULL, sizeof(*server.used), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			   0);
	if (server.used == MAP_FAILED)
		fail("map counters");
	if (server.cert) {
		server.tls = SSL_CTX_new(TLS_server_method());
		if (!server.tls || SSL_CTX_use_certificate_chain_file(server.tls, server.cert) != 1 ||
		    SSL_CTX_use_PrivateKey_file(server.tls, server.key ? server.key : server.cert,
						SSL_FILETYPE_PEM) != 1) {
			errno = EINVAL;
			fail(server.cert);
		}
	}
	(void)signal(SIGCHLD, SIG_IGN);
	listener = listen_loopback();
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			fail("accept");
		if (fork() == 0)
			serve_child(fd);
		(void)close(fd);
	}
}
