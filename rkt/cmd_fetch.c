/*
 * cmd_fetch — `rkt fetch`: images into the store, verified; also `rkt image fetch`.
 */
#include "rkt/commands.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "rkt/images.h"
#include "rkt/output.h"
#include "rkt/podflags.h"
#include "stage0/ref.h"

struct fetch_args {
	struct pull_args pull;
	bool full;
	struct app_args apps;
};

static int fetch_parse(struct cli *c, struct err *e)
{
	struct fetch_args *a = c->args;
	struct opt_set sets[CLI_TABLES_MAX];
	size_t n = cli_opt_sets(c, sets);
	return appargs_parse(sets, n, c->argc, c->argv, APPARGS_NO_ARGS, &a->apps, e);
}

static int fetch_run(struct cli *c, struct err *e)
{
	struct fetch_args *a = c->args;
	enum pull_policy policy;
	auto_host h = { 0 };
	auto_buf ids = BUF_INIT;
	int r = pull_policy_of(&a->pull, &policy, e);
	if (r == 0 && !a->apps.n)
		r = cli_usage(c, e, "must provide at least one image");
	if (r == 0)
		r = host_open(&c->g, HOST_CREATE | HOST_STORE, &h, e);
	for (size_t i = 0; r == 0 && i < a->apps.n; i++) {
		char id[IMAGE_ID_LEN + 1], shown[IMAGE_ID_LEN + 1];
		r = image_obtain(&h, a->apps.v[i].image, a->apps.v[i].signature, policy, REF_NO_HASH, id, e);
		if (r == 0)
			r = image_require_verified(&h, id, e);
		if (r < 0)
			return r;
		output_image_id(id, a->full, OUTPUT_ID_FETCH, shown);
		buf_addf(&ids, "%s\n", shown);
	}
	return r < 0 ? r : output_write(&ids, e);
}

static void fetch_done(void *args)
{
	app_args_done(&((struct fetch_args *)args)->apps);
}

#define F(member) offsetof(struct fetch_args, member)
static const char *const policies[] = { "new", "update", "never", NULL };
/* clang-format off */
static const struct opt fetch_opts[] = {
	{ .name = "full", .kind = OPT_BOOL, .offset = F(full), .help = "print the full image id after fetching" },
	{ .name = "no-store", .kind = OPT_BOOL, .offset = F(pull.no_store), .flags = OPT_DEPRECATED,
	  .instead = "pull-policy=update", .help = "fetch images, ignoring the local store" },
	{ .name = "pull-policy", .kind = OPT_STR, .arg = "POLICY", .offset = F(pull.policy), .dflt = "update",
	  .choices = policies, .complete = COMP_CHOICES, .help = "when to pull an image: new, update or never" },
	{ .name = "store-only", .kind = OPT_BOOL, .offset = F(pull.store_only), .flags = OPT_DEPRECATED,
	  .instead = "pull-policy=never", .help = "use only images in the local store" },
	{ .kind = OPT_END },
};
/* clang-format on */
static const struct opt *const fetch_tables[] = { fetch_opts, podflags_signature, NULL };

/* clang-format off */
#define FETCH_COMMON                                                                                          \
	.name = "fetch", .args = "IMAGE [--signature=FILE] ...",                                              \
	.summary = "Fetch image(s) and store them in the local store",                                       \
	.description = "Locates, downloads and verifies each image: an ACI by its path or a file, http or https\n" \
		       "URL; an OCI or docker image by docker://[HOST[:PORT]/]NAME[:TAG][@DIGEST], or on disk\n" \
		       "by oci:DIR[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:REF], each with\n"     \
		       ",arch=NAME for another machine's. The signature of an ACI is expected beside it, as\n" \
		       "NAME.aci.asc, or is given with --signature after the image. Prints the id of each\n"   \
		       "image. Keys are trusted with 'rkt trust'.",                                            \
	.tables = fetch_tables, .args_size = sizeof(struct fetch_args), .complete = COMP_IMAGE,              \
	.parse = fetch_parse, .run = fetch_run, .done = fetch_done
/* clang-format on */

const struct command cmd_fetch = { FETCH_COMMON };
const struct command cmd_image_fetch = { FETCH_COMMON, .group = "image", .flags = COMMAND_HIDDEN };
