/* dns: values, what excludes what, the mode for stage1. */
#include "stage0/dns.h"

#include <errno.h>
#include <stdlib.h>

#include "suite.h"

START_TEST(modes)
{
	static const struct {
		const char *dns, *search, *hosts, *want;
	} rows[] = {
		{ NULL, NULL, NULL, NULL },
		{ "192.0.2.1", NULL, NULL, "resolv=stage0,hosts=default" },
		{ "host", NULL, NULL, "resolv=host,hosts=default" },
		{ "none", NULL, "host", "resolv=none,hosts=host" },
		{ NULL, "a.example", "192.0.2.1=x", "resolv=stage0,hosts=stage0" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dns d = { 0 };
		struct err e = ERR_INIT;

		if (rows[i].dns)
			OK(dns_add_servers(&d, rows[i].dns, &e));
		if (rows[i].search)
			OK(dns_add_search(&d, rows[i].search, &e));
		if (rows[i].hosts)
			OK(dns_add_hosts(&d, rows[i].hosts, &e));
		OK(dns_check(&d, &e));
		char *mode = dns_mode(&d);
		if (rows[i].want)
			ck_assert_str_eq(mode, rows[i].want);
		else
			ck_assert_ptr_null(mode);
		free(mode);
		dns_done(&d);
	}
}
END_TEST

START_TEST(refused)
{
	static const struct {
		int (*add)(struct dns *, const char *, struct err *);
		const char *value;
	} rows[] = {
		{ dns_add_servers, "" },
		{ dns_add_servers, "1.2.3" },
		{ dns_add_servers, "1.2.3.4,,5.6.7.8" },
		{ dns_add_servers, "1.2.3.4,none" },
		{ dns_add_search, "" },
		{ dns_add_search, "a\nb" },
		{ dns_add_option, "\x7f" },
		{ dns_set_domain, "a b" },
		{ dns_add_hosts, "" },
		{ dns_add_hosts, "1.2.3.4" },
		{ dns_add_hosts, "1.2.3.4=" },
		{ dns_add_hosts, "=x" },
		{ dns_add_hosts, "1.2.3.4=a\tb" },
		{ dns_add_hosts, "1.2.3.4=a,host" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dns d = { 0 };
		struct err e = ERR_INIT;

		ck_assert_msg(rows[i].add(&d, rows[i].value, &e) < 0, "%s", rows[i].value);
		ck_assert_int_eq(e.cls, ERR_USAGE);
		dns_done(&d);
	}
}
END_TEST

START_TEST(names_of_one_address_share_a_line)
{
	struct dns d = { 0 };
	struct err e = ERR_INIT;

	OK(dns_add_hosts(&d, "192.0.2.1=a,192.0.2.2=b", &e));
	OK(dns_add_hosts(&d, "192.0.2.1=c", &e));
	ck_assert_uint_eq(d.nhosts, 2);
	ck_assert_str_eq(d.hosts[0].names[1], "c");
	dns_done(&d);
}
END_TEST

int main(void)
{
	return SUITE_RUN("dns", modes, refused, names_of_one_address_share_a_line);
}
