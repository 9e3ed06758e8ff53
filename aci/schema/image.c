/*
 * image — the ImageManifest (schema/image.h).
 */
#include "schema/image.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/path.h"
#include "base/strv.h"
#include "schema/check.h"
#include "schema/ids.h"

static void dependency_done(struct dependency *d)
{
	free(d->image_name);
	free(d->image_id);
	pairs_done(&d->labels);
}

void image_manifest_free(struct image_manifest *m)
{
	if (!m)
		return;
	free(m->ac_version);
	free(m->name);
	pairs_done(&m->labels);
	app_free(m->app);
	pairs_done(&m->annotations);
	for (size_t i = 0; i < m->ndeps; i++)
		dependency_done(&m->deps[i]);
	free(m->deps);
	strv_free(m->path_whitelist);
	free(m);
}

void image_manifest_freep(struct image_manifest **m)
{
	image_manifest_free(*m);
	*m = NULL;
}

static int read_head(const json_t *doc, struct image_manifest *m, struct err *e)
{
	const char *version = NULL, *name = NULL;
	int r = check_kind(doc, "ImageManifest", true, &version, e);

	if (r == 0)
		r = need_valid(doc, "", "name", ac_identifier_valid, RULE_IDENTIFIER, &name, e);
	if (r < 0)
		return r;
	m->ac_version = xstrdup(version);
	m->name = xstrdup(name);
	return 0;
}

static int read_labels(const json_t *doc, struct image_manifest *m, struct err *e)
{
	json_t *arr = NULL;
	int r = json_get_arr(doc, "", "labels", false, &arr, e);

	if (r < 0 || !arr)
		return r;
	r = labels_from_json(arr, ".labels", &m->labels, e);
	if (r == 0 && labels_check_os_arch(&m->labels, e) < 0)
		return err_ctx(e, ".labels");
	return r;
}

static int read_app(const json_t *doc, struct image_manifest *m, struct err *e)
{
	json_t *app = NULL;
	int r = json_get_obj(doc, "", "app", false, &app, e);

	if (r < 0 || !app)
		return r;
	m->app = app_from_json(app, ".app", e);
	return m->app ? 0 : -e->code;
}

static int read_annotations(const json_t *doc, struct image_manifest *m, struct err *e)
{
	json_t *arr = NULL;
	int r = json_get_arr(doc, "", "annotations", false, &arr, e);

	return r < 0 || !arr ? r : annotations_from_json(arr, ".annotations", &m->annotations, e);
}

/* *d is zeroed and is for the caller to free, whatever the result. */
static int read_dependency(const json_t *o, const char *where, struct dependency *d, struct err *e)
{
	const char *name = NULL, *id = NULL;
	json_t *labels = NULL;
	char at[WHERE_MAX];
	int r = need_valid(o, where, "imageName", ac_identifier_valid, RULE_IDENTIFIER, &name, e);

	d->size = -1;
	if (r == 0)
		r = json_get_str(o, where, "imageID", false, &id, e);
	if (r == 0)
		r = json_get_arr(o, where, "labels", false, &labels, e);
	if (r == 0)
		r = json_get_int(o, where, "size", false, 0, INT64_MAX, &d->size, e);
	if (r < 0)
		return r;
	if (id && *id && !image_id_like(id))
		return bad_value(e, where_key(at, where, "imageID"), id, "is not an image ID");
	d->image_name = xstrdup(name);
	d->image_id = id && *id ? xstrdup(id) : NULL;
	return labels ? labels_from_json(labels, where_key(at, where, "labels"), &d->labels, e) : 0;
}

static int read_dependencies(const json_t *doc, struct image_manifest *m, struct err *e)
{
	json_t *arr = NULL;
	int r = json_get_arr(doc, "", "dependencies", false, &arr, e);
	size_t n = json_array_size(arr);

	if (n)
		m->deps = xcalloc(n, sizeof(m->deps[0]));
	for (size_t i = 0; r == 0 && i < n; i++) {
		char at[WHERE_MAX];
		const json_t *o = need_object(arr, ".dependencies", i, e);

		m->ndeps = i + 1;
		r = o ? read_dependency(o, where_index(at, ".dependencies", i), &m->deps[i], e) : -e->code;
	}
	return r;
}

/* Entries are joined below the root and cleaned, so that a relative one means the same as upstream. */
static int read_whitelist(const json_t *doc, struct image_manifest *m, struct err *e)
{
	auto_strv given = NULL;
	int r = json_get_strv(doc, "", "pathWhitelist", false, &given, e);

	for (size_t i = 0; r == 0 && given && given[i]; i++) {
		auto_free char *rooted = xasprintf("/%s", given[i]);

		strv_push_take(&m->path_whitelist, path_clean(rooted));
	}
	return r;
}

struct image_manifest *image_manifest_from_json(const json_t *doc, struct err *e)
{
	static int (*const members[])(const json_t *, struct image_manifest *, struct err *) = {
		read_head, read_labels, read_app, read_annotations, read_dependencies, read_whitelist,
	};
	auto_image_manifest m = xcalloc(1, sizeof(*m));

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (members[i](doc, m, e) < 0) {
			(void)err_ctx(e, "image manifest");
			return NULL;
		}
	}
	return steal_ptr(&m);
}

struct image_manifest *image_manifest_parse(const char *text, size_t len, struct err *e)
{
	auto_json doc = NULL;

	if (len > IMAGE_MANIFEST_MAX) {
		(void)err_set(e, ERR_INPUT, EFBIG, "image manifest: larger than %u bytes",
			      IMAGE_MANIFEST_MAX);
		return NULL;
	}
	doc = json_parse(text, len, e);
	if (!doc) {
		(void)err_ctx(e, "image manifest");
		return NULL;
	}
	return image_manifest_from_json(doc, e);
}

static json_t *dependencies_to_json(const struct image_manifest *m)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < m->ndeps; i++) {
		const struct dependency *d = &m->deps[i];
		json_t *o = json_pack("{s:s}", "imageName", d->image_name);

		if (d->image_id)
			json_object_set_new(o, "imageID", json_string(d->image_id));
		set_unless_empty(o, "labels", pairs_to_json(&d->labels));
		if (d->size > 0)
			json_object_set_new(o, "size", json_integer(d->size));
		json_array_append_new(arr, o);
	}
	return arr;
}

json_t *image_manifest_to_json(const struct image_manifest *m)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "acKind", "ImageManifest", "acVersion", m->ac_version,
			      "name", m->name);
	json_t *whitelist = json_array();

	for (size_t i = 0; m->path_whitelist && m->path_whitelist[i]; i++)
		json_array_append_new(whitelist, json_string(m->path_whitelist[i]));
	set_unless_empty(o, "labels", pairs_to_json(&m->labels));
	if (m->app)
		json_object_set_new(o, "app", app_to_json(m->app));
	set_unless_empty(o, "annotations", pairs_to_json(&m->annotations));
	set_unless_empty(o, "dependencies", dependencies_to_json(m));
	set_unless_empty(o, "pathWhitelist", whitelist);
	return o;
}

char *image_manifest_title(const struct image_manifest *m)
{
	const char *version = pairs_get(&m->labels, "version");

	return version && *version ? xasprintf("%s:%s", m->name, version) : xstrdup(m->name);
}
