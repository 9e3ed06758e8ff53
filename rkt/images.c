/*
 * images — see images.h.
 *
 * A cached image costs one or two small files of the store.  Only what must be downloaded, imported
 * or verified starts the fetch program.
 */
#include "rkt/images.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "stage0/ref.h"

static const char *const policy_names[] = {
	[PULL_NEW] = "new", [PULL_UPDATE] = "update", [PULL_NEVER] = "never"
};

struct job {
	struct host *h;
	const struct image_ref *ref;
	const char *signature;
	enum pull_policy policy;
};

static int copy_id(const char *id, char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	if (!id || !image_id_valid(id))
		return err_set(e, ERR_SYS, EPROTO, "the fetch program answered without an image id");
	memcpy(ret, id, IMAGE_ID_LEN + 1);
	return 0;
}

static int fetch(const struct job *j, char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	const struct image_ref *ref = j->ref;
	static const char *const kinds[] = {
		[REF_FILE] = "file", [REF_HTTP] = "http", [REF_OCI] = "oci", [REF_HASH] = "", [REF_NAME] = ""
	};
	json_t *image = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "kind", kinds[ref->kind], "url", ref->url,
				  "text", ref->text, "path", ref->path, "arch", ref->arch);
	json_t *request = json_pack("{s:o, s:s*, s:s}", "image", image, "signature", j->signature,
				    "pullPolicy", policy_names[j->policy]);
	if (!request)
		return err_set(e, ERR_INPUT, EILSEQ, "image \"%s\": the name is not UTF-8", ref->text);
	auto_json reply = fetch_call(&j->h->fetch, "fetch", request, e);
	if (!reply)
		return -e->code;
	const char *id = NULL;
	int r = json_get_str(reply, "", "id", true, &id, e);
	return r < 0 ? r : copy_id(id, ret, e);
}

/* Is the URL known, the image that came from it still there, and good enough for this caller?
 * -ENOENT, -EKEYREJECTED. */
static int find_url(const struct job *j, char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	struct url_info known = { 0 };
	struct image_info i = { 0 };
	int r = store_url_load(&j->h->store, j->ref->url, &known, e);
	if (r < 0)
		return r;
	if (store_image_load(&j->h->store, known.image_id, &i, e) < 0) {
		err_clear(e);
		r = err_set(e, ERR_STATE, ENOENT, "the image of %s is not in the store", j->ref->url);
	} else {
		r = image_info_require_verified(&i, j->h->g->insecure & INSECURE_IMAGE, e);
	}
	if (r == 0)
		r = copy_id(i.id, ret, e);
	image_info_done(&i);
	url_info_done(&known);
	return r;
}

static int obtain_http(const struct job *j, char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	if (j->policy == PULL_UPDATE)
		return fetch(j, ret, e);
	int r = find_url(j, ret, e);
	if (r == 0) {
		log_debug("image: using image from local store for url %s", j->ref->url);
		return 0;
	}
	if (j->policy == PULL_NEVER && r == -ENOENT) {
		err_clear(e);
		return err_set(e, ERR_STATE, ENOENT,
			       "unable to fetch image from url \"%s\": it is not in the store, and the pull "
			       "policy is never",
			       j->ref->url);
	}
	if (j->policy == PULL_NEVER || (r != -ENOENT && r != -EKEYREJECTED))
		return r;
	err_clear(e);
	return fetch(j, ret, e);
}

static int obtain_name(const struct job *j, char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	const struct image_ref *ref = j->ref;
	if (j->policy == PULL_UPDATE)
		return err_set(e, ERR_STATE, ENOTSUP,
			       "image \"%s\": discovery of images by name is not in this version; "
			       "give the file or the URL of the image",
			       ref->text);
	int r = store_resolve_name(&j->h->store, ref->name, &ref->labels, ret, e);
	if (r == 0)
		log_debug("image: using image from local store for image name %s", ref->text);
	if (r == -ENOENT)
		return err_set(
			e, ERR_STATE, ENOENT,
			"image \"%s\": not in the store, and discovery of images by name is not in this "
			"version; fetch it by file or URL first",
			ref->text);
	return r;
}

int image_obtain(struct host *h, const char *text, const char *signature, enum pull_policy policy,
		 unsigned int flags, char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	struct image_ref ref = { 0 };
	struct job j = { .h = h, .ref = &ref, .signature = signature, .policy = policy };
	int r = image_ref_parse(text, flags, &ref, e);
	if (r < 0)
		return r;
	switch (ref.kind) {
	case REF_HASH:
		r = store_resolve_id(&h->store, ref.id, ret, e);
		break;
	case REF_FILE:
		r = fetch(&j, ret, e);
		break;
	case REF_HTTP:
		r = obtain_http(&j, ret, e);
		break;
	case REF_OCI: /* what lies on disk may change under its name */
		r = ref.local ? fetch(&j, ret, e) : obtain_http(&j, ret, e);
		break;
	case REF_NAME:
		r = obtain_name(&j, ret, e);
		break;
	}
	image_ref_done(&ref);
	return r;
}

int image_require_verified(const struct host *h, const char *id, struct err *e)
{
	struct image_info i = { 0 };
	int r = store_image_load(&h->store, id, &i, e);
	if (r == 0)
		r = image_info_require_verified(&i, h->g->insecure & INSECURE_IMAGE, e);
	image_info_done(&i);
	return r;
}

int image_lookup(const struct host *h, const char *text, char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	struct image_ref ref = { 0 };
	int r = image_ref_parse(text, REF_STORE_ONLY, &ref, e);
	if (r < 0)
		return r;
	if (ref.kind == REF_HASH)
		r = store_resolve_id(&h->store, ref.id, ret, e);
	else
		r = store_resolve_name(&h->store, ref.name, &ref.labels, ret, e);
	image_ref_done(&ref);
	return r;
}
