/*
 * cmd_cat_manifest — `rkt cat-manifest`: the manifest of a pod.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/strv.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "rkt/uuidarg.h"
#include "stage0/pod.h"

struct cat_args {
	bool pretty;
	char *uuid_file;
};

static int cat_run(struct cli *c, struct err *e)
{
	const struct cat_args *a = c->args;
	auto_strv uuids = NULL;
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	/* The file wins over an argument here, unlike in the other verbs. */
	if (a->uuid_file) {
		strv_freep(&c->rest);
		c->rest = NULL;
	}
	int r = uuid_args(c, a->uuid_file, false, &uuids, e);
	if (r == 0)
		r = host_open(&c->g, 0, &h, e);
	if (r == 0)
		r = pod_open_prefix(&h.data, uuids[0], &p, e);
	if (r < 0)
		return r;
	auto_pod_manifest m = pod_manifest_load(&p, e);
	if (!m)
		return err_ctx(e, "pod \"%s\"", p.uuid);
	return output_json(pod_manifest_to_json(m), a->pretty ? OUTPUT_JSON_PRETTY : OUTPUT_JSON, e);
}

#define C(member) offsetof(struct cat_args, member)
static const struct opt cat_opts[] = {
	{ .name = "pretty-print",
	  .kind = OPT_BOOL,
	  .offset = C(pretty),
	  .dflt = "true",
	  .help = "apply indent to format the output" },
	{ .name = "uuid-file",
	  .kind = OPT_STR,
	  .arg = "FILE",
	  .offset = C(uuid_file),
	  .complete = COMP_FILE,
	  .help = "read the pod's UUID from a file instead of the argument" },
	{ .kind = OPT_END },
};
static const struct opt *const cat_tables[] = { cat_opts, NULL };

const struct command cmd_cat_manifest = {
	.name = "cat-manifest",
	.args = "UUID",
	.summary = "Inspect and print the pod manifest",
	.description = "Prints the manifest that the pod was prepared from, in canonical form.",
	.tables = cat_tables,
	.args_size = sizeof(struct cat_args),
	.complete = COMP_UUID_ANY,
	.run = cat_run,
};
