#include "oci/imageconfig.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/strv.h"
#include "oci/digest.h"
#include "oci/platform.h"
#include "schema/check.h"

#define KEYS_MAX 4096 /* ports, volumes */

void oci_config_done(struct oci_config *c)
{
	oci_platform_done(&c->platform);
	free(c->created);
	free(c->author);
	strv_free(c->diff_ids);
	free(c->user);
	free(c->working_dir);
	free(c->stop_signal);
	strv_free(c->env);
	strv_free(c->entrypoint);
	strv_free(c->cmd);
	strv_free(c->ports);
	strv_free(c->volumes);
	pairs_done(&c->labels);
	free(c->healthcheck);
	*c = (struct oci_config){ 0 };
}

/* An optional string; "" is absent. */
static int read_text(const json_t *obj, const char *where, const char *key, char **ret, struct err *e)
{
	const char *s = NULL;

	if (json_get_str(obj, where, key, false, &s, e) < 0)
		return -EINVAL;
	*ret = s && *s ? xstrdup(s) : NULL;
	return 0;
}

/* The keys of an optional object, whose values are of no interest. */
static int read_keys(const json_t *obj, const char *key, char ***ret, struct err *e)
{
	json_t *set = NULL, *value;
	const char *name;

	if (json_get_obj(obj, ".config", key, false, &set, e) < 0)
		return -EINVAL;
	if (!set)
		return 0;
	if (json_object_size(set) > KEYS_MAX)
		return err_set(e, ERR_INPUT, EINVAL, ".config.%s: more than %d members", key, KEYS_MAX);
	json_object_foreach(set, name, value) strv_push(ret, name);
	if (*ret)
		strv_sort(*ret);
	return 0;
}

static int read_labels(const json_t *obj, struct pairs *ret, struct err *e)
{
	json_t *labels = NULL;

	if (json_get_obj(obj, ".config", "Labels", false, &labels, e) < 0)
		return -EINVAL;
	return labels ? string_map_from_json(labels, ".config.Labels", ret, e) : 0;
}

static int read_runs(const json_t *doc, struct oci_config *c, struct err *e)
{
	static const struct {
		const char *key;
		size_t at;
	} texts[] = {
		{ "User", offsetof(struct oci_config, user) },
		{ "WorkingDir", offsetof(struct oci_config, working_dir) },
		{ "StopSignal", offsetof(struct oci_config, stop_signal) },
	}, lists[] = {
		{ "Env", offsetof(struct oci_config, env) },
		{ "Entrypoint", offsetof(struct oci_config, entrypoint) },
		{ "Cmd", offsetof(struct oci_config, cmd) },
	};
	json_t *obj = NULL, *health = NULL;

	if (json_get_obj(doc, "", "config", false, &obj, e) < 0)
		return -EINVAL;
	if (!obj)
		return 0;
	c->runs = true;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (read_text(obj, ".config", texts[i].key, (char **)((char *)c + texts[i].at), e) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (json_get_strv(obj, ".config", lists[i].key, false, (char ***)((char *)c + lists[i].at),
				  e) < 0)
			return -EINVAL;
	}
	if (strv_len(c->entrypoint) == 1 && c->entrypoint[0][0] == '\0') {
		strv_free(c->entrypoint);
		c->entrypoint = NULL;
	}
	if (read_keys(obj, "ExposedPorts", &c->ports, e) < 0 ||
	    read_keys(obj, "Volumes", &c->volumes, e) < 0 || read_labels(obj, &c->labels, e) < 0 ||
	    json_get_obj(obj, ".config", "Healthcheck", false, &health, e) < 0)
		return -EINVAL;
	c->healthcheck = health ? json_text(health, JSON_LINE) : NULL;
	return 0;
}

static int read_rootfs(const json_t *doc, struct oci_config *c, struct err *e)
{
	const char *type = NULL;
	json_t *obj = NULL;

	if (json_get_obj(doc, "", "rootfs", true, &obj, e) < 0 ||
	    json_get_str(obj, ".rootfs", "type", true, &type, e) < 0)
		return -EINVAL;
	if (strcmp(type, "layers") != 0)
		return bad_value(e, ".rootfs.type", type, "is not \"layers\"");
	if (json_get_strv(obj, ".rootfs", "diff_ids", true, &c->diff_ids, e) < 0)
		return -EINVAL;
	if (strv_len(c->diff_ids) > OCI_LAYERS_MAX)
		return err_set(e, ERR_INPUT, EINVAL, ".rootfs.diff_ids: more than %d layers", OCI_LAYERS_MAX);
	for (size_t i = 0; c->diff_ids && c->diff_ids[i]; i++) {
		char at[WHERE_MAX];

		if (oci_digest_check(c->diff_ids[i], where_index(at, ".rootfs.diff_ids", i), e) < 0)
			return -EINVAL;
	}
	return 0;
}

static int read_config(const json_t *doc, struct oci_config *c, struct err *e)
{
	const char *os = NULL, *arch = NULL;

	if (!json_is_object(doc))
		return err_set(e, ERR_INPUT, EINVAL, "object expected");
	if (json_get_str(doc, "", "os", true, &os, e) < 0 ||
	    json_get_str(doc, "", "architecture", true, &arch, e) < 0 ||
	    read_text(doc, "", "variant", &c->platform.variant, e) < 0 ||
	    read_text(doc, "", "created", &c->created, e) < 0 ||
	    read_text(doc, "", "author", &c->author, e) < 0)
		return -EINVAL;
	c->platform.os = xstrdup(os);
	c->platform.architecture = xstrdup(arch);
	return read_rootfs(doc, c, e) < 0 || read_runs(doc, c, e) < 0 ? -EINVAL : 0;
}

int oci_config_parse(const char *text, size_t len, struct oci_config *ret, struct err *e)
{
	*ret = (struct oci_config){ 0 };
	if (len > OCI_CONFIG_MAX)
		return err_set(e, ERR_INPUT, EINVAL, "the config has more than %u bytes", OCI_CONFIG_MAX);
	auto_json doc = json_parse(text, len, e);

	if (!doc)
		return -EINVAL;
	if (read_config(doc, ret, e) == 0)
		return 0;
	oci_config_done(ret);
	return -EINVAL;
}

int oci_config_check(const struct oci_config *c, const struct oci_document *manifest,
		     const struct oci_platform *want, struct err *e)
{
	if (strv_len(c->diff_ids) != manifest->n)
		return err_set(e, ERR_INPUT, EINVAL, ".rootfs.diff_ids: %zu layers, the manifest has %zu",
			       strv_len(c->diff_ids), manifest->n);
	if (strcmp(c->platform.os, "linux") != 0)
		return bad_value(e, ".os", c->platform.os, "is not linux");
	if (oci_platform_rank(want, &c->platform) < 0)
		return bad_value(e, ".architecture", c->platform.architecture,
				 "is not an architecture, or a variant of it, that was asked for");
	return 0;
}
