/*
 * cmd_image_push — `rkt image push`: a stored image into a registry.
 */
#include "rkt/commands.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "rkt/images.h"
#include "rkt/output.h"
#include "stage0/ref.h"

static int send(struct host *h, const char *id, const char *to, struct err *e)
{
	struct image_ref ref = { 0 };
	const char *digest = "";
	int r = image_ref_parse(to, 0, &ref, e);

	if (r == 0 && (ref.kind != REF_OCI || ref.local || ref.arch))
		r = err_set(e, ERR_INPUT, EINVAL, "\"%s\": docker://HOST/NAME[:TAG] expected", to);
	auto_json reply = r < 0 ? NULL
				: fetch_call(&h->fetch, "push",
					     json_pack("{s:s, s:s}", "id", id, "url", ref.url), e);
	image_ref_done(&ref);
	if (!reply)
		return err_ctx(e, "push to \"%s\"", to);
	r = json_get_str(reply, "", "digest", true, &digest, e);
	return r < 0 ? r : output_line(e, "%s", digest);
}

static int image_push_run(struct cli *c, struct err *e)
{
	auto_host h = { 0 };
	char id[IMAGE_ID_LEN + 1];

	if (strv_len(c->rest) != 2)
		return cli_usage(c, e, "must provide an image and where to send it");
	int r = host_open(&c->g, HOST_STORE, &h, e);
	if (r == 0)
		r = image_lookup(&h, c->rest[0], id, e);
	return r < 0 ? r : send(&h, id, c->rest[1], e);
}

const struct command cmd_image_push = {
	.group = "image",
	.name = "push",
	.args = "IMAGE docker://[HOST[:PORT]/]NAME[:TAG]",
	.summary = "Send a stored image to a registry",
	.description =
		"Sends manifest and layers as they were fetched, byte for byte, and only what the registry\n"
		"does not have; an ACI becomes an OCI image of one layer. Prints the digest of the "
		"manifest.\n"
		"A push that was interrupted is continued by the next one of the same to the same place, "
		"where\n"
		"the registry has kept what it got.\n"
		"Passwords are found as for 'rkt fetch'.",
	.complete = COMP_IMAGE,
	.run = image_push_run,
};
