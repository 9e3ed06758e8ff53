/*
 * cmd_image_cat_manifest — `rkt image cat-manifest`: the manifest of a stored image.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/strv.h"
#include "rkt/images.h"
#include "rkt/output.h"

struct image_cat_args {
	bool pretty;
};

static int print_manifest(const char *text, bool pretty, struct err *e)
{
	auto_image_manifest m = image_manifest_parse(text, strlen(text), e);
	if (!m)
		return -e->code;
	return output_json(image_manifest_to_json(m), pretty ? OUTPUT_JSON_PRETTY : OUTPUT_JSON, e);
}

static int image_cat_run(struct cli *c, struct err *e)
{
	const struct image_cat_args *a = c->args;
	auto_host h = { 0 };
	struct image_info info = { 0 };
	char id[IMAGE_ID_LEN + 1];
	if (strv_len(c->rest) != 1)
		return cli_usage(c, e, "must provide exactly one image");
	int r = host_open(&c->g, HOST_STORE, &h, e);
	if (r == 0)
		r = image_lookup(&h, c->rest[0], id, e);
	if (r == 0)
		r = store_image_load(&h.store, id, &info, e);
	if (r == 0)
		r = print_manifest(info.manifest, a->pretty, e);
	image_info_done(&info);
	return r;
}

static const struct opt image_cat_opts[] = {
	{ .name = "pretty-print",
	  .kind = OPT_BOOL,
	  .offset = offsetof(struct image_cat_args, pretty),
	  .dflt = "true",
	  .help = "apply indent to format the output" },
	{ .kind = OPT_END },
};
static const struct opt *const image_cat_tables[] = { image_cat_opts, NULL };

const struct command cmd_image_cat_manifest = {
	.group = "image",
	.name = "cat-manifest",
	.args = "IMAGE",
	.summary = "Inspect and print the image manifest",
	.description = "Prints the manifest of an image in the local store, in canonical form.",
	.tables = image_cat_tables,
	.args_size = sizeof(struct image_cat_args),
	.complete = COMP_IMAGE,
	.run = image_cat_run,
};
