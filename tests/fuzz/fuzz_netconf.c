/* fuzz_netconf — any bytes as the configuration of a network: what is taken has a name and types that may be parts of paths, comes
 * back from a record as it was, and becomes JSON for every plugin. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "stage1/net/cni.h"
#include "stage1/net/exact.h"
#include "stage1/net/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct net_conf *c)
{
	struct err e = ERR_INIT;
	auto_json saved = net_conf_save(c);
	auto_free char *text = json_text(saved, JSON_TABS);
	auto_json read = json_parse(text, strlen(text), &e);
	struct net_conf *again = net_conf_load(read, &e);

	if (!again || strcmp(again->name, c->name) != 0 || strcmp(again->version, c->version) != 0 ||
	    !json_equal(again->plugins, c->plugins))
		abort();
	net_conf_free(again);
}

static void check_plugin(const struct net_conf *c, size_t i, const json_t *runtime)
{
	struct err e = ERR_INIT;
	auto_free char *text = cni_config(c, i, NULL, "", runtime);
	auto_json j = exact_parse(text, strlen(text), &e);
	auto_free char *again = j ? exact_text(j) : NULL;

	if (!again || strcmp(text, again) != 0 ||
	    strcmp(json_string_value(json_object_get(j, "name")), c->name) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char args[] = "IP=10.0.0.2;MAC=0a:00:00:00:00:01;egressRate=1;egressBurst=2";
	struct err e = ERR_INIT;
	struct net_conf *c = net_conf_parse((const char *)data, size, "x.conf", &e);
	auto_json runtime = json_object();

	if (!c) {
		if (e.code == 0 || !e.text[0])
			abort();
		return 0;
	}
	if (!net_name_valid(c->name) || json_array_size(c->plugins) == 0 ||
	    cni_runtime_of_args(c, args, runtime, &e) < 0)
		abort();
	for (size_t i = 0; i < json_array_size(c->plugins); i++) {
		const char *type = json_string_value(json_member(json_array_get(c->plugins, i), "type"));

		if (!type || !plugin_type_valid(type) || strchr(type, '/'))
			abort();
		check_plugin(c, i, runtime);
	}
	check_record(c);
	net_conf_free(c);
	return 0;
}
