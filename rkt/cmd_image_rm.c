/*
 * cmd_image_rm — `rkt image rm`: take images out of the store.
 *
 * All arguments are looked up before the first image goes, so that two names of one image count as
 * one.  What pods still use stays on disk until they are gone.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "rkt/images.h"
#include "rkt/output.h"
#include "stage0/imagegc.h"

static int remove_image(const struct host *h, const char *id, struct err *e)
{
	int r = image_remove(&h->data, &h->store, id, e);
	return r < 0 ? r : output_line(e, "successfully removed aci for image: \"%s\"", id);
}

static int image_rm_run(struct cli *c, struct err *e)
{
	auto_host h = { 0 };
	auto_strv ids = NULL;
	int status = 0, removed = 0;
	if (!c->rest)
		return cli_usage(c, e, "must provide at least one image");
	int r = host_open(&c->g, HOST_STORE, &h, e);
	if (r < 0)
		return r;
	for (char **i = c->rest; *i; i++) {
		char id[IMAGE_ID_LEN + 1];
		struct err ie = ERR_INIT;
		if (image_lookup(&h, *i, id, &ie) < 0) {
			log_error("image \"%s\": %s", *i, ie.text);
			status = CLI_EXIT_FAILURE;
		} else if (!strv_has(ids, id)) {
			strv_push(&ids, id);
		}
	}
	for (char **i = ids; i && *i; i++) {
		struct err ie = ERR_INIT;
		if (remove_image(&h, *i, &ie) < 0) {
			log_error("image \"%s\": %s", *i, ie.text);
			status = CLI_EXIT_FAILURE;
		} else {
			removed++;
		}
	}
	if (removed)
		log_info("%d image(s) successfully removed", removed);
	return status;
}

const struct command cmd_image_rm = {
	.group = "image",
	.name = "rm",
	.args = "IMAGE ...",
	.summary = "Remove one or more images with the given ids or names from the local store",
	.description =
		"Pods that were prepared from an image go on working; their files are deleted with them.",
	.complete = COMP_IMAGE,
	.run = image_rm_run,
};
