/*
 * cmd_image_verify — `rkt image verify`: is what the store holds still what was downloaded?
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/log.h"
#include "rkt/images.h"
#include "rkt/output.h"

/* 1 good, 0 not, -errno. */
static int verify_image(const struct host *h, const char *text, const char *id, struct err *e)
{
	const char *detail = "";
	bool ok = false;
	auto_json reply = fetch_call(&h->fetch, "verify", json_pack("{s:s}", "id", id), e);
	if (!reply)
		return -e->code;
	int r = json_get_bool(reply, "", "ok", true, &ok, e);
	if (r >= 0)
		r = json_get_str(reply, "", "detail", false, &detail, e);
	if (r < 0)
		return r;
	if (!ok)
		log_error("image \"%s\" (%s): %s; remove it with 'rkt image rm' and fetch it again", text, id,
			  detail);
	return ok;
}

static int image_verify_run(struct cli *c, struct err *e)
{
	auto_host h = { 0 };
	int status = 0;
	if (!c->rest)
		return cli_usage(c, e, "must provide at least one image");
	int r = host_open(&c->g, HOST_STORE, &h, e);
	for (char **i = c->rest; r >= 0 && *i; i++) {
		char id[IMAGE_ID_LEN + 1];
		r = image_lookup(&h, *i, id, e);
		if (r == 0)
			r = verify_image(&h, *i, id, e);
		if (r == 0)
			status = CLI_EXIT_FAILURE;
		if (r == 1)
			r = output_line(e, "successfully verified checksum for image: \"%s\" (\"%s\")", *i,
					id);
	}
	return r < 0 ? r : status;
}

const struct command cmd_image_verify = {
	.group = "image",
	.name = "verify",
	.args = "IMAGE ...",
	.summary = "Verify one or more images in the local store",
	.description =
		"Computes the digests of what was downloaded again and compares the extracted files with\n"
		"it, one by one.",
	.complete = COMP_IMAGE,
	.run = image_verify_run,
};
