#include "oci/appconfig.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "oci/platform.h"
#include "schema/check.h"

static json_t *strings(char *const *v)
{
	json_t *arr = json_array();

	for (; v && *v; v++)
		json_array_append_new(arr, json_string(*v));
	return arr;
}

static json_t *environment(const struct pairs *env)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < env->n; i++) {
		auto_free char *text = xasprintf("%s=%s", env->v[i].name, env->v[i].value);

		json_array_append_new(arr, json_string(text));
	}
	return arr;
}

static json_t *volumes(const struct mount_points *l)
{
	json_t *set = json_object();

	for (size_t i = 0; i < l->n; i++)
		json_object_set_new(set, l->v[i].path, json_object());
	return set;
}

static json_t *ports(const struct ports *l)
{
	json_t *set = json_object();

	for (size_t i = 0; i < l->n; i++) {
		const struct port *p = &l->v[i];
		auto_free char *key = p->count > 1
					      ? xasprintf("%u-%u/%s", (unsigned int)p->port,
							  (unsigned int)(p->port + p->count - 1), p->protocol)
					      : xasprintf("%u/%s", (unsigned int)p->port, p->protocol);

		json_object_set_new(set, key, json_object());
	}
	return set;
}

static void left_out(const struct image_manifest *m, char ***warnings)
{
	const struct app *a = m->app;
	const struct {
		bool is;
		const char *what;
	} all[] = {
		{ a->isolators.n > 0, "isolators" },
		{ a->pre_start || a->post_stop, "event handlers" },
		{ a->ngids > 0, "supplementary groups" },
		{ m->path_whitelist != NULL, "the path whitelist (it has been applied)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].is)
			strv_pushf(warnings, "an OCI image has no place for %s: left out", all[i].what);
	}
}

static json_t *runs(const struct image_manifest *m, char ***warnings, struct err *e)
{
	const struct app *a = m->app;
	auto_free char *user = xasprintf("%s:%s", a->user, a->group);

	if (a->user[0] == '/' || a->group[0] == '/') {
		(void)bad_value(e, ".app.user", a->user,
				"is the owner of a file: an OCI image cannot say that");
		return NULL;
	}
	json_t *c = json_object();
	if (strv_len(a->exec))
		json_object_set_new(c, "Entrypoint", strings(a->exec));
	json_object_set_new(c, "User", json_string(user));
	if (a->env.n)
		json_object_set_new(c, "Env", environment(&a->env));
	if (a->working_dir)
		json_object_set_new(c, "WorkingDir", json_string(a->working_dir));
	if (a->mount_points.n)
		json_object_set_new(c, "Volumes", volumes(&a->mount_points));
	if (a->ports.n)
		json_object_set_new(c, "ExposedPorts", ports(&a->ports));
	if (a->user_labels.n)
		json_object_set_new(c, "Labels", string_map_to_json(&a->user_labels));
	left_out(m, warnings);
	return c;
}

json_t *oci_config_of(const struct image_manifest *m, const char *diff_id, char ***warnings, struct err *e)
{
	const char *arch = pairs_get(&m->labels, "arch"), *created = pairs_get(&m->annotations, "created");
	struct oci_platform p = { 0 };

	if (oci_platform_make(arch, &p, e) < 0)
		return NULL;
	json_t *doc = json_pack("{s:s, s:s, s:{s:s, s:[s]}}", "architecture", p.architecture, "os", "linux",
				"rootfs", "type", "layers", "diff_ids", diff_id);
	oci_platform_done(&p);
	if (created)
		json_object_set_new(doc, "created", json_string(created));
	json_t *c = m->app ? runs(m, warnings, e) : NULL;
	if (c)
		json_object_set_new(doc, "config", c);
	if (c || !m->app)
		return doc;
	json_decref(doc);
	return NULL;
}
