#include "oci/appview.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/num.h"
#include "base/path.h"
#include "base/strv.h"
#include "oci/platform.h"
#include "schema/check.h"
#include "schema/ids.h"

#define DOCKER "appc.io/docker/"

static json_t *list_of(char *const *v)
{
	json_t *arr = json_array();

	for (; v && *v; v++)
		json_array_append_new(arr, json_string(*v));
	return arr;
}

/* @key as an AC name that is not in @taken yet, and is now; NULL if nothing of it remains. */
static const char *name_for(const char *key, char ***taken)
{
	auto_free char *base = ac_name_sanitize(key);

	if (!base)
		return NULL;
	auto_free char *name = xstrdup(base);

	for (unsigned int i = 1; strv_has(*taken, name); i++) {
		free(name);
		name = xasprintf("%s-%u", base, i);
	}
	strv_push(taken, name);
	return (*taken)[strv_len(*taken) - 1];
}

/* ---- the parts of an app ---- */

static int add_exec(const struct oci_config *c, json_t *app)
{
	auto_strv exec = strv_copy(c->entrypoint);

	strv_push_all(&exec, c->cmd);
	return json_object_set_new(app, "exec", list_of(exec));
}

/* "USER[:GROUP]"; without a group it is the user's again, which stage1 knows from docker images. */
static int add_identity(const struct oci_config *c, json_t *app)
{
	const char *text = c->user ? c->user : "0", *colon = strchr(text, ':');
	auto_free char *user = xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));
	const char *name = *user ? user : "0";

	json_object_set_new(app, "user", json_string(name));
	return json_object_set_new(app, "group", json_string(colon && colon[1] ? colon + 1 : name));
}

/* Absolute and cleaned; heap. */
static char *absolute(const char *path)
{
	auto_free char *joined = path_join("/", path);

	return path_clean(joined);
}

static void add_working_dir(const struct oci_config *c, json_t *app)
{
	auto_free char *dir = c->working_dir ? absolute(c->working_dir) : NULL;

	if (dir)
		json_object_set_new(app, "workingDirectory", json_string(dir));
}

/* The last value of a name counts, at the place of the first. */
static void add_environment(const struct oci_config *c, json_t *app, char ***warnings)
{
	struct pairs env = { 0 };

	for (char **v = c->env; v && *v; v++) {
		size_t n = strcspn(*v, "=");
		auto_free char *name = xstrndup(*v, n);
		auto_buf shown = BUF_INIT;

		if ((*v)[n] == '=' && env_name_valid(name)) {
			pairs_set(&env, name, *v + n + 1);
			continue;
		}
		buf_add_escaped(&shown, *v, n < 80 ? n : 80);
		strv_pushf(warnings, "variable \"%s\" of the image cannot be set and is left out",
			   buf_str(&shown));
	}
	json_object_set_new(app, "environment", pairs_to_json(&env));
	pairs_done(&env);
}

static int add_mount_points(const struct oci_config *c, json_t *app, struct err *e)
{
	auto_strv taken = NULL;
	json_t *arr = json_array();

	json_object_set_new(app, "mountPoints", arr);
	for (char **v = c->volumes; v && *v; v++) {
		auto_free char *path = absolute(*v), *key = xasprintf("volume%s", path);

		if (strcmp(path, "/") == 0)
			return bad_value(e, ".config.Volumes", *v, "cannot be a volume");
		json_array_append_new(arr,
				      json_pack("{s:s?, s:s}", "name", name_for(key, &taken), "path", path));
	}
	return 0;
}

/* "N[-M][/PROTOCOL]" */
static int read_port(const char *key, uint32_t *first, uint32_t *last, const char **protocol)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	size_t n = strcspn(key, "/"), dash = strcspn(key, "-/");
	auto_free char *from = xstrndup(key, dash),
		       *to = dash < n ? xstrndup(key + dash + 1, n - dash - 1) : NULL;

	if (parse_u32(from, first) < 0 || (to && parse_u32(to, last) < 0))
		return -EINVAL;
	if (!to)
		*last = *first;
	if (*first == 0 || *last < *first || *last > 65535)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (key[n] == '\0' || strcasecmp(key + n + 1, protocols[i]) == 0) {
			*protocol = protocols[i];
			return 0;
		}
	}
	return -EINVAL;
}

static int add_ports(const struct oci_config *c, json_t *app, struct err *e)
{
	auto_strv taken = NULL;
	json_t *arr = json_array();

	json_object_set_new(app, "ports", arr);
	for (char **v = c->ports; v && *v; v++) {
		uint32_t first = 0, last = 0;
		const char *protocol = NULL;

		if (read_port(*v, &first, &last, &protocol) < 0)
			return bad_value(e, ".config.ExposedPorts", *v, "is not PORT[-PORT][/tcp|udp|sctp]");
		json_array_append_new(arr, json_pack("{s:s?, s:s, s:I, s:I}", "name", name_for(*v, &taken),
						     "protocol", protocol, "port", (json_int_t)first, "count",
						     (json_int_t)(last - first + 1)));
	}
	return 0;
}

static int add_app(const struct oci_config *c, json_t *doc, char ***warnings, struct err *e)
{
	json_t *app = json_object();

	json_object_set_new(doc, "app", app);
	add_exec(c, app);
	add_identity(c, app);
	add_working_dir(c, app);
	add_environment(c, app, warnings);
	json_object_set_new(app, "userLabels", string_map_to_json(&c->labels));
	return add_mount_points(c, app, e) < 0 || add_ports(c, app, e) < 0 ? -EINVAL : 0;
}

/* ---- what is around it ---- */

static int add_labels(const struct oci_config *c, const struct oci_origin *o, json_t *doc, struct err *e)
{
	const char *arch = oci_platform_appc_arch(&c->platform);
	struct pairs labels = { 0 };

	if (!arch)
		return bad_value(e, ".architecture", c->platform.architecture,
				 "is not an architecture that rkt has a name for");
	pairs_set(&labels, "arch", arch);
	pairs_set(&labels, "os", c->platform.os);
	if (o->tag)
		pairs_set(&labels, "version", o->tag);
	json_object_set_new(doc, "labels", pairs_to_json(&labels));
	pairs_done(&labels);
	return 0;
}

static void set_text(struct pairs *p, const char *name, const char *value)
{
	if (value && *value)
		pairs_set(p, name, value);
}

static void set_list(struct pairs *p, const char *name, char *const *v)
{
	auto_json arr = list_of(v);
	auto_free char *text = json_text(arr, JSON_LINE);

	if (json_array_size(arr))
		pairs_set(p, name, text);
}

static void add_annotations(const struct oci_config *c, const struct oci_origin *o, json_t *doc)
{
	struct pairs p = { 0 };

	set_text(&p, "author", c->author);
	set_text(&p, "authors", c->author);
	if (c->created && timestamp_valid(c->created))
		pairs_set(&p, "created", c->created);
	set_text(&p, DOCKER "originalname", o->original);
	set_text(&p, DOCKER "registryurl", o->host);
	set_text(&p, DOCKER "repository", o->repository);
	set_text(&p, DOCKER "imageid", o->config_digest);
	set_text(&p, DOCKER "manifesthash", o->manifest_digest);
	set_list(&p, DOCKER "entrypoint", c->entrypoint);
	set_list(&p, DOCKER "cmd", c->cmd);
	set_text(&p, DOCKER "stopsignal", c->stop_signal);
	set_text(&p, DOCKER "healthcheck", c->healthcheck);
	json_object_set_new(doc, "annotations", pairs_to_json(&p));
	pairs_done(&p);
}

struct image_manifest *oci_app_view(const struct oci_config *c, const struct oci_origin *o, char ***warnings,
				    struct err *e)
{
	auto_free char *name = ac_identifier_sanitize(o->name);
	auto_json doc = json_object();

	if (!name) {
		(void)bad_value(e, "image name", o->name, "has nothing that an AC identifier may have");
		return NULL;
	}
	json_object_set_new(doc, "acKind", json_string("ImageManifest"));
	json_object_set_new(doc, "acVersion", json_string(AC_VERSION));
	json_object_set_new(doc, "name", json_string(name));
	if (add_labels(c, o, doc, e) < 0 || (c->runs && add_app(c, doc, warnings, e) < 0))
		return NULL;
	add_annotations(c, o, doc);
	/* The reader of manifests has the last word: what it refuses is no image for us. */
	return image_manifest_from_json(doc, e);
}
