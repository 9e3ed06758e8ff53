/*
 * cmd_image_save — `rkt image save`: a stored image into a file or directory.
 */
#include "rkt/commands.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "rkt/images.h"
#include "rkt/outputarg.h"

static const char *const formats[] = { "oci-archive", "oci", "docker-archive", "aci", NULL };

struct image_save_args {
	char *format;
};

static int image_save_run(struct cli *c, struct err *e)
{
	const struct image_save_args *a = c->args;
	auto_host h = { 0 };
	char id[IMAGE_ID_LEN + 1];

	if (strv_len(c->rest) != 2)
		return cli_usage(c, e, "must provide an image and where to write it");
	auto_free char *path = NULL;
	const char *format;
	int r = output_arg(c->rest[1], a->format, formats, &format, &path, e);
	if (r == 0)
		r = host_open(&c->g, HOST_STORE, &h, e);
	if (r == 0)
		r = image_lookup(&h, c->rest[0], id, e);
	if (r < 0)
		return r;
	auto_json reply = fetch_call(
		&h.fetch, "save", json_pack("{s:s, s:s, s:s}", "id", id, "format", format, "path", path), e);
	return reply ? 0 : err_ctx(e, "image \"%s\"", c->rest[0]);
}

static const struct opt image_save_opts[] = {
	{ .name = "format",
	  .kind = OPT_STR,
	  .arg = "FORMAT",
	  .offset = offsetof(struct image_save_args, format),
	  .choices = formats,
	  .complete = COMP_CHOICES,
	  .help = "oci-archive (if nothing is said), oci (a directory), docker-archive or aci" },
	{ .kind = OPT_END },
};
static const struct opt *const image_save_tables[] = { image_save_opts, NULL };

const struct command cmd_image_save = {
	.group = "image",
	.name = "save",
	.args = "IMAGE [FORMAT:]OUTPUT",
	.summary = "Write a stored image to disk, for others to load",
	.description =
		"Writes an OCI image layout, the same in one file, what 'docker load' reads, or an ACI.\n"
		"An image of that kind leaves as it was fetched, byte for byte. An ACI becomes an OCI image "
		"of\n"
		"one layer; of an OCI image the layers become the root of an ACI, without what they take "
		"from\n"
		"each other, and 'rkt image cat-manifest' shows its manifest; the same bytes every time.\n"
		"OUTPUT must not exist; FORMAT:OUTPUT is short for --format=FORMAT OUTPUT.",
	.tables = image_save_tables,
	.args_size = sizeof(struct image_save_args),
	.complete = COMP_IMAGE,
	.run = image_save_run,
};
