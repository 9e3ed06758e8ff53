/* portspec — see portspec.h. */
#include "schema/portspec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/num.h"
#include "schema/ids.h"

#define PORT_LAST 65535u
#define IP4_LEN   4

/* ---- words ---- */

/* "tcp" or "udp" as a constant, else NULL. */
static const char *protocol_of(const char *s)
{
	static const char *const known[] = { "tcp", "udp" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(s, known[i]) == 0)
			return known[i];
	return NULL;
}

/* 1 to 65535, no leading zero. */
static int number_of(const char *s, uint16_t *ret)
{
	uint32_t n;

	if (parse_id(s, &n) < 0 || n == 0 || n > PORT_LAST)
		return -EINVAL;
	*ret = (uint16_t)n;
	return 0;
}

/* "N" or "N/PROTO" */
static bool is_number(const char *name, uint16_t *ret, const char **ret_protocol)
{
	const char *slash = strchr(name, '/');
	auto_free char *digits = slash ? xstrndup(name, (size_t)(slash - name)) : xstrdup(name);

	*ret_protocol = slash ? protocol_of(slash + 1) : NULL;
	return number_of(digits, ret) == 0 && (!slash || *ret_protocol);
}

int host_ip_parse(const char *text, struct host_ip *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct host_ip ip = { .family = AF_UNSPEC };

	if (!text || !*text)
		goto out;
	ip.family = AF_INET;
	if (inet_pton(AF_INET, text, ip.addr) == 1)
		goto out;
	ip.family = AF_INET6;
	if (inet_pton(AF_INET6, text, ip.addr) != 1)
		return -EINVAL;
	if (memcmp(ip.addr, mapped, sizeof(mapped)) == 0) {
		ip.family = AF_INET;
		memmove(ip.addr, ip.addr + sizeof(mapped), IP4_LEN);
		memset(ip.addr + IP4_LEN, 0, sizeof(ip.addr) - IP4_LEN);
	}
out:
	*ret = ip;
	return 0;
}

static bool is_every(const struct host_ip *ip)
{
	static const uint8_t zero[sizeof(ip->addr)];

	return memcmp(ip->addr, zero, sizeof(zero)) == 0;
}

bool host_ip_overlap(const struct host_ip *a, const struct host_ip *b)
{
	if (a->family == AF_UNSPEC || b->family == AF_UNSPEC)
		return true;
	if (a->family != b->family)
		return false;
	if (is_every(a) || is_every(b))
		return true;
	return memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

/* ---- values of --port ---- */

static int bad(struct err *e, const char *value, const char *what)
{
	return err_set(e, ERR_USAGE, EINVAL, "\"%s\": %s", value, what);
}

static void spec_done(struct port_spec *s)
{
	free(s->name);
	free(s->host_ip);
	*s = (struct port_spec){ .name = NULL };
}

/* @ip: "" or an address, in brackets or not. */
static int set_host_ip(struct port_spec *s, const char *ip, const char *value, struct err *e)
{
	bool bracketed = *ip == '[';
	size_t len = strlen(ip);
	auto_free char *inner = bracketed ? xstrndup(ip + 1, len > 1 ? len - 2 : 0) : xstrdup(ip);
	char text[INET6_ADDRSTRLEN];
	struct host_ip parsed;

	if (!*ip)
		return 0;
	if (bracketed && (ip[len - 1] != ']' || !strchr(inner, ':')))
		return bad(e, value, "an IPv6 address is expected in brackets");
	if (host_ip_parse(inner, &parsed) < 0 || parsed.family == AF_UNSPEC)
		return bad(e, value, "the host's address is neither an IPv4 one nor [IPv6]");
	if (!bracketed && strchr(inner, ':'))
		return bad(e, value, "an IPv6 address needs brackets");
	s->host_ip = xstrdup(inet_ntop(parsed.family, parsed.addr, text, sizeof(text)));
	return 0;
}

/* The last colon that is not inside of brackets, or NULL. */
static const char *last_colon(const char *s)
{
	const char *colon = strrchr(s, ':'), *close = strrchr(s, ']');

	return colon && close && close > colon ? NULL : colon;
}

static int parse_short(const char *value, struct port_spec *s, struct err *e)
{
	const char *colon = strchr(value, ':'), *last = colon ? last_colon(colon + 1) : NULL, *slash, *port;
	auto_free char *ip = NULL, *digits = NULL;
	const char *ignored;
	uint16_t number;

	if (!colon)
		return bad(e, value, "NAME:[HOSTIP:]HOSTPORT[/PROTO] expected");
	s->name = xstrndup(value, (size_t)(colon - value));
	if (!ac_name_valid(s->name) && !is_number(s->name, &number, &ignored))
		return bad(e, value, "neither a name of a port nor a number, N or N/tcp or N/udp");
	port = last ? last + 1 : colon + 1;
	ip = last ? xstrndup(colon + 1, (size_t)(last - colon - 1)) : xstrdup("");
	if (last && !*ip)
		return bad(e, value, "the host's address is empty");
	slash = strchr(port, '/');
	digits = slash ? xstrndup(port, (size_t)(slash - port)) : xstrdup(port);
	if (number_of(digits, &s->host_port) < 0)
		return bad(e, value, "the host's port is not a number from 1 to 65535");
	s->protocol = slash ? protocol_of(slash + 1) : NULL;
	if (slash && !s->protocol)
		return bad(e, value, "the protocol is neither tcp nor udp");
	return set_host_ip(s, ip, value, e);
}

static int parse_full(const char *value, struct port_spec *s, struct err *e)
{
	static const char expected[] = "NAME:PROTO:PODPORT:HOSTIP:HOSTPORT expected";
	auto_free char *copy = xstrdup(value);
	char *part[4], *rest = copy, *last;

	for (size_t i = 0; i < 3; i++) {
		part[i] = rest;
		rest = strchr(rest, ':');
		if (!rest)
			return bad(e, value, expected);
		*rest++ = '\0';
	}
	last = (char *)(uintptr_t)last_colon(rest);
	if (!last)
		return bad(e, value, expected);
	*last = '\0';
	part[3] = rest;
	s->name = xstrdup(part[0]);
	s->protocol = protocol_of(part[1]);
	if (!ac_name_valid(s->name))
		return bad(e, value, "the name is not an AC name");
	if (!s->protocol)
		return bad(e, value, "the protocol is neither tcp nor udp");
	if (number_of(part[2], &s->pod_port) < 0)
		return bad(e, value, "the pod's port is not a number from 1 to 65535");
	if (number_of(last + 1, &s->host_port) < 0)
		return bad(e, value, "the host's port is not a number from 1 to 65535");
	return set_host_ip(s, part[3], value, e);
}

int port_spec_parse(const char *value, struct port_spec *ret, struct err *e)
{
	struct port_spec s = { .name = NULL };
	int r = parse_short(value, &s, e);

	if (r < 0)
		spec_done(&s);
	else
		*ret = s;
	return r;
}

int port_spec_parse_full(const char *value, struct port_spec *ret, struct err *e)
{
	struct port_spec s = { .name = NULL };
	int r = parse_full(value, &s, e);

	if (r < 0)
		spec_done(&s);
	else
		*ret = s;
	return r;
}

void port_specs_push_take(struct port_specs *l, struct port_spec *s)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(l->v[0]));
	l->v[l->n++] = *s;
	*s = (struct port_spec){ .name = NULL };
}

void port_specs_done(struct port_specs *l)
{
	for (size_t i = 0; i < l->n; i++)
		spec_done(&l->v[i]);
	free(l->v);
	*l = (struct port_specs){ NULL, 0 };
}

/* ---- from names to ports ---- */

/* Ports of all apps that satisfy a question. */
struct found {
	size_t n;
	const struct port *port; /* the first */
	struct buf text;         /* all, for messages */
};

static void found_add(struct found *f, const struct runtime_app *a, const struct port *p)
{
	if (f->n++ == 0)
		f->port = p;
	buf_addf(&f->text, "%s%s (", f->n > 1 ? ", " : "", p->name);
	if (p->count > 1)
		buf_addf(&f->text, "%u-%u/%s", (unsigned int)p->port, (unsigned int)(p->port + p->count - 1),
			 p->protocol);
	else
		buf_addf(&f->text, "%u/%s", (unsigned int)p->port, p->protocol);
	buf_addf(&f->text, " of app \"%s\")", a->name);
}

struct question {
	const char *name;     /* or NULL: */
	uint32_t number;      /* or 0: everything */
	const char *protocol; /* of @number; NULL: any */
};

static bool answers(const struct question *q, const struct port *p)
{
	if (q->name)
		return strcmp(p->name, q->name) == 0;
	if (!q->number)
		return true;
	return q->number >= p->port && q->number - p->port < p->count &&
	       (!q->protocol || strcmp(p->protocol, q->protocol) == 0);
}

static void find_ports(const struct pod_manifest *m, const struct app *const *apps, const struct question *q,
		       struct found *ret)
{
	*ret = (struct found){ .n = 0 };
	for (size_t a = 0; a < m->napps; a++) {
		for (size_t i = 0; apps[a] && i < apps[a]->ports.n; i++)
			if (answers(q, &apps[a]->ports.v[i]))
				found_add(ret, &m->apps[a], &apps[a]->ports.v[i]);
	}
}

static int no_such_port(const struct pod_manifest *m, const struct app *const *apps, const char *name,
			struct err *e)
{
	struct found all;
	int r;

	find_ports(m, apps, &(const struct question){ .name = NULL }, &all);
	r = all.n ? err_set(e, ERR_INPUT, ENOENT, "port \"%s\": no app declares it; there are: %.300s", name,
			    buf_str(&all.text))
		  : err_set(e, ERR_INPUT, ENOENT, "port \"%s\": no app declares any port", name);
	buf_done(&all.text);
	return r;
}

static int one_of(const struct pod_manifest *m, const struct app *const *apps, const char *name,
		  struct found *f, const struct port **ret, struct err *e)
{
	int r = 0;

	if (f->n > 1)
		r = err_set(e, ERR_INPUT, EEXIST, "port \"%s\": ambiguous, since there are: %.300s", name,
			    buf_str(&f->text));
	else if (f->n == 0)
		r = no_such_port(m, apps, name, e);
	else
		*ret = f->port;
	buf_done(&f->text);
	return r;
}

int exposed_port_target(const struct pod_manifest *m, const struct app *const *apps,
			const struct exposed_port *p, const struct port **ret, struct err *e)
{
	struct found f;

	if (p->pod_port) {
		*ret = p->pod_port;
		return 0;
	}
	find_ports(m, apps, &(const struct question){ .name = p->name }, &f);
	return one_of(m, apps, p->name, &f, ret, e);
}

static struct port *new_port(const char *name, const char *protocol, uint32_t number)
{
	struct port *p = xcalloc(1, sizeof(*p));

	*p = (struct port){
		.name = xstrdup(name), .protocol = xstrdup(protocol), .port = number, .count = 1
	};
	return p;
}

/* *to is zeroed and the manifest's already. */
static int apply(const struct port_spec *s, const struct pod_manifest *m, const struct app *const *apps,
		 struct exposed_port *to, struct err *e)
{
	struct question q = { .name = s->name };
	const struct port *port = NULL;
	uint16_t number = 0;
	struct found f;
	int r;

	to->host_port = s->host_port;
	to->host_ip = xstrdup(s->host_ip);
	if (s->pod_port) {
		to->name = xstrdup(s->name);
		to->pod_port = new_port(s->name, s->protocol, s->pod_port);
		return 0;
	}
	find_ports(m, apps, &q, &f);
	if (f.n == 0 && is_number(s->name, &number, &q.protocol)) {
		q.name = NULL;
		q.number = number;
		if (!q.protocol)
			q.protocol = s->protocol;
		find_ports(m, apps, &q, &f);
	}
	r = one_of(m, apps, s->name, &f, &port, e);
	if (r < 0)
		return r;
	to->name = xstrdup(port->name);
	if (s->protocol && strcmp(s->protocol, port->protocol) != 0)
		return err_set(e, ERR_INPUT, EPROTOTYPE, "port \"%s\": it is a port of %.16s, not of %s",
			       s->name, port->protocol, s->protocol);
	if (q.number)
		to->pod_port = new_port(port->name, port->protocol, q.number);
	return 0;
}

int port_specs_apply(const struct port_specs *l, struct pod_manifest *m, struct err *e)
{
	const struct app *apps[POD_APPS_MAX] = { NULL };
	int r = 0;

	for (size_t i = 0; i < m->napps && i < POD_APPS_MAX; i++)
		apps[i] = m->apps[i].app;
	for (size_t i = 0; i < l->n && r == 0; i++) {
		m->ports = xreallocarray(m->ports, m->nports + 1, sizeof(m->ports[0]));
		m->ports[m->nports] = (struct exposed_port){ .name = NULL };
		r = apply(&l->v[i], m, apps, &m->ports[m->nports++], e);
	}
	return r;
}

/* ---- the manifest as a whole ---- */

static int check_one(const struct exposed_port *p, const struct port *port, struct host_ip *ret_ip,
		     size_t *total, struct err *e)
{
	if (!protocol_of(port->protocol))
		return err_set(e, ERR_INPUT, EPROTONOSUPPORT,
			       "port \"%s\": protocol \"%.32s\": only tcp and udp can be published", p->name,
			       port->protocol);
	if (host_ip_parse(p->host_ip, ret_ip) < 0)
		return err_set(e, ERR_INPUT, EINVAL, "port \"%s\": \"%.64s\" is not an IP address", p->name,
			       p->host_ip);
	if (p->host_port + port->count - 1 > PORT_LAST)
		return err_set(e, ERR_INPUT, ERANGE, "port \"%s\": %u ports from %u on end above %u", p->name,
			       (unsigned int)port->count, (unsigned int)p->host_port, PORT_LAST);
	*total += port->count;
	if (*total > PORTS_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "port \"%s\": more than %d ports are published", p->name,
			       PORTS_MAX);
	return 0;
}

static bool ranges_meet(uint32_t a, uint32_t na, uint32_t b, uint32_t nb)
{
	return a < b + nb && b < a + na;
}

int exposed_ports_check(const struct pod_manifest *m, const struct app *const *apps, struct err *e)
{
	auto_free const struct port **port = xcalloc(m->nports + 1, sizeof(const struct port *));
	auto_free struct host_ip *ip = xcalloc(m->nports + 1, sizeof(*ip));
	size_t total = 0;

	for (size_t i = 0; i < m->nports; i++) {
		const struct exposed_port *p = &m->ports[i];
		int r = exposed_port_target(m, apps, p, &port[i], e);

		if (r == 0)
			r = check_one(p, port[i], &ip[i], &total, e);
		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++) {
			const struct exposed_port *o = &m->ports[k];

			if (strcmp(port[i]->protocol, port[k]->protocol) == 0 &&
			    ranges_meet(p->host_port, port[i]->count, o->host_port, port[k]->count) &&
			    host_ip_overlap(&ip[i], &ip[k]))
				return err_set(
					e, ERR_INPUT, EEXIST,
					"ports \"%s\" and \"%s\" want the same port of the host, %u/%s",
					o->name, p->name,
					(unsigned int)(p->host_port > o->host_port ? p->host_port
										   : o->host_port),
					port[i]->protocol);
		}
	}
	return 0;
}
