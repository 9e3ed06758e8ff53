#include "oci/document.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/strv.h"
#include "oci/digest.h"
#include "schema/check.h"

void oci_platform_done(struct oci_platform *p)
{
	free(p->os);
	free(p->architecture);
	free(p->variant);
	*p = (struct oci_platform){ 0 };
}

void oci_descriptor_done(struct oci_descriptor *d)
{
	free(d->media_type);
	free(d->digest);
	strv_free(d->urls);
	pairs_done(&d->annotations);
	oci_platform_done(&d->platform);
	*d = (struct oci_descriptor){ 0 };
}

void oci_document_done(struct oci_document *d)
{
	for (size_t i = 0; i < d->n; i++)
		oci_descriptor_done(&d->entries[i]);
	free(d->entries);
	oci_descriptor_done(&d->config);
	*d = (struct oci_document){ 0 };
}

/* ---- descriptors ---- */

static int read_platform(const json_t *obj, const char *where, struct oci_platform *ret, struct err *e)
{
	const char *os = NULL, *arch = NULL, *variant = NULL;
	char at[WHERE_MAX];
	json_t *p = NULL;

	if (json_get_obj(obj, where, "platform", false, &p, e) < 0)
		return -EINVAL;
	if (!p)
		return 0;
	where_key(at, where, "platform");
	if (json_get_str(p, at, "os", true, &os, e) < 0 ||
	    json_get_str(p, at, "architecture", true, &arch, e) < 0 ||
	    json_get_str(p, at, "variant", false, &variant, e) < 0)
		return -EINVAL;
	ret->os = xstrdup(os);
	ret->architecture = xstrdup(arch);
	ret->variant = variant && *variant ? xstrdup(variant) : NULL;
	return 0;
}

/* @ret is zeroed, and the caller's to free in every case. */
static int read_descriptor(const json_t *obj, const char *where, struct oci_descriptor *ret, struct err *e)
{
	const char *type = NULL, *digest = NULL;
	char at[WHERE_MAX];
	json_t *notes = NULL;

	if (json_get_str(obj, where, "mediaType", true, &type, e) < 0 ||
	    json_get_str(obj, where, "digest", true, &digest, e) < 0 ||
	    json_get_int(obj, where, "size", true, 0, INT64_MAX, &ret->size, e) < 0 ||
	    json_get_strv(obj, where, "urls", false, &ret->urls, e) < 0 ||
	    json_get_obj(obj, where, "annotations", false, &notes, e) < 0)
		return -EINVAL;
	if (oci_digest_check(digest, where_key(at, where, "digest"), e) < 0)
		return -EINVAL;
	if (notes &&
	    string_map_from_json(notes, where_key(at, where, "annotations"), &ret->annotations, e) < 0)
		return -EINVAL;
	ret->media_type = xstrdup(type);
	ret->media = oci_media_of(type);
	ret->digest = xstrdup(digest);
	return read_platform(obj, where, &ret->platform, e);
}

static int read_entries(const json_t *doc, const char *key, size_t max, struct oci_document *ret,
			struct err *e)
{
	char where[WHERE_MAX], at[WHERE_MAX];
	json_t *arr = NULL;
	size_t n;

	if (json_get_arr(doc, "", key, true, &arr, e) < 0)
		return -EINVAL;
	n = json_array_size(arr);
	if (n > max)
		return err_set(e, ERR_INPUT, EINVAL, ".%s: %zu entries, at most %zu are read", key, n, max);
	where_key(where, "", key);
	ret->entries = xcalloc(n ? n : 1, sizeof *ret->entries);
	for (size_t i = 0; i < n; i++) {
		json_t *obj = need_object(arr, where, i, e);

		if (!obj)
			return -EINVAL;
		ret->n = i + 1;
		if (read_descriptor(obj, where_index(at, where, i), &ret->entries[i], e) < 0)
			return -EINVAL;
	}
	return 0;
}

/* ---- which of the two ---- */

/* The words of two media types without parameters. */
static bool same_type(const char *a, const char *b)
{
	size_t n = strcspn(a, "; \t");

	return n == strcspn(b, "; \t") && strncasecmp(a, b, n) == 0;
}

/* What the members say; -EINVAL when they say two things, or nothing. */
static int media_by_members(const json_t *doc, enum oci_media *ret, struct err *e)
{
	bool index = json_member(doc, "manifests");
	bool manifest = json_member(doc, "config") || json_member(doc, "layers") ||
			json_member(doc, "fsLayers");

	if (index && manifest)
		return err_set(e, ERR_INPUT, EINVAL, "the document is an index and a manifest at once");
	if (!index && !manifest)
		return err_set(e, ERR_INPUT, EINVAL, "the document is neither an index nor a manifest");
	*ret = index ? OCI_MEDIA_INDEX : OCI_MEDIA_MANIFEST;
	return 0;
}

/* @type, which @who says, must fit @media. */
static int check_type(const char *who, const char *type, enum oci_media media, struct err *e)
{
	if (oci_media_of(type) == OCI_MEDIA_SCHEMA1)
		return bad_value(e, who, type,
				 "is schema 1, which is obsolete: the image must be pushed again");
	if (oci_media_of(type) != media)
		return bad_value(e, who, type,
				 media == OCI_MEDIA_INDEX
					 ? "is not the media type of an index, which this is"
					 : "is not the media type of a manifest, which this is");
	return 0;
}

static int check_role(const json_t *doc, const char *media_type, enum oci_media media, struct err *e)
{
	const char *own = NULL;

	if (json_get_str(doc, "", "mediaType", false, &own, e) < 0)
		return -EINVAL;
	if (own && check_type(".mediaType", own, media, e) < 0)
		return -EINVAL;
	if (media_type && check_type("media type as sent", media_type, media, e) < 0)
		return -EINVAL;
	if (own && media_type && !same_type(own, media_type))
		return bad_value(e, ".mediaType", own,
				 "is not the media type under which the document was sent");
	return 0;
}

/* ---- documents ---- */

static int read_manifest(const json_t *doc, bool image, struct oci_document *ret, struct err *e)
{
	json_t *config = NULL;
	int64_t total = 0;

	if (json_get_obj(doc, "", "config", true, &config, e) < 0 ||
	    read_descriptor(config, ".config", &ret->config, e) < 0 ||
	    read_entries(doc, "layers", OCI_LAYERS_MAX, ret, e) < 0)
		return -EINVAL;
	if (image && ret->config.media != OCI_MEDIA_CONFIG)
		return bad_value(e, ".config.mediaType", ret->config.media_type,
				 "is not the media type of a container image's config");
	for (size_t i = 0; i < ret->n; i++) {
		char at[WHERE_MAX], where[WHERE_MAX];

		where_index(at, ".layers", i);
		if (image && ret->entries[i].media != OCI_MEDIA_LAYER)
			return bad_value(e, where_key(where, at, "mediaType"), ret->entries[i].media_type,
					 "is not the media type of a layer of a container image");
		if (__builtin_add_overflow(total, ret->entries[i].size, &total))
			return err_set(e, ERR_INPUT, EINVAL, ".layers: the sum of their sizes is too large");
	}
	return 0;
}

static int read_document(const json_t *doc, const char *media_type, bool image, struct oci_document *ret,
			 struct err *e)
{
	int64_t version = 0;

	if (!json_is_object(doc))
		return err_set(e, ERR_INPUT, EINVAL, "object expected");
	if (json_get_int(doc, "", "schemaVersion", true, INT64_MIN, INT64_MAX, &version, e) < 0)
		return -EINVAL;
	if (version == 1)
		return err_set(e, ERR_INPUT, EINVAL,
			       ".schemaVersion: 1 is obsolete: the image must be pushed again");
	if (version != 2)
		return err_set(e, ERR_INPUT, EINVAL, ".schemaVersion: 2 expected");
	if (media_by_members(doc, &ret->media, e) < 0 || check_role(doc, media_type, ret->media, e) < 0)
		return -EINVAL;
	if (!image && ret->media == OCI_MEDIA_INDEX)
		return err_set(e, ERR_INPUT, EINVAL, "a manifest expected, not an index");
	return ret->media == OCI_MEDIA_INDEX ? read_entries(doc, "manifests", OCI_ENTRIES_MAX, ret, e)
					     : read_manifest(doc, image, ret, e);
}

static int parse(const char *text, size_t len, const char *media_type, bool image, struct oci_document *ret,
		 struct err *e)
{
	*ret = (struct oci_document){ 0 };
	if (len > OCI_DOCUMENT_MAX)
		return err_set(e, ERR_INPUT, EINVAL, "the document has more than %u bytes", OCI_DOCUMENT_MAX);
	auto_json doc = json_parse(text, len, e);

	if (!doc)
		return -EINVAL;
	if (read_document(doc, media_type, image, ret, e) == 0)
		return 0;
	oci_document_done(ret);
	return -EINVAL;
}

int oci_document_parse(const char *text, size_t len, const char *media_type, struct oci_document *ret,
		       struct err *e)
{
	return parse(text, len, media_type, true, ret, e);
}

int oci_artifact_parse(const char *text, size_t len, const char *media_type, struct oci_document *ret,
		       struct err *e)
{
	return parse(text, len, media_type, false, ret, e);
}
