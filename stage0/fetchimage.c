/*
 * fetchimage — the operation "fetch": acquire, verify, extract, verify the name, publish.
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "stage0/import.h"
#include "stage0/interrupt.h"

bool wanted_unsigned(const struct job *j, const struct wanted *w)
{
	return w->trust_unsigned || (j->insecure & INSECURE_IMAGE);
}

static int check_manifest(const struct image_manifest *m, struct err *e)
{
	if (m->ndeps)
		return err_set(
			e, ERR_INPUT, ENOTSUP,
			"image \"%s\" depends on other images (%s%s), which this version cannot resolve",
			m->name, m->deps[0].image_name, m->ndeps > 1 ? ", …" : "");
	return 0;
}

static int publish(struct job *j, const struct wanted *want, const struct trust *t, const struct work *blob,
		   const struct work *tree, const struct imported *i, struct err *e)
{
	struct verified_by *by = t->scoped.n ? xcalloc(t->scoped.n, sizeof(*by)) : NULL;
	struct import_origin origin = { want->url, by, t->scoped.n };

	for (size_t k = 0; k < t->scoped.n; k++)
		by[k] = (struct verified_by){ t->scoped.v[k].fingerprint, t->scoped.v[k].scope };
	int r = interrupt_check(e);
	if (r >= 0)
		r = import_publish(&j->store, blob->fd, tree->name, i, &origin, e);
	free(by);
	return r;
}

int image_finish(struct job *j, const struct wanted *want, struct trust *t, struct work *w,
		 char ret_id[IMAGE_ID_LEN + 1], struct err *e)
{
	auto_imported i = { 0 };
	auto_work tree = WORK_INIT;
	auto_close int blob = openat(w->fd, "blob", O_RDONLY | O_CLOEXEC);

	if (blob < 0)
		return err_sys(e, errno, "open the copy of the image");
	int r = t->required ? trust_check_any(j, t, w, blob, e) : 0;
	if (r >= 0)
		r = interrupt_check(e);
	if (r >= 0)
		r = work_open(j, &tree, e);
	if (r >= 0)
		r = import_run(j->unpack, blob, tree.fd, &i, e);
	if (r < 0)
		return r;
	auto_image_manifest m = image_manifest_parse(i.manifest.data, i.manifest.len, e);
	if (!m)
		return err_ctx(e, "manifest");
	r = check_manifest(m, e);
	if (r >= 0 && t->required)
		r = trust_check_name(j, t, w, blob, m->name, e);
	if (r >= 0)
		r = publish(j, want, t, w, &tree, &i, e);
	if (r >= 0)
		memcpy(ret_id, i.id, sizeof(i.id));
	return r;
}

/* The signature of a file: beside it unless the user named one. */
static int read_signature_of_file(const struct wanted *want, struct trust *t, struct err *e)
{
	auto_free char *beside = xasprintf("%s.asc", want->path);
	return trust_read_file(t, want->signature ? want->signature : beside, e);
}

static int image_from_file(struct job *j, const struct wanted *want, char ret_id[IMAGE_ID_LEN + 1],
			   bool *fetched, struct err *e)
{
	auto_trust t = { .required = !wanted_unsigned(j, want) };
	auto_work w = WORK_INIT;
	int r = 0;

	*fetched = true;
	log_debug("using image from file %s", want->path);
	if (t.required)
		r = read_signature_of_file(want, &t, e);
	if (r >= 0)
		r = work_open(j, &w, e);
	if (r >= 0)
		r = acquire_file(want, &w, e);
	return r < 0 ? r : image_finish(j, want, &t, &w, ret_id, e);
}

static const struct {
	const char *name;
	int (*from)(struct job *j, const struct wanted *want, char ret_id[IMAGE_ID_LEN + 1], bool *fetched,
		    struct err *e);
} kinds[] = {
	{ "file", image_from_file },
	{ "http", image_from_url },
	{ "oci", image_from_oci },
};

static int parse_wanted(const struct job *j, struct wanted *w, struct err *e)
{
	const char *kind = "";
	json_t *image = NULL;
	int r = json_get_obj(j->request, "", "image", true, &image, e);

	if (r >= 0)
		r = json_get_str(image, ".image", "kind", true, &kind, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kind, kinds[i].name) == 0)
			w->from = kinds[i].from;
	}
	if (!w->from)
		return err_set(e, ERR_USAGE, EINVAL, ".image.kind: \"%s\" is not file, http or oci", kind);
	const struct {
		const json_t *obj;
		const char *key;
		bool required;
		const char **to;
	} strings[] = {
		{ image, "url", true, &w->url },
		{ image, "path", w->from == image_from_file, &w->path },
		{ image, "text", false, &w->text },
		{ image, "arch", false, &w->arch },
		{ j->request, "signature", false, &w->signature },
		{ j->request, "pullPolicy", false, &w->policy },
	};
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(strings); i++)
		r = json_get_str(strings[i].obj, "", strings[i].key, strings[i].required, strings[i].to, e);
	if (r >= 0)
		r = json_get_bool(j->request, "", "trustUnsigned", false, &w->trust_unsigned, e);
	return r;
}

int fetch_op_image(struct job *j, json_t **reply, struct err *e)
{
	struct wanted w = { .policy = "new" };
	char id[IMAGE_ID_LEN + 1] = "";
	bool fetched = true;
	int r = parse_wanted(j, &w, e);

	if (r < 0)
		return err_ctx(e, "request");
	r = job_open(j, e);
	if (r < 0)
		return r;
	if ((j->insecure & INSECURE_IMAGE) && !w.trust_unsigned)
		log_warn("image signature verification has been disabled");
	r = w.from(j, &w, id, &fetched, e);
	if (r < 0)
		return err_ctx(e, "image \"%s\"", w.text ? w.text : w.url);
	*reply = json_pack("{s:s,s:b}", "id", id, "fetched", fetched ? 1 : 0);
	return 0;
}
