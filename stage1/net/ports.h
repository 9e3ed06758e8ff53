/*
 * ports — which ports of the host lead to which ports of the pod?  (cli.md section 7.3)
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "schema/app.h"
#include "schema/pod.h"

struct port_map {
	int protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	int family;   /* of @host: AF_INET, AF_INET6, or AF_UNSPEC: every address of both families */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} host;
	uint16_t host_port, pod_port;
};

struct port_maps {
	struct port_map *v;
	size_t n;
};

/* From the manifest's "ports" but those that the app takes from a service manager (socketActivated), each with the app that declares its name (apps[i]: section of app i of @m, as it is run), a range of
 * `count` ports as so many maps.  Errors: exposed_ports_check of
 * schema/portspec.h.  The caller frees ->v. */
int port_maps_of_pod(const struct pod_manifest *m, const struct app *const *apps, struct port_maps *ret,
		     struct err *e);

/* The address of the host into @out (INET6_ADDRSTRLEN), which is returned; NULL: every address of both families. */
const char *port_map_host_text(const struct port_map *m, char *out);
/* For messages, "8080/tcp", "127.0.0.1:53/udp", "[::1]:80/tcp", into @out (PORT_MAP_TEXT_MAX), which is returned. */
#define PORT_MAP_TEXT_MAX 64
const char *port_map_text(const struct port_map *m, char *out);

/* As CNI's portMappings, which is also how the pod's record keeps them; and back. */
json_t *port_maps_to_json(const struct port_maps *l);
int port_maps_from_json(const json_t *j, struct port_maps *ret, struct err *e);
