/* fuzz_netresult — any bytes as the answer of a plugin; the first says under which version.  What is taken has addresses of two
 * families, lengths that fit, and words for resolv.conf that stay on their line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "stage1/net/cni.h"
#include "stage1/net/cniversion.h"
#include "stage1/net/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(char *const *v)
{
	for (size_t i = 0; v && v[i]; i++)
		if (!v[i][0] || strpbrk(v[i], " \t\r\n"))
			abort();
}

static void check(const struct net_result *r)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].prefix > (r->v[i].family == AF_INET ? 32 : 128) || !net_addr_text(&r->v[i], text))
			abort();
	}
	check_words(r->nameservers);
	check_words(r->search);
	check_words(r->options);
	if (r->domain && strpbrk(r->domain, " \n"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *version = cni_version_text(size ? data[0] % (CNI_1_0_0 + 1) : CNI_1_0_0);
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct net_result r;

	if (size)
		buf_add(&out, data + 1, size - 1);
	auto_json j = cni_answer(&out, version, &e);
	if (!j) {
		if (e.code == 0 || !e.text[0])
			abort();
	} else if (net_result_parse(j, version, "eth0", &r, &e) == 0) {
		check(&r);
		net_result_done(&r);
	} else if (e.code != EINVAL) {
		abort();
	}
	buf_done(&out);
	return 0;
}
