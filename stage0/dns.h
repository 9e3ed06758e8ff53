/*
 * dns — what the options --dns* and --hosts-entry say about an app's /etc/resolv.conf and /etc/hosts
 * (cli.md section 7.3, internals.md section 5.9).
 *
 * Everything is checked when it is added, so a pod with bad options never comes into being.  The files are
 * written into the pod directory, where stage1 finds them (stage1/CONTRACT.md).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage0/pod.h"

struct dns_host {
	char *ip;
	char **names; /* strv */
};

struct dns {
	char **servers; /* strv of IPv4 and IPv6 addresses */
	char **search, **options, *domain;
	bool from_host, none; /* --dns=host, --dns=none */
	struct dns_host *hosts;
	size_t nhosts;
	bool hosts_from_host; /* --hosts-entry=host */
};

/* Add the value of one option; ERR_USAGE with what is wrong.
 * dns_add_servers: "IP[,IP…]", "host" or "none", the last two alone.
 * dns_add_hosts: "IP=NAME[,IP=NAME…]" or "host" alone; names of one address end up on one line. */
int dns_add_servers(struct dns *d, const char *value, struct err *e);
int dns_add_search(struct dns *d, const char *value, struct err *e);
int dns_add_option(struct dns *d, const char *value, struct err *e);
int dns_set_domain(struct dns *d, const char *value, struct err *e);
int dns_add_hosts(struct dns *d, const char *value, struct err *e);
/* What excludes each other only as a whole: host or none with search, options or domain. */
int dns_check(const struct dns *d, struct err *e);

/* "resolv=MODE,hosts=MODE" for stage1's --dns-conf-mode, or NULL when no option was given; heap. */
char *dns_mode(const struct dns *d);
/* Write the files of mode "stage0" below stage1/rootfs/etc of the pod. */
int dns_write(const struct dns *d, const struct pod *p, struct err *e);
void dns_done(struct dns *d);
