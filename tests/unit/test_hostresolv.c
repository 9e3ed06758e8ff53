/* hostresolv: what of a host's resolv.conf is of use to a pod. */
#include "stage1/net/hostresolv.h"

#include "base/alloc.h"
#include "suite.h"

START_TEST(filter)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "nameserver 192.0.2.1", "nameserver 192.0.2.1\n" },
		{ "nameserver\t192.0.2.1 \t\r\n", "nameserver 192.0.2.1\n" },
		{ "nameserver 192.0.2.1 # ours\n", "nameserver 192.0.2.1\n" },
		/* resolv.conf(5): the keyword begins the line */
		{ " nameserver 192.0.2.1\n", "" },
		{ "nameservers 192.0.2.1\n", "" },
		{ "nameserver\nnameserver \n", "" },
		{ "nameserver resolver.example\n", "" },
		{ "nameserver 127.0.0.1\nnameserver 127.8.9.10\nnameserver ::1\nnameserver "
		  "0.0.0.0\nnameserver ::\n",
		  "" },
		{ "nameserver fe80::1\nnameserver fe80::1%eth0\n", "" },
		{ "nameserver 126.0.0.1\nnameserver 128.0.0.1\nnameserver fd00::1\n",
		  "nameserver 126.0.0.1\nnameserver 128.0.0.1\nnameserver fd00::1\n" },
		{ "search a b\ndomain c\noptions rotate\n", "" },
		{ "search a  b\nnameserver 192.0.2.1\ndomain c\noptions rotate\nsortlist 10.0.0.0\n",
		  "search a  b\nnameserver 192.0.2.1\ndomain c\noptions rotate\n" },
		{ "# nameserver 192.0.2.2\n;nameserver 192.0.2.3\nnameserver 192.0.2.1\n",
		  "nameserver 192.0.2.1\n" },
		{ "search a\x1b[2J\nnameserver 192.0.2.1\n", "nameserver 192.0.2.1\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xstrdup(rows[i].text);
		auto_buf out = BUF_INIT;

		hostresolv_filter(text, &out);
		ck_assert_msg(strcmp(buf_str(&out), rows[i].want) == 0, "row %zu: %s", i, buf_str(&out));
	}
}
END_TEST

START_TEST(appended)
{
	char text[] = "nameserver 192.0.2.1\n";
	auto_buf out = BUF_INIT;

	buf_adds(&out, "# before\n");
	hostresolv_filter(text, &out);
	ck_assert_str_eq(buf_str(&out), "# before\nnameserver 192.0.2.1\n");
}
END_TEST

int main(void)
{
	return SUITE_RUN("hostresolv", filter, appended);
}
