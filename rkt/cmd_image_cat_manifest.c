/*
 * cmd_image_cat_manifest — `rkt image cat-manifest`: the manifest of a stored image.
 */
#include "rkt/commands.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/strv.h"
#include "oci/imageconfig.h"
#include "rkt/images.h"
#include "rkt/output.h"
#include "stage0/imagelayers.h"

struct image_cat_args {
	bool pretty, oci;
};

static int print_manifest(const char *text, bool pretty, struct err *e)
{
	auto_image_manifest m = image_manifest_parse(text, strlen(text), e);
	if (!m)
		return -e->code;
	return output_json(image_manifest_to_json(m), pretty ? OUTPUT_JSON_PRETTY : OUTPUT_JSON, e);
}

/* One document of the image, member @name of @all. */
static int add_document(const struct store *s, const char *name, const char *digest, json_t *all,
			struct err *e)
{
	auto_buf text = BUF_INIT;
	auto_close int fd = store_blob_fd(s, digest);
	int r = fd < 0 ? fd : fd_read_all(fd, OCI_CONFIG_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "read %s %s", name, digest);
	json_t *doc = json_parse(buf_str(&text), text.len, e);
	if (!doc)
		return err_ctx(e, "%s %s", name, digest);
	(void)json_object_set_new(all, name, doc);
	return 0;
}

static int print_documents(const struct store *s, const struct image_info *i, bool pretty, struct err *e)
{
	auto_free char *digest = xasprintf("%s:%s", i->blob_algo, i->blob_digest);
	auto_json all = json_object();

	if (!i->nlayers)
		return err_set(e, ERR_INPUT, EINVAL, "image \"%s\" is an ACI: it has no OCI documents",
			       i->name);
	int r = add_document(s, "manifest", digest, all, e);
	if (r == 0)
		r = add_document(s, "config", i->config_digest, all, e);
	return r < 0 ? r : output_json(steal_ptr(&all), pretty ? OUTPUT_JSON_PRETTY : OUTPUT_JSON, e);
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
		r = a->oci ? print_documents(&h.store, &info, a->pretty, e)
			   : print_manifest(info.manifest, a->pretty, e);
	image_info_done(&info);
	return r;
}

static const struct opt image_cat_opts[] = {
	{ .name = "oci",
	  .kind = OPT_BOOL,
	  .offset = offsetof(struct image_cat_args, oci),
	  .help = "print manifest and config of an OCI or docker image instead" },
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
	.description = "Prints the manifest of an image in the local store, in canonical form; of an OCI or\n"
		       "docker image what rkt makes of its config, or with --oci its own documents.",
	.tables = image_cat_tables,
	.args_size = sizeof(struct image_cat_args),
	.complete = COMP_IMAGE,
	.run = image_cat_run,
};
