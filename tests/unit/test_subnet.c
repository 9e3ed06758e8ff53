/* subnet: which addresses a pod can get, in both families, and round the end. */
#include "tests/unit/suite.h"

#include <arpa/inet.h>

#include "stage1/net/subnet.h"

static struct net_addr addr(const char *s)
{
	struct net_addr a = { 0 };
	struct err e = ERR_INIT;

	ck_assert_int_eq(subnet_parse_addr(s, &a, &e), 0);
	return a;
}

static struct net_addr subnet(const char *s)
{
	struct net_addr a = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(subnet_parse(s, &a, &e) == 0, "%s", e.text);
	return a;
}

static const char *const good[] = { "172.16.28.0/24",     "10.0.0.0/8",         "10.0.0.0/30",
				    "192.168.1.128/25",   "fd00::/8",           "fd72::/64",
				    "fd72:6b74:1c::/126", "fd72:6b74:1c::4/126" };
static const char *const bad[] = { "",
				   "/",
				   "172.16.28.0",
				   "172.16.28.0/",
				   "172.16.28.0/31",
				   "172.16.28.0/32",
				   "0.0.0.0/0",
				   "172.16.28.1/24",
				   "172.16.28/24",
				   "172.16.28.0/24x",
				   "172.16.28.0/-1",
				   "fd72::1/64",
				   "fd72::/127",
				   "fd72::/129",
				   "fd72:/64",
				   "::/0",
				   "172.16.28.0 /24",
				   "a/24",
				   "172.16.28.0/24/24" };

START_TEST(subnets_are_networks_with_room)
{
	struct net_addr a;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		(void)subnet(good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;

		ck_assert_msg(subnet_parse(bad[i], &a, &e) == -EINVAL, "\"%s\" passes", bad[i]);
		ck_assert_ptr_nonnull(strstr(e.text, bad[i]));
	}
}
END_TEST

static const struct {
	const char *subnet, *addr;
	bool contains, usable;
} members[] = {
	{ "172.16.28.0/24", "172.16.28.0", true, false },
	{ "172.16.28.0/24", "172.16.28.1", true, false },
	{ "172.16.28.0/24", "172.16.28.2", true, true },
	{ "172.16.28.0/24", "172.16.28.254", true, true },
	{ "172.16.28.0/24", "172.16.28.255", true, false },
	{ "172.16.28.0/24", "172.16.29.2", false, false },
	{ "172.16.28.0/24", "fd72::2", false, false },
	{ "192.168.1.128/25", "192.168.1.129", true, false },
	{ "192.168.1.128/25", "192.168.1.130", true, true },
	{ "192.168.1.128/25", "192.168.1.127", false, false },
	{ "172.31.0.0/16", "172.31.0.255", true, true },
	{ "172.31.0.0/16", "172.31.255.255", true, false },
	{ "fd72::/64", "fd72::", true, false },
	{ "fd72::/64", "fd72::1", true, false },
	{ "fd72::/64", "fd72::2", true, true },
	{ "fd72::/64", "fd72:0:0:1::2", false, false },
	{ "fd72::/64", "172.16.28.2", false, false },
};

START_TEST(some_addresses_are_nobodys)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct net_addr s = subnet(members[i].subnet), a = addr(members[i].addr);

		ck_assert_msg(subnet_contains(&s, &a) == members[i].contains, "%s", members[i].addr);
		ck_assert_msg(subnet_usable(&s, &a) == members[i].usable, "%s", members[i].addr);
	}
}
END_TEST

static const struct {
	const char *subnet, *from, *next;
} steps[] = {
	{ "172.16.28.0/24", "172.16.28.0", "172.16.28.2" },
	{ "172.16.28.0/24", "172.16.28.2", "172.16.28.3" },
	{ "172.16.28.0/24", "172.16.28.253", "172.16.28.254" },
	{ "172.16.28.0/24", "172.16.28.254", "172.16.28.2" },
	{ "172.16.28.0/24", "10.0.0.1", "172.16.28.2" },
	{ "172.16.28.0/24", "fd72::7", "172.16.28.2" },
	{ "172.31.0.0/16", "172.31.0.255", "172.31.1.0" },
	{ "172.16.99.0/30", "172.16.99.2", "172.16.99.2" },
	{ "fd72::/64", "fd72::ffff", "fd72::1:0" },
	{ "fd72::/126", "fd72::2", "fd72::2" },
	{ "255.255.255.0/24", "255.255.255.254", "255.255.255.2" },
};

START_TEST(the_next_one_goes_round)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct net_addr s = subnet(steps[i].subnet), a = addr(steps[i].from),
				want = addr(steps[i].next);
		char text[INET6_ADDRSTRLEN];

		subnet_next(&s, &a);
		ck_assert_msg(subnet_same(&a, &want), "after %s comes %s, not %s", steps[i].from,
			      steps[i].next, net_addr_text(&a, text));
		ck_assert_int_eq(a.prefix, s.prefix);
	}
}
END_TEST

START_TEST(the_gateway_is_the_first)
{
	struct net_addr s = subnet("192.168.1.128/25"), g, want = addr("192.168.1.129");
	struct net_addr s6 = subnet("fd72::/64"), g6, want6 = addr("fd72::1"), of;
	struct net_addr a = addr("192.168.1.200");

	subnet_gateway(&s, &g);
	subnet_gateway(&s6, &g6);
	ck_assert(subnet_same(&g, &want));
	ck_assert(subnet_same(&g6, &want6));
	a.prefix = 25;
	subnet_of(&a, &of);
	ck_assert(subnet_same(&of, &s));
}
END_TEST

int main(void)
{
	return SUITE_RUN("subnet", subnets_are_networks_with_room, some_addresses_are_nobodys,
			 the_next_one_goes_round, the_gateway_is_the_first);
}
