/*
 * storedoc — the JSON document of an image, there and back.
 */
#include "stage0/storedoc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "oci/digest.h"

void image_info_done(struct image_info *i)
{
	free(i->digest);
	free(i->blob_algo);
	free(i->blob_digest);
	free(i->name);
	pairs_done(&i->labels);
	free(i->manifest);
	free(i->origin);
	for (size_t k = 0; k < i->nverified; k++) {
		free(i->verified[k].fingerprint);
		free(i->verified[k].scope);
	}
	free(i->verified);
	for (size_t k = 0; k < i->nlayers; k++) {
		free(i->layers[k].digest);
		free(i->layers[k].diff_id);
	}
	free(i->layers);
	free(i->config_digest);
	memset(i, 0, sizeof(*i));
}

static json_t *verified_to_json(const struct image_info *i)
{
	json_t *arr = json_array();

	for (size_t k = 0; k < i->nverified; k++)
		json_array_append_new(arr, json_pack("{s:s, s:s}", "fingerprint", i->verified[k].fingerprint,
						     "scope", i->verified[k].scope));
	return arr;
}

static void layers_to_json(const struct image_info *i, json_t *doc)
{
	json_t *arr = json_array();

	for (size_t k = 0; k < i->nlayers; k++) {
		const struct image_layer *l = &i->layers[k];

		json_array_append_new(arr,
				      json_pack("{s:s, s:I, s:s, s:s}", "digest", l->digest, "size",
						(json_int_t)l->size, "diffId", l->diff_id, "tree", l->tree));
	}
	json_object_set_new(doc, "layers", arr);
	json_object_set_new(doc, "rootLayer", json_integer((json_int_t)i->root_layer));
	json_object_set_new(doc, "config", json_string(i->config_digest));
}

json_t *image_info_to_json(const struct image_info *i)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "version", json_integer(STORE_DOC_VERSION));
	json_object_set_new(doc, "id", json_string(i->id));
	json_object_set_new(doc, "digest", json_string(i->digest));
	json_object_set_new(doc, "blobAlgo", json_string(i->blob_algo));
	json_object_set_new(doc, "blobDigest", json_string(i->blob_digest));
	json_object_set_new(doc, "blobSize", json_integer((json_int_t)i->blob_size));
	json_object_set_new(doc, "size", json_integer((json_int_t)i->size));
	json_object_set_new(doc, "treeSize", json_integer((json_int_t)i->tree_size));
	json_object_set_new(doc, "name", json_string(i->name));
	json_object_set_new(doc, "labels", pairs_to_json(&i->labels));
	if (i->origin)
		json_object_set_new(doc, "origin", json_string(i->origin));
	json_object_set_new(doc, "latest", json_boolean(i->latest));
	json_object_set_new(doc, "importTime", json_integer((json_int_t)i->import_time));
	json_object_set_new(doc, "verified", verified_to_json(i));
	if (i->nlayers)
		layers_to_json(i, doc);
	json_object_set_new(doc, "manifest", json_string(i->manifest));
	return doc;
}

/* Required and optional members, by kind. */
static int read_strings(const json_t *doc, struct image_info *i, struct err *e)
{
	const struct {
		const char *key;
		bool required;
		char **to;
	} strings[] = {
		{ "digest", true, &i->digest },          { "blobAlgo", true, &i->blob_algo },
		{ "blobDigest", true, &i->blob_digest }, { "name", true, &i->name },
		{ "manifest", true, &i->manifest },      { "origin", false, &i->origin },
		{ "config", false, &i->config_digest },
	};

	for (size_t k = 0; k < sizeof(strings) / sizeof(strings[0]); k++) {
		const char *text = NULL;
		int r = json_get_str(doc, "", strings[k].key, strings[k].required, &text, e);
		if (r < 0)
			return r;
		*strings[k].to = xstrdup(text);
	}
	return 0;
}

static int read_numbers(const json_t *doc, struct image_info *i, struct err *e)
{
	int64_t blob_size = 0, size = 0, tree_size = 0;
	const struct {
		const char *key;
		int64_t *to;
	} numbers[] = {
		{ "blobSize", &blob_size },
		{ "size", &size },
		{ "treeSize", &tree_size },
		{ "importTime", &i->import_time },
	};

	for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
		int r = json_get_int(doc, "", numbers[k].key, true, 0, INT64_MAX, numbers[k].to, e);
		if (r < 0)
			return r;
	}
	i->blob_size = (uint64_t)blob_size;
	i->size = (uint64_t)size;
	i->tree_size = (uint64_t)tree_size;
	return json_get_bool(doc, "", "latest", false, &i->latest, e);
}

/* Of whoever wrote the document we ask what makes paths: digests and ids in their forms. */
static int read_layer(const json_t *v, struct image_layer *to, struct err *e)
{
	const char *digest = "", *diff_id = "", *tree = "";
	int64_t size = 0;
	int r = json_get_str(v, ".layers", "digest", true, &digest, e);

	if (r == 0)
		r = json_get_str(v, ".layers", "diffId", true, &diff_id, e);
	if (r == 0)
		r = json_get_str(v, ".layers", "tree", true, &tree, e);
	if (r == 0)
		r = json_get_int(v, ".layers", "size", true, 0, INT64_MAX, &size, e);
	if (r == 0 && (!oci_digest_valid(digest) || !image_id_valid(tree)))
		r = err_set(e, ERR_INPUT, EINVAL, ".layers: malformed digest");
	if (r < 0)
		return r;
	to->digest = xstrdup(digest);
	to->diff_id = xstrdup(diff_id);
	to->size = (uint64_t)size;
	memcpy(to->tree, tree, sizeof(to->tree));
	return 0;
}

static int read_layers(const json_t *doc, struct image_info *i, struct err *e)
{
	json_t *layers = NULL;
	int64_t root = 0;
	int r = json_get_arr(doc, "", "layers", false, &layers, e);

	if (r < 0 || !layers)
		return r;
	i->layers = xcalloc(json_array_size(layers) + 1, sizeof(*i->layers));
	for (size_t k = 0; r == 0 && k < json_array_size(layers); k++) {
		r = read_layer(json_array_get(layers, k), &i->layers[k], e);
		i->nlayers += r == 0;
	}
	if (r == 0)
		r = json_get_int(doc, "", "rootLayer", true, 0, (int64_t)i->nlayers - 1, &root, e);
	if (r == 0 && (!i->config_digest || !oci_digest_valid(i->config_digest)))
		r = err_set(e, ERR_INPUT, EINVAL, ".config: malformed digest");
	i->root_layer = (size_t)root;
	return r;
}

static int read_lists(const json_t *doc, struct image_info *i, struct err *e)
{
	json_t *labels = NULL, *verified = NULL;
	int r = json_get_arr(doc, "", "labels", false, &labels, e);

	if (r == 0 && labels)
		r = labels_from_json(labels, ".labels", &i->labels, e);
	if (r == 0)
		r = json_get_arr(doc, "", "verified", false, &verified, e);
	if (r < 0 || !verified)
		return r;
	i->verified = xcalloc(json_array_size(verified) + 1, sizeof(*i->verified));
	for (size_t k = 0; k < json_array_size(verified); k++) {
		const char *fingerprint = NULL, *scope = NULL;
		const json_t *v = json_array_get(verified, k);

		r = json_get_str(v, ".verified", "fingerprint", true, &fingerprint, e);
		if (r == 0)
			r = json_get_str(v, ".verified", "scope", true, &scope, e);
		if (r < 0)
			return r;
		i->verified[k].fingerprint = xstrdup(fingerprint);
		i->verified[k].scope = xstrdup(scope);
		i->nverified++;
	}
	return 0;
}

int image_info_from_json(const json_t *doc, struct image_info *ret, struct err *e)
{
	struct image_info i = { .id = "" };
	const char *id = NULL;
	int64_t version = 0;
	int r = json_get_int(doc, "", "version", true, 1, STORE_DOC_VERSION, &version, e);

	if (r == 0)
		r = json_get_str(doc, "", "id", true, &id, e);
	if (r == 0 && strlen(id) >= sizeof(i.id))
		r = err_set(e, ERR_INPUT, EINVAL, ".id: too long");
	if (r == 0) {
		memcpy(i.id, id, strlen(id) + 1);
		r = read_strings(doc, &i, e);
	}
	if (r == 0)
		r = read_numbers(doc, &i, e);
	if (r == 0)
		r = read_lists(doc, &i, e);
	if (r == 0)
		r = read_layers(doc, &i, e);
	if (r < 0)
		image_info_done(&i);
	*ret = i;
	return r;
}
