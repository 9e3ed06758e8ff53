/*
 * proxybox — the proxy of published ports without a pod.
 *
 *   proxybox PORTMAPPINGS ADDRESS...     binds what CNI's portMappings (JSON) say, prints "ready" and serves towards these
 *                                        addresses for ever; a failure is one line on standard error and status 1
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage1/net/proxy.h"

static int parse_addresses(char **texts, int n, struct net_result *ret, struct err *e)
{
	ret->v = xcalloc((size_t)n + 1, sizeof(ret->v[0]));
	for (int i = 0; i < n; i++) {
		struct net_addr *a = &ret->v[ret->n++];

		a->family = strchr(texts[i], ':') ? AF_INET6 : AF_INET;
		if (inet_pton(a->family, texts[i], &a->addr) != 1)
			return err_set(e, ERR_USAGE, EINVAL, "%s: no address", texts[i]);
	}
	return 0;
}

static int serve(int argc, char **argv, struct err *e)
{
	auto_json j = json_parse(argv[1], strlen(argv[1]), e);
	struct port_maps maps = { NULL, 0 };
	struct net_result to = { .v = NULL };
	struct proxy *p;
	int r = j ? port_maps_from_json(j, &maps, e) : -e->code;

	if (r == 0)
		r = parse_addresses(argv + 2, argc - 2, &to, e);
	p = r < 0 ? NULL : proxy_bind(&maps, e);
	if (p) {
		(void)puts("ready");
		(void)fflush(stdout);
		(void)proxy_serve(p, &to, e); /* returns to tell why not */
	}
	proxy_free(p);
	free(maps.v);
	free(to.v);
	return -e->code;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc < 2 || serve(argc, argv, &e) < 0)
		(void)fprintf(stderr, "proxybox: %s\n", argc < 2 ? "usage: PORTMAPPINGS ADDRESS..." : e.text);
	return 1;
}
