/*
 * pod — the PodManifest (schema/pod.h).
 */
#include "schema/pod.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "schema/check.h"
#include "schema/ids.h"

static void runtime_app_done(struct runtime_app *a)
{
	free(a->name);
	free(a->image_id);
	free(a->image_name);
	pairs_done(&a->image_labels);
	app_free(a->app);
	mounts_done(&a->mounts);
	pairs_done(&a->annotations);
}

struct pod_manifest *pod_manifest_new(void)
{
	return xcalloc(1, sizeof(struct pod_manifest));
}

void pod_manifest_free(struct pod_manifest *m)
{
	if (!m)
		return;
	free(m->ac_version);
	for (size_t i = 0; i < m->napps; i++)
		runtime_app_done(&m->apps[i]);
	free(m->apps);
	volumes_done(&m->volumes);
	isolators_done(&m->isolators);
	pairs_done(&m->annotations);
	for (size_t i = 0; i < m->nports; i++) {
		free(m->ports[i].name);
		free(m->ports[i].host_ip);
		port_free(m->ports[i].pod_port);
	}
	free(m->ports);
	pairs_done(&m->user_annotations);
	pairs_done(&m->user_labels);
	free(m);
}

void pod_manifest_freep(struct pod_manifest **m)
{
	pod_manifest_free(*m);
	*m = NULL;
}

struct runtime_app *pod_manifest_add_app(struct pod_manifest *m)
{
	struct runtime_app *a;

	m->apps = xreallocarray(m->apps, m->napps + 1, sizeof(m->apps[0]));
	a = &m->apps[m->napps++];
	*a = (struct runtime_app){ .name = NULL };
	return a;
}

void pod_manifest_drop_last(struct pod_manifest *m)
{
	if (m->napps)
		runtime_app_done(&m->apps[--m->napps]);
}

const struct runtime_app *pod_manifest_app(const struct pod_manifest *m, const char *name)
{
	for (size_t i = 0; i < m->napps; i++) {
		if (strcmp(m->apps[i].name, name) == 0)
			return &m->apps[i];
	}
	return NULL;
}

/* ---- reading ---- */

static int read_head(const json_t *doc, struct pod_manifest *m, struct err *e)
{
	const char *version = NULL;
	int r = check_kind(doc, "PodManifest", false, &version, e);

	m->ac_version = r == 0 ? xstrdup(version ? version : AC_VERSION) : NULL;
	return r;
}

static int read_image(const json_t *app, const char *where, struct runtime_app *a, struct err *e)
{
	json_t *image = NULL, *labels = NULL;
	const char *id = NULL, *name = NULL;
	char at[WHERE_MAX], labels_at[WHERE_MAX];
	int r = json_get_obj(app, where, "image", true, &image, e);

	if (r < 0)
		return r;
	(void)where_key(at, where, "image");
	r = need_valid(image, at, "id", image_id_like, "is not an image ID", &id, e);
	if (r == 0 && json_member(image, "name"))
		r = need_valid(image, at, "name", ac_identifier_valid, RULE_IDENTIFIER, &name, e);
	if (r == 0)
		r = json_get_arr(image, at, "labels", false, &labels, e);
	if (r < 0)
		return r;
	a->image_id = xstrdup(id);
	a->image_name = xstrdup(name);
	return labels ? labels_from_json(labels, where_key(labels_at, at, "labels"), &a->image_labels, e) : 0;
}

static int read_runtime_app(const json_t *o, const char *where, struct runtime_app *a, struct err *e)
{
	json_t *app = NULL, *mounts = NULL, *annotations = NULL;
	const char *name = NULL;
	char at[WHERE_MAX];
	int r = need_valid(o, where, "name", ac_name_valid, RULE_NAME, &name, e);

	a->name = xstrdup(name);
	if (r == 0)
		r = read_image(o, where, a, e);
	if (r == 0)
		r = json_get_obj(o, where, "app", false, &app, e);
	if (r == 0)
		r = json_get_bool(o, where, "readOnlyRootFS", false, &a->read_only_rootfs, e);
	if (r == 0)
		r = json_get_arr(o, where, "mounts", false, &mounts, e);
	if (r == 0)
		r = json_get_arr(o, where, "annotations", false, &annotations, e);
	if (r == 0 && mounts)
		r = mounts_from_json(mounts, where_key(at, where, "mounts"), &a->mounts, e);
	if (r == 0 && annotations)
		r = annotations_from_json(annotations, where_key(at, where, "annotations"), &a->annotations,
					  e);
	if (r < 0 || !app)
		return r;
	a->app = app_from_json(app, where_key(at, where, "app"), e);
	return a->app ? 0 : -e->code;
}

static int read_apps(const json_t *doc, struct pod_manifest *m, struct err *e)
{
	json_t *arr = NULL;
	int r = json_get_arr(doc, "", "apps", false, &arr, e);
	size_t n = json_array_size(arr);
	const char *names[POD_APPS_MAX], *twice;

	if (r < 0)
		return r;
	if (n > POD_APPS_MAX)
		return err_set(e, ERR_INPUT, E2BIG, ".apps: %zu apps are more than %d", n, POD_APPS_MAX);
	for (size_t i = 0; i < n; i++) {
		char at[WHERE_MAX];
		const json_t *o = need_object(arr, ".apps", i, e);

		if (!o)
			return -e->code;
		r = read_runtime_app(o, where_index(at, ".apps", i), pod_manifest_add_app(m), e);
		if (r < 0)
			return r;
		names[i] = m->apps[i].name;
	}
	twice = duplicate_name(names, n);
	return twice ? bad_value(e, ".apps", twice, "is the name of two apps") : 0;
}

static int read_volumes(const json_t *doc, struct pod_manifest *m, struct err *e)
{
	json_t *arr = NULL;
	int r = json_get_arr(doc, "", "volumes", false, &arr, e);

	return r < 0 || !arr ? r : volumes_from_json(arr, ".volumes", &m->volumes, e);
}

static int read_isolators(const json_t *doc, struct pod_manifest *m, struct err *e)
{
	json_t *arr = NULL;
	int r = json_get_arr(doc, "", "isolators", false, &arr, e);

	return r < 0 || !arr ? r : isolators_from_json(arr, ".isolators", false, &m->isolators, e);
}

static int read_annotations(const json_t *doc, struct pod_manifest *m, struct err *e)
{
	json_t *arr = NULL;
	int r = json_get_arr(doc, "", "annotations", false, &arr, e);

	return r < 0 || !arr ? r : annotations_from_json(arr, ".annotations", &m->annotations, e);
}

static bool ip_valid(const char *s)
{
	struct in6_addr six;
	struct in_addr four;

	return inet_pton(AF_INET, s, &four) == 1 || inet_pton(AF_INET6, s, &six) == 1;
}

/* *p is zeroed and belongs to the manifest already. */
static int read_port(const json_t *o, const char *where, struct exposed_port *p, struct err *e)
{
	const char *name = NULL, *ip = NULL;
	json_t *pod_port = NULL;
	int64_t host_port = 0;
	char at[WHERE_MAX];
	int r = need_valid(o, where, "name", ac_name_valid, RULE_NAME, &name, e);

	if (r == 0)
		r = json_get_int(o, where, "hostPort", true, 1, 65535, &host_port, e);
	if (r == 0)
		r = json_get_str(o, where, "hostIP", false, &ip, e);
	if (r == 0 && ip && *ip && !ip_valid(ip))
		return bad_value(e, where_key(at, where, "hostIP"), ip, "is not an IP address");
	if (r == 0)
		r = json_get_obj(o, where, "podPort", false, &pod_port, e);
	if (r < 0)
		return r;
	p->name = xstrdup(name);
	p->host_port = (uint32_t)host_port;
	p->host_ip = ip && *ip ? xstrdup(ip) : NULL;
	if (!pod_port)
		return 0;
	p->pod_port = xcalloc(1, sizeof(*p->pod_port));
	return port_from_json(pod_port, where_key(at, where, "podPort"), p->pod_port, e);
}

/* Without podPort the name must mean one port of one app (as far as app sections are given here). */
static int check_port_name(const struct pod_manifest *m, const struct exposed_port *p, const char *where,
			   struct err *e)
{
	size_t found = 0;

	if (p->pod_port)
		return 0;
	for (size_t a = 0; a < m->napps; a++) {
		const struct app *app = m->apps[a].app;

		for (size_t i = 0; app && i < app->ports.n; i++)
			found += strcmp(app->ports.v[i].name, p->name) == 0;
	}
	return found > 1 ? bad_value(e, where, p->name, "is the name of several ports") : 0;
}

static int read_ports(const json_t *doc, struct pod_manifest *m, struct err *e)
{
	json_t *arr = NULL;
	int r = json_get_arr(doc, "", "ports", false, &arr, e);
	size_t n = json_array_size(arr);

	if (n)
		m->ports = xcalloc(n, sizeof(m->ports[0]));
	for (size_t i = 0; r == 0 && i < n; i++) {
		char at[WHERE_MAX];
		const json_t *o = need_object(arr, ".ports", i, e);

		m->nports = i + 1;
		(void)where_index(at, ".ports", i);
		r = o ? read_port(o, at, &m->ports[i], e) : -e->code;
		if (r == 0)
			r = check_port_name(m, &m->ports[i], at, e);
	}
	return r;
}

static int read_user_maps(const json_t *doc, struct pod_manifest *m, struct err *e)
{
	return user_maps_from_json(doc, "", &m->user_annotations, &m->user_labels, e);
}

static struct pod_manifest *from_json(const json_t *doc, struct err *e)
{
	static int (*const members[])(const json_t *, struct pod_manifest *, struct err *) = {
		read_head,        read_apps,  read_volumes,   read_isolators,
		read_annotations, read_ports, read_user_maps,
	};
	auto_pod_manifest m = pod_manifest_new();

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (members[i](doc, m, e) < 0)
			return NULL;
	}
	return steal_ptr(&m);
}

struct pod_manifest *pod_manifest_parse(const char *text, size_t len, struct err *e)
{
	auto_json doc = NULL;
	struct pod_manifest *m;

	if (len > POD_MANIFEST_MAX) {
		(void)err_set(e, ERR_INPUT, EFBIG, "pod manifest: larger than %u bytes", POD_MANIFEST_MAX);
		return NULL;
	}
	doc = json_parse(text, len, e);
	m = doc ? from_json(doc, e) : NULL;
	if (!m)
		(void)err_ctx(e, "pod manifest");
	return m;
}

/* ---- writing ---- */

static json_t *image_to_json(const struct runtime_app *a)
{
	json_t *o = json_object();

	if (a->image_name)
		json_object_set_new(o, "name", json_string(a->image_name));
	json_object_set_new(o, "id", json_string(a->image_id));
	set_unless_empty(o, "labels", pairs_to_json(&a->image_labels));
	return o;
}

static json_t *runtime_app_to_json(const struct runtime_app *a)
{
	json_t *o = json_pack("{s:s, s:o}", "name", a->name, "image", image_to_json(a));

	if (a->app)
		json_object_set_new(o, "app", app_to_json(a->app));
	if (a->read_only_rootfs)
		json_object_set_new(o, "readOnlyRootFS", json_true());
	set_unless_empty(o, "mounts", mounts_to_json(&a->mounts));
	set_unless_empty(o, "annotations", pairs_to_json(&a->annotations));
	return o;
}

static json_t *exposed_port_to_json(const struct exposed_port *p)
{
	json_t *o = json_pack("{s:s, s:I}", "name", p->name, "hostPort", (json_int_t)p->host_port);

	if (p->host_ip)
		json_object_set_new(o, "hostIP", json_string(p->host_ip));
	if (p->pod_port)
		json_object_set_new(o, "podPort", port_to_json(p->pod_port));
	return o;
}

/* Go writes a list that was never set as null. */
static void set_or_null(json_t *obj, const char *key, json_t *value)
{
	if (json_array_size(value) == 0) {
		json_decref(value);
		value = json_null();
	}
	json_object_set_new(obj, key, value);
}

json_t *pod_manifest_to_json(const struct pod_manifest *m)
{
	json_t *o = json_pack("{s:s, s:s}", "acVersion", m->ac_version ? m->ac_version : AC_VERSION, "acKind",
			      "PodManifest");
	json_t *apps = json_array(), *ports = json_array();

	for (size_t i = 0; i < m->napps; i++)
		json_array_append_new(apps, runtime_app_to_json(&m->apps[i]));
	for (size_t i = 0; i < m->nports; i++)
		json_array_append_new(ports, exposed_port_to_json(&m->ports[i]));
	json_object_set_new(o, "apps", apps);
	set_or_null(o, "volumes", volumes_to_json(&m->volumes));
	set_or_null(o, "isolators", isolators_to_json(&m->isolators));
	set_or_null(o, "annotations", pairs_to_json(&m->annotations));
	json_object_set_new(o, "ports", ports);
	set_unless_empty(o, "userAnnotations", string_map_to_json(&m->user_annotations));
	set_unless_empty(o, "userLabels", string_map_to_json(&m->user_labels));
	return o;
}
