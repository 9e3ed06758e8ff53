/* ports — see ports.h. */
#include "stage1/net/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "schema/portspec.h"

static const struct {
	const char *name;
	int protocol;
} protocols[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
};

static const char *protocol_name(int protocol)
{
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(protocols) && protocols[i].protocol != protocol)
		i++;
	return protocols[i].name;
}

static int protocol_number(const char *name, int *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (strcmp(protocols[i].name, name) == 0) {
			*ret = protocols[i].protocol;
			return 0;
		}
	}
	return -EPROTONOSUPPORT;
}

/* The host's side of @m from the text of a manifest or a record. */
static int set_host(struct port_map *m, const char *text)
{
	struct host_ip ip;
	int r = host_ip_parse(text, &ip);

	if (r < 0)
		return r;
	m->family = ip.family;
	if (ip.family == AF_INET)
		memcpy(&m->host.v4, ip.addr, sizeof(m->host.v4));
	if (ip.family == AF_INET6)
		memcpy(&m->host.v6, ip.addr, sizeof(m->host.v6));
	return 0;
}

const char *port_map_host_text(const struct port_map *m, char *out)
{
	if (m->family == AF_UNSPEC)
		return NULL;
	return inet_ntop(m->family, &m->host, out, INET6_ADDRSTRLEN);
}

const char *port_map_text(const struct port_map *m, char *out)
{
	char text[INET6_ADDRSTRLEN];
	const char *ip = port_map_host_text(m, text);
	bool six = m->family == AF_INET6;

	(void)snprintf(out, PORT_MAP_TEXT_MAX, "%s%s%s%s%u/%s", six ? "[" : "", ip ? ip : "", six ? "]" : "",
		       ip ? ":" : "", (unsigned int)m->host_port, protocol_name(m->protocol));
	return out;
}

static void push(struct port_maps *l, const struct port_map *m)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(l->v[0]));
	l->v[l->n++] = *m;
}

/* Checked: it leads somewhere and ends at 65535. */
static int add_range(const struct exposed_port *p, const struct port *port, struct port_maps *l,
		     struct err *e)
{
	struct port_map m = { .family = AF_UNSPEC };
	int r = protocol_number(port->protocol, &m.protocol);

	if (r == 0)
		r = set_host(&m, p->host_ip);
	if (r < 0)
		return err_sys(e, -r, "port \"%s\"", p->name);
	for (uint32_t i = 0; i < port->count; i++) {
		m.host_port = (uint16_t)(p->host_port + i);
		m.pod_port = (uint16_t)(port->port + i);
		push(l, &m);
	}
	return 0;
}

int port_maps_of_pod(const struct pod_manifest *m, const struct app *const *apps, struct port_maps *ret,
		     struct err *e)
{
	struct port_maps l = { NULL, 0 };
	int r = exposed_ports_check(m, apps, e);

	for (size_t i = 0; i < m->nports && r == 0; i++) {
		const struct port *port = NULL;

		r = exposed_port_target(m, apps, &m->ports[i], &port, e);
		/* of a socket-activated one the service manager has the host's side already */
		if (r == 0 && !port->socket_activated)
			r = add_range(&m->ports[i], port, &l, e);
	}
	if (r < 0)
		free(l.v);
	else
		*ret = l;
	return r;
}

json_t *port_maps_to_json(const struct port_maps *l)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct port_map *m = &l->v[i];
		char text[INET6_ADDRSTRLEN];
		const char *ip = port_map_host_text(m, text);
		json_t *o = json_pack("{s:i, s:i, s:s}", "hostPort", (int)m->host_port, "containerPort",
				      (int)m->pod_port, "protocol", protocol_name(m->protocol));

		if (ip)
			json_object_set_new(o, "hostIP", json_string(ip));
		json_array_append_new(arr, o);
	}
	return arr;
}

static int map_from_json(const json_t *o, const char *where, struct port_map *m, struct err *e)
{
	const char *protocol = NULL, *ip = NULL;
	int64_t host = 0, pod = 0;
	int r = json_get_int(o, where, "hostPort", true, 1, 65535, &host, e);

	if (r == 0)
		r = json_get_int(o, where, "containerPort", true, 1, 65535, &pod, e);
	if (r == 0)
		r = json_get_str(o, where, "protocol", true, &protocol, e);
	if (r == 0)
		r = json_get_str(o, where, "hostIP", false, &ip, e);
	if (r < 0)
		return r;
	*m = (struct port_map){ .host_port = (uint16_t)host, .pod_port = (uint16_t)pod };
	r = protocol_number(protocol, &m->protocol);
	if (r < 0)
		return err_set(e, ERR_INPUT, -r, "%s.protocol: \"%.32s\" is neither tcp nor udp", where,
			       protocol);
	r = set_host(m, ip);
	return r < 0 ? err_set(e, ERR_INPUT, -r, "%s.hostIP: \"%.64s\" is not an IP address", where, ip) : 0;
}

int port_maps_from_json(const json_t *j, struct port_maps *ret, struct err *e)
{
	struct port_maps l = { NULL, 0 };
	size_t n = json_array_size(j);
	int r = 0;

	if (!json_is_array(j))
		return err_set(e, ERR_INPUT, EINVAL, "portMappings: array expected");
	if (n > PORTS_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "portMappings: %zu are more than %d", n, PORTS_MAX);
	for (size_t i = 0; i < n && r == 0; i++) {
		const json_t *o = json_array_get(j, i);
		struct port_map m;
		char where[48];

		(void)snprintf(where, sizeof(where), "portMappings[%zu]", i);
		r = json_is_object(o) ? map_from_json(o, where, &m, e)
				      : err_set(e, ERR_INPUT, EINVAL, "%s: object expected", where);
		if (r == 0)
			push(&l, &m);
	}
	if (r < 0)
		free(l.v);
	else
		*ret = l;
	return r;
}
