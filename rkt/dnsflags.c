/*
 * dnsflags — --dns, --dns-search, --dns-opt, --dns-domain and --hosts-entry (podflags.h); what their values mean
 * is stage0/dns.h.
 */
#include "rkt/podflags.h"

#define SETTER(fn, call_)                                                                                    \
	static int fn(void *args, const struct opt *o, const char *value, struct err *e)                     \
	{                                                                                                    \
		(void)o;                                                                                     \
		return call_(&((struct pod_args *)args)->dns, value, e);                                     \
	}

SETTER(add_servers, dns_add_servers)
SETTER(add_search, dns_add_search)
SETTER(add_option, dns_add_option)
SETTER(set_domain, dns_set_domain)
SETTER(add_hosts, dns_add_hosts)

/* clang-format off */
const struct opt podflags_dns[] = {
	{ .name = "dns", .kind = OPT_CALL, .arg = "IP[,IP...]", .call = add_servers,
	  .help = "name servers of the pod; host: the host's resolv.conf, none: whatever the image has (default: those of the networks, else the host's for an image without)" },
	{ .name = "dns-domain", .kind = OPT_CALL, .arg = "DOMAIN", .call = set_domain,
	  .help = "the pod's own domain in its resolv.conf" },
	{ .name = "dns-opt", .kind = OPT_CALL, .arg = "OPTION", .call = add_option,
	  .help = "options of the pod's resolv.conf" },
	{ .name = "dns-search", .kind = OPT_CALL, .arg = "DOMAIN", .call = add_search,
	  .help = "domains to search of the pod's resolv.conf" },
	{ .name = "hosts-entry", .kind = OPT_CALL, .arg = "IP=NAME[,IP=NAME...]", .call = add_hosts,
	  .help = "entries of the pod's /etc/hosts; host: the host's own file" },
	{ .kind = OPT_END },
};
/* clang-format on */

int podflags_dns_mode(struct pod_args *a, struct err *e)
{
	int r = dns_check(&a->dns, e);
	if (r == 0 && !a->dns_mode)
		a->dns_mode = dns_mode(&a->dns);
	return r;
}
