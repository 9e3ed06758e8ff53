/* subnet — see subnet.h. */
#include "stage1/net/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"

size_t subnet_len(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : family == AF_INET6 ? sizeof(struct in6_addr) : 0;
}

static uint8_t *bytes(struct net_addr *a)
{
	return (uint8_t *)&a->addr;
}

int subnet_parse_addr(const char *s, struct net_addr *ret, struct err *e)
{
	struct net_addr a = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(a.family, s, &a.addr) != 1)
		return err_set(e, ERR_INPUT, EINVAL, "address \"%.50s\": not an address", s);
	a.prefix = (uint8_t)(subnet_len(a.family) * 8);
	*ret = a;
	return 0;
}

/* The bits below the length become @fill. */
static void fill_host(struct net_addr *a, bool fill)
{
	uint8_t *b = bytes(a);

	for (size_t i = 0; i < subnet_len(a->family); i++) {
		int keep = a->prefix - (int)i * 8;
		uint8_t host = keep >= 8 ? 0 : keep <= 0 ? 0xff : (uint8_t)(0xff >> keep);

		b[i] = fill ? b[i] | host : b[i] & (uint8_t)~host;
	}
}

int subnet_parse(const char *s, struct net_addr *ret, struct err *e)
{
	const char *slash = strchr(s, '/');
	auto_free char *host = slash ? xstrndup(s, (size_t)(slash - s)) : NULL;
	uint32_t prefix;
	struct net_addr a, own;

	if (!host || subnet_parse_addr(host, &a, e) < 0 || parse_u32(slash + 1, &prefix) < 0)
		return err_set(e, ERR_INPUT, EINVAL, "subnet \"%.60s\": ADDRESS/LENGTH expected", s);
	if (prefix < 8 || prefix > subnet_len(a.family) * 8 - 2)
		return err_set(e, ERR_INPUT, EINVAL, "subnet \"%.60s\": length out of range", s);
	a.prefix = (uint8_t)prefix;
	subnet_of(&a, &own);
	if (!subnet_same(&a, &own))
		return err_set(e, ERR_INPUT, EINVAL, "subnet \"%.60s\": not the address of a network", s);
	*ret = a;
	return 0;
}

bool subnet_same(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family && memcmp(&a->addr, &b->addr, subnet_len(a->family)) == 0;
}

void subnet_of(const struct net_addr *a, struct net_addr *ret)
{
	*ret = *a;
	fill_host(ret, false);
}

bool subnet_contains(const struct net_addr *subnet, const struct net_addr *a)
{
	struct net_addr of = *a;

	of.prefix = subnet->prefix;
	fill_host(&of, false);
	return subnet_same(&of, subnet);
}

void subnet_gateway(const struct net_addr *subnet, struct net_addr *ret)
{
	*ret = *subnet;
	bytes(ret)[subnet_len(subnet->family) - 1] |= 1;
}

bool subnet_usable(const struct net_addr *subnet, const struct net_addr *a)
{
	struct net_addr gateway, last = *subnet;

	subnet_gateway(subnet, &gateway);
	fill_host(&last, true);
	return subnet_contains(subnet, a) && !subnet_same(a, subnet) && !subnet_same(a, &gateway) &&
	       !subnet_same(a, &last);
}

void subnet_next(const struct net_addr *subnet, struct net_addr *a)
{
	if (!subnet_contains(subnet, a))
		a->family = subnet->family, a->addr = subnet->addr;
	do {
		for (size_t i = subnet_len(a->family); i-- > 0;) {
			if (++bytes(a)[i])
				break;
		}
		if (!subnet_contains(subnet, a))
			a->addr = subnet->addr;
	} while (!subnet_usable(subnet, a));
	a->prefix = subnet->prefix;
}
