/*
 * cmd_image_gc — `rkt image gc`: take images out of the store that nobody uses, and what others left.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/log.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "stage0/imagegc.h"

struct image_gc_args {
	int64_t grace;
};

struct outcome {
	int removed;
	bool failed;
	struct err output; /* the first failure to write; removing goes on */
};

static void report(void *arg, enum image_gc_event ev, const char *what, const struct err *e)
{
	struct outcome *o = arg;
	switch (ev) {
	case IMAGE_GC_IMAGE:
		o->removed++;
		if (!o->output.code)
			(void)output_line(&o->output, "successfully removed aci for image: \"%s\"", what);
		return;
	case IMAGE_GC_TREE:
		log_info("removed the files of image \"%s\", which pods had kept", what);
		return;
	case IMAGE_GC_BLOB:
		log_info("removed blob \"%s\", which no image names", what);
		return;
	case IMAGE_GC_FAILED:
		o->failed = true;
		log_error("%s: %s", what, e->text);
		return;
	}
}

static int image_gc_run(struct cli *c, struct err *e)
{
	const struct image_gc_args *a = c->args;
	auto_host h = { 0 };
	struct outcome o = { .output = ERR_INIT };
	if (a->grace < 0)
		return cli_usage(c, e, "--grace-period cannot be negative");
	int r = host_open(&c->g, HOST_STORE | HOST_OPTIONAL, &h, e);
	if (r < 0 || !h.has_data)
		return r;
	struct image_gc_options opts = { .grace_ns = a->grace, .report = report, .arg = &o };
	r = image_gc(&h.data, &h.store, &opts, e);
	if (o.removed)
		log_info("%d image(s) successfully removed", o.removed);
	if (r < 0)
		return r;
	return o.output.code ? err_copy(e, &o.output) : o.failed ? CLI_EXIT_FAILURE : 0;
}

static const struct opt image_gc_opts[] = {
	{ .name = "grace-period",
	  .kind = OPT_DURATION,
	  .arg = "TIME",
	  .offset = offsetof(struct image_gc_args, grace),
	  .dflt = "24h",
	  .help = "duration to wait since an image was last used before removing it" },
	{ .kind = OPT_END },
};
static const struct opt *const image_gc_tables[] = { image_gc_opts, NULL };

const struct command cmd_image_gc = {
	.group = "image",
	.name = "gc",
	.args = "",
	.summary = "Garbage collect local store",
	.description =
		"Removes images that were not used for the grace period, but not those of pods that run or "
		"are\n"
		"prepared; files of removed images that no pod needs any more; and unfinished transfers and\n"
		"imports of an rkt that was killed. Pods of any state keep the files they stand on.\n"
		"Nothing is removed by itself: run this now and then, after rkt gc.",
	.tables = image_gc_tables,
	.args_size = sizeof(struct image_gc_args),
	.run = image_gc_run,
};
