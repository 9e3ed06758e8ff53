/*
 * prepare_manifest — the pod manifest, from the command line or from a file.
 */
#include "stage0/prepmerge.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/strv.h"
#include "schema/ids.h"
#include "stage1/contract.h"

void app_request_done(struct app_request *a)
{
	char **texts[] = { &a->image_id,    &a->name,   &a->exec, &a->user,   &a->group,
			   &a->working_dir, &a->memory, &a->cpu,  &a->seccomp };
	char ***lists[] = {
		&a->args,        &a->gids,        &a->environment, &a->annotations, &a->user_annotations,
		&a->user_labels, &a->caps_retain, &a->caps_remove
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(*texts[i]);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		strv_free(*lists[i]);
	mounts_done(&a->mounts);
	isolators_done(&a->isolators);
	*a = (struct app_request){ .read_only = TRI_UNSET };
}

void pod_request_done(struct pod_request *r)
{
	for (size_t i = 0; i < r->napps; i++)
		app_request_done(&r->apps[i]);
	free(r->apps);
	volumes_done(&r->volumes);
	mounts_done(&r->mounts);
	isolators_done(&r->isolators);
	port_specs_done(&r->ports);
	strv_free(r->set_env);
	strv_free(r->set_env_files);
	strv_free(r->annotations);
	strv_free(r->user_annotations);
	strv_free(r->user_labels);
	*r = (struct pod_request){ .apps = NULL };
}

void merged_done(struct merged *m)
{
	for (size_t i = 0; m->images && m->manifest && i < m->manifest->napps; i++)
		image_info_done(&m->images[i]);
	free(m->images);
	free(m->text);
	pod_manifest_free(m->manifest);
	*m = (struct merged){ .manifest = NULL };
}

int merge_load_image(const struct pod_request *q, const struct store *s, const char *id,
		     struct image_info *ret, struct err *e)
{
	char full[IMAGE_ID_LEN + 1];
	/* a whole id needs no search, unless it leads nowhere: then the search has the words */
	int r = image_id_valid(id) ? store_image_load(s, id, ret, e) : -ENOENT;

	if (r == -ENOENT) {
		err_clear(e);
		r = store_resolve_id(s, id, full, e);
		if (r == 0)
			r = store_image_load(s, full, ret, e);
	}
	if (r == 0)
		r = image_info_require_verified(ret, q->accept_unsigned, e);
	if (r == 0 && labels_check_host(&ret->labels, e) < 0)
		r = err_ctx(e, "image %s", ret->name);
	return r;
}

int check_mounts(const struct pod_manifest *m, struct err *e)
{
	for (size_t a = 0; a < m->napps; a++) {
		for (size_t i = 0; i < m->apps[a].mounts.n; i++) {
			const struct mount *mnt = &m->apps[a].mounts.v[i];

			if (!mnt->app_volume && !volumes_get(&m->volumes, mnt->volume))
				return err_set(
					e, ERR_INPUT, ENOENT,
					"app \"%s\": dangling mount at \"%.200s\": there is no volume \"%s\"",
					m->apps[a].name, mnt->path, mnt->volume);
		}
	}
	return 0;
}

/* ---- from a file ---- */

static int read_manifest_file(const char *path, struct merged *m, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_buf text = BUF_INIT;
	int r = fd < 0 ? -errno : fd_read_all(fd, POD_MANIFEST_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "read pod manifest %s", path);
	m->len = text.len;
	m->text = buf_steal(&text);
	m->manifest = pod_manifest_parse(m->text, m->len, e);
	return m->manifest ? 0 : err_ctx(e, "%s", path);
}

/* What only the images can tell: do they exist, run here, and say what to run? */
static int check_file_app(const struct runtime_app *a, const struct image_info *image, struct err *e)
{
	auto_image_manifest m = image_manifest_parse(image->manifest, strlen(image->manifest), e);
	const struct app *app = a->app;

	if (!m)
		return -e->code;
	if (!app)
		app = m->app;
	if (!app)
		return err_set(e, ERR_INPUT, EINVAL,
			       "neither the pod manifest nor the image has an app section");
	if (strv_len(app->exec) == 0)
		return err_set(e, ERR_INPUT, EINVAL, "exec is empty");
	return 0;
}

static int merge_file(const struct pod_request *r, const struct store *s, struct merged *m, struct err *e)
{
	int ret = read_manifest_file(r->manifest_path, m, e);

	if (ret < 0)
		return ret;
	if (m->manifest->napps == 0)
		return err_set(e, ERR_INPUT, EINVAL, "pod manifest %s: no apps", r->manifest_path);
	m->images = xcalloc(m->manifest->napps, sizeof(m->images[0]));
	for (size_t i = 0; i < m->manifest->napps; i++) {
		const struct runtime_app *a = &m->manifest->apps[i];

		ret = merge_load_image(r, s, a->image_id, &m->images[i], e);
		if (ret == 0)
			ret = check_file_app(a, &m->images[i], e);
		if (ret < 0)
			return err_ctx(e, "pod manifest %s: app \"%s\"", r->manifest_path, a->name);
	}
	ret = check_mounts(m->manifest, e);
	if (ret == 0)
		ret = check_ports(m, e);
	return ret < 0 ? err_ctx(e, "pod manifest %s", r->manifest_path) : 0;
}

/* ---- from the command line ---- */

static int copy_volumes(const struct pod_request *r, struct pod_manifest *m, struct err *e)
{
	for (size_t i = 0; i < r->volumes.n; i++) {
		struct volume v = r->volumes.v[i];

		if (volumes_get(&m->volumes, v.name))
			return err_set(e, ERR_INPUT, EEXIST, "volume \"%s\" is given twice", v.name);
		v.name = xstrdup(v.name);
		v.source = xstrdup(v.source);
		volumes_push_take(&m->volumes, &v);
	}
	return 0;
}

static int merge_apps(const struct pod_request *r, const struct store *s, const struct app_env *env,
		      struct merged *m, struct err *e)
{
	for (size_t i = 0; i < r->napps; i++) {
		struct runtime_app *a = pod_manifest_add_app(m->manifest);
		int ret = merge_load_image(r, s, r->apps[i].image_id, &m->images[i], e);

		if (ret == 0 && merge_app(&r->apps[i], &m->images[i], env, r, a, e) < 0)
			ret = a->name ? err_ctx(e, "app \"%s\"", a->name)
				      : err_ctx(e, "image %s", m->images[i].name);
		for (size_t k = 0; ret == 0 && k < i; k++) {
			if (strcmp(m->manifest->apps[k].name, a->name) == 0)
				ret = err_set(e, ERR_INPUT, EEXIST,
					      "two apps are named \"%s\"; give one of them another name with "
					      "--name",
					      a->name);
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int merge_pod_pairs(const struct pod_request *r, struct pod_manifest *m, struct err *e)
{
	int ret = merge_pairs(&m->annotations, r->annotations, "annotation", ac_identifier_valid, e);

	if (ret == 0)
		ret = merge_pairs(&m->user_annotations, r->user_annotations, "user-annotation", NULL, e);
	return ret == 0 ? merge_pairs(&m->user_labels, r->user_labels, "user-label", NULL, e) : ret;
}

static int merge_flags(const struct pod_request *r, const struct store *s, struct merged *m, struct err *e)
{
	struct app_env env = { { NULL, 0 }, { NULL, 0 } };
	auto_json doc = NULL;
	int ret;

	if (r->napps == 0 && !r->mutable_pod)
		return err_set(e, ERR_USAGE, EINVAL, "no image is named");
	if (r->napps > POD_APPS_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "%zu apps are more than %d", r->napps, POD_APPS_MAX);
	m->manifest = pod_manifest_new();
	isolators_copy(&m->manifest->isolators, &r->isolators);
	m->manifest->ac_version = xstrdup(AC_VERSION);
	m->images = xcalloc(r->napps + 1, sizeof(m->images[0]));
	pairs_set(&m->manifest->annotations, CONTRACT_MUTABLE, r->mutable_pod ? "true" : "false");
	ret = copy_volumes(r, m->manifest, e);
	if (ret == 0)
		ret = merge_pod_pairs(r, m->manifest, e);
	if (ret == 0)
		ret = app_env_load(r, &env, e);
	if (ret == 0)
		ret = merge_apps(r, s, &env, m, e);
	app_env_done(&env);
	if (ret == 0)
		ret = check_mounts(m->manifest, e);
	if (ret == 0)
		ret = merge_ports(r, m->manifest, e);
	if (ret == 0)
		ret = check_ports(m, e);
	if (ret < 0)
		return ret;
	doc = pod_manifest_to_json(m->manifest);
	m->text = json_text(doc, JSON_LINE);
	m->len = strlen(m->text);
	return 0;
}

int merge_request(const struct pod_request *r, const struct store *s, struct merged *ret, struct err *e)
{
	struct merged m = { .manifest = NULL };
	int res = r->manifest_path ? merge_file(r, s, &m, e) : merge_flags(r, s, &m, e);

	if (res < 0)
		merged_done(&m);
	else
		*ret = m;
	return res;
}

struct pod_manifest *prepare_manifest(const struct pod_request *r, const struct store *s, struct err *e)
{
	struct merged m = { .manifest = NULL };
	struct pod_manifest *manifest;
	size_t n;

	if (merge_request(r, s, &m, e) < 0)
		return NULL;
	n = m.manifest->napps;
	manifest = steal_ptr(&m.manifest);
	for (size_t i = 0; i < n; i++)
		image_info_done(&m.images[i]);
	merged_done(&m);
	return manifest;
}
