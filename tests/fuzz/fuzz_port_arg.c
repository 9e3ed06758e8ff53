/* fuzz_port_arg — the texts of --port: what is accepted is canonical, so that its own spelling means the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "schema/portspec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct port_spec *a, bool full)
{
	const char *open = a->host_ip && strchr(a->host_ip, ':') ? "[" : "", *close = *open ? "]" : "";
	const char *ip = a->host_ip ? a->host_ip : "";
	auto_free char *text = full ? xasprintf("%s:%s:%u:%s%s%s:%u", a->name, a->protocol,
						(unsigned int)a->pod_port, open, ip, close,
						(unsigned int)a->host_port)
				    : xasprintf("%s:%s%s%s%s%u%s%s", a->name, open, ip, close, *ip ? ":" : "",
						(unsigned int)a->host_port, a->protocol ? "/" : "",
						a->protocol ? a->protocol : "");
	struct port_specs l = { NULL, 0 };
	struct port_spec b = { .name = NULL };
	struct err e = ERR_INIT;

	if ((full ? port_spec_parse_full(text, &b, &e) : port_spec_parse(text, &b, &e)) < 0 ||
	    strcmp(a->name, b.name) != 0 || a->host_port != b.host_port || a->pod_port != b.pod_port ||
	    a->protocol != b.protocol || !a->host_ip != !b.host_ip ||
	    (a->host_ip && strcmp(a->host_ip, b.host_ip) != 0))
		abort();
	port_specs_push_take(&l, &b);
	port_specs_done(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	struct port_specs l = { NULL, 0 };
	struct port_spec s = { .name = NULL };
	struct err e = ERR_INIT;

	if (port_spec_parse(text, &s, &e) == 0) {
		again(&s, false);
		port_specs_push_take(&l, &s);
	}
	if (port_spec_parse_full(text, &s, &e) == 0) {
		again(&s, true);
		port_specs_push_take(&l, &s);
	}
	port_specs_done(&l);
	return 0;
}
