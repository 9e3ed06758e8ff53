/*
 * portspec — published ports: the values of --port, and what an entry of a pod manifest's "ports" means (cli.md section
 * 7.3, formats.md section 6).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "schema/pod.h"

#define PORTS_MAX 4096 /* ports of the host that one pod may want, every one of a range counted */

/* ---- the command line ---- */

struct port_spec {
	char *name;           /* of a port; or its number, "80" or "80/tcp" */
	const char *protocol; /* "tcp", "udp"; NULL: whatever the port's is */
	char *host_ip;        /* in the spelling of inet_ntop(3); NULL: every address of both families */
	uint16_t host_port;
	uint16_t pod_port; /* app sandbox only, else 0 */
};

struct port_specs {
	struct port_spec *v;
	size_t n;
};

/* NAME:[HOSTIP:]HOSTPORT[/PROTO], an IPv6 address in brackets, NAME maybe N or N/PROTO.  -EINVAL (ERR_USAGE).
 * *ret owns heap strings: port_specs_push_take. */
int port_spec_parse(const char *value, struct port_spec *ret, struct err *e);
/* NAME:PROTO:PODPORT:HOSTIP:HOSTPORT, of app sandbox; an empty HOSTIP is every address. */
int port_spec_parse_full(const char *value, struct port_spec *ret, struct err *e);

void port_specs_push_take(struct port_specs *l, struct port_spec *s);
void port_specs_done(struct port_specs *l);

/*
 * Append to the manifest's "ports" what @l says.  A name means the port that exactly one app of @m declares (each needs its
 * section); what is no port's name but a number means the one port that has it, alone even if it is one of a range.
 * -ENOENT: no such port, with those that there are; -EEXIST: several; -EPROTOTYPE: it has another protocol.
 */
int port_specs_apply(const struct port_specs *l, struct pod_manifest *m, struct err *e);

/* ---- the manifest ---- */

/* Where @p leads: the port of the app, or its own podPort; borrowed.  @apps[i] is the section of app i of @m, as it is run.  -ENOENT,
 * -EEXIST: no app or several declare the name. */
int exposed_port_target(const struct pod_manifest *m, const struct app *const *apps,
			const struct exposed_port *p, const struct port **ret, struct err *e);

/* All of "ports": each leads somewhere, with tcp or udp (-EPROTONOSUPPORT), ends at 65535 (-ERANGE), and no two want the same
 * port of the same address (-EEXIST); not more than PORTS_MAX (-E2BIG). */
int exposed_ports_check(const struct pod_manifest *m, const struct app *const *apps, struct err *e);

/* ---- addresses ---- */

struct host_ip {
	int family;       /* AF_INET, AF_INET6, or AF_UNSPEC: every address of both */
	uint8_t addr[16]; /* 4 bytes, 16 bytes or nothing, in the order of the network */
};

/* @text as a manifest has it, NULL or "" being AF_UNSPEC; an IPv4 address in IPv6 clothes is an IPv4 address.  -EINVAL. */
int host_ip_parse(const char *text, struct host_ip *ret);
/* Is there an address that both mean?  0.0.0.0 and :: mean all of their family. */
bool host_ip_overlap(const struct host_ip *a, const struct host_ip *b);
