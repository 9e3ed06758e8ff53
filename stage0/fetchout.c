/* fetchout — the operations "save", "push" and "build": images on their way out. */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/path.h"
#include "oci/digest.h"
#include "oci/reference.h"
#include "stage0/http.h"
#include "stage0/outgoing.h"
#include "stage0/registry.h"
#include "stage0/save.h"

static int load(struct job *j, struct image_info *i, struct err *e)
{
	const char *id = NULL;
	int r = json_get_str(j->request, "", "id", true, &id, e);

	if (r == 0)
		r = job_open(j, e);
	return r < 0 ? r : store_image_load(&j->store, id, i, e);
}

int fetch_op_save(struct job *j, json_t **reply, struct err *e)
{
	struct image_info i = { .id = "" };
	const char *format = NULL, *path = NULL;
	int r = json_get_str(j->request, "", "format", true, &format, e);

	if (r == 0)
		r = json_get_str(j->request, "", "path", true, &path, e);
	if (r == 0)
		r = load(j, &i, e);
	if (r == 0)
		r = save_image(j, &i, NULL, format, path, e);
	image_info_done(&i);
	*reply = r < 0 ? NULL : json_object();
	return r;
}

/* ---- build ---- */

/* Open the directory above @root, whose own name is *name (heap). */
static int open_above(const char *root, char **name, struct err *e)
{
	auto_free char *real = realpath(root, NULL);
	const char *base = real ? path_base(real) : "";
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return err_sys(e, errno, "open %s", root);
	if (!S_ISDIR(st.st_mode))
		return err_sys(e, ENOTDIR, "open %s", root);
	if (!*base)
		return err_set(e, ERR_INPUT, EINVAL, "the root of this machine cannot become an image");
	auto_free char *parent = xstrndup(real, (size_t)(base - real));
	int dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, errno, "open %s", parent);
	*name = xstrdup(base);
	return dir;
}

int fetch_op_build(struct job *j, json_t **reply, struct err *e)
{
	struct image_info i = { .id = "" };
	const char *format = NULL, *path = NULL, *root = NULL, *name = NULL, *version = NULL;
	const struct {
		const char *key, **to;
	} strings[] = {
		{ "format", &format }, { "path", &path },       { "root", &root },
		{ "name", &name },     { "version", &version },
	};
	int r = 0;

	for (size_t n = 0; r == 0 && n < ARRAY_LEN(strings); n++)
		r = json_get_str(j->request, "", strings[n].key, true, strings[n].to, e);
	if (r < 0)
		return r;
	i.name = xstrdup(name);
	pairs_set(&i.labels, "version", version);
	auto_free char *base = NULL;
	auto_close int dir = open_above(root, &base, e);
	auto_json config = json_deep_copy(json_object_get(j->request, "config"));
	const struct outgoing_parts parts = { dir, base, config };
	r = dir < 0 ? dir : job_open(j, e);
	if (r >= 0)
		r = save_image(j, &i, &parts, format, path, e);
	image_info_done(&i);
	*reply = r < 0 ? NULL : json_object();
	return r < 0 ? r : 0;
}

/* ---- push ---- */

/* The repository it came from, if that is one of the same registry: "docker://HOST/NAME…". */
static char *origin_of(const struct image_info *i, const struct oci_reference *to)
{
	struct oci_reference from = { 0 };
	struct err ignored = ERR_INIT;
	char *name = NULL;

	if (i->origin && oci_reference_like(i->origin) &&
	    oci_reference_parse(i->origin, &from, &ignored) == 0 && from.transport == OCI_REGISTRY &&
	    strcmp(from.host, to->host) == 0 && strcmp(from.repository, to->repository) != 0)
		name = xstrdup(from.repository);
	oci_reference_done(&from);
	return name;
}

static int push_all(struct registry *reg, const struct store *s, const struct outgoing *o, const char *from,
		    const char *reference, int *sent, struct err *e)
{
	int r = 0;

	for (size_t n = 0; r == 0 && n < o->n; n++) {
		const struct registry_upload b = { o->blobs[n].digest, o->blobs[n].size, o->blobs[n].fd };
		bool took = false;

		r = registry_push_blob(reg, s, &b, from, &took, e);
		*sent += took;
		if (r == 0)
			log_info("%.19s: %s", o->blobs[n].digest, took ? "sent" : "is there");
	}
	return r < 0 ? r : registry_push_manifest(reg, reference, o->media_type, o->manifest, o->len, e);
}

static int push(struct job *j, const struct image_info *i, const struct oci_reference *to, json_t **reply,
		struct err *e)
{
	const struct http_options ho = { &j->config, j->insecure & INSECURE_TLS, j->stall_s };
	auto_http *http = http_new(&ho, e);
	auto_free char *from = origin_of(i, to);
	struct outgoing o = { 0 };
	struct registry reg;
	auto_work w = WORK_INIT;
	int r = http ? work_open(j, &w, e) : -e->code, sent = 0;

	if (r >= 0)
		r = outgoing_open(j, i, NULL, &w, &o, e);
	if (r < 0)
		return r;
	const struct registry_options ro = {
		.http = http,
		.config = &j->config,
		.env = environ,
		.actions = "pull,push",
		.allow_http = j->insecure & INSECURE_HTTP,
	};
	registry_open(&reg, &ro, to->host, to->repository);
	if (to->digest && strcmp(to->digest, o.digest) != 0)
		r = err_set(e, ERR_INPUT, EINVAL, "the image has digest %s, not %s", o.digest, to->digest);
	else
		r = push_all(&reg, &j->store, &o, from, to->tag ? to->tag : o.digest, &sent, e);
	registry_close(&reg);
	if (r >= 0)
		*reply = json_pack("{s:s, s:i}", "digest", o.digest, "sent", sent);
	outgoing_done(&o);
	return r;
}

int fetch_op_push(struct job *j, json_t **reply, struct err *e)
{
	struct image_info i = { .id = "" };
	struct oci_reference to = { 0 };
	const char *url = NULL;
	int r = json_get_str(j->request, "", "url", true, &url, e);

	if (r == 0)
		r = oci_reference_parse(url, &to, e);
	if (r == 0 && to.transport != OCI_REGISTRY)
		r = err_set(e, ERR_USAGE, EINVAL, "docker://HOST/NAME expected");
	if (r == 0)
		r = load(j, &i, e);
	if (r == 0)
		r = push(j, &i, &to, reply, e);
	oci_reference_done(&to);
	image_info_done(&i);
	return r;
}
