/*
 * netconf — one network's configuration: what is valid, and what it says (confs.h).
 *
 * Everything that becomes part of a path or decides who is executed is checked here, once, for files and for records.  Other
 * members belong to the plugins and are not looked at.
 */
#include "stage1/net/confs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage1/net/cniversion.h"
#include "stage1/net/exact.h"
#include "stage1/net/plugin.h"

#define AT_MAX 48 /* ".plugins[12345].capabilities" */

/* The words that --net has for something else (netspec.h). */
static const char *const reserved[] = { "all", "none", "host" };

static int check_name(const char *name, struct err *e)
{
	if (!net_name_valid(name) || strlen(name) > NAME_MAX)
		return err_set(e, ERR_INPUT, EINVAL,
			       ".name: \"%.80s\": letters, digits and _.- expected, a letter or digit first",
			       name);
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		if (strcmp(name, reserved[i]) == 0)
			return err_set(e, ERR_INPUT, EINVAL, ".name: \"%s\" means something else to --net",
				       name);
	}
	return 0;
}

/* A program's name at @where.type, or none if it need not be there. */
static int check_type(const json_t *o, const char *where, bool required, struct err *e)
{
	const char *type = NULL;
	int r = json_get_str(o, where, "type", required, &type, e);

	if (r < 0 || !type || (!required && !*type))
		return r;
	if (!plugin_type_valid(type))
		return err_set(
			e, ERR_INPUT, EINVAL,
			"%s.type: \"%.80s\" is not the name of a plugin: letters, digits and _.- expected",
			where, type);
	return 0;
}

static int check_capabilities(const json_t *plugin, const char *where, struct err *e)
{
	json_t *all = NULL, *value;
	const char *name;
	int r = json_get_obj(plugin, where, "capabilities", false, &all, e);

	if (r < 0 || !all)
		return r;
	json_object_foreach(all, name, value)
	{
		if (!json_is_boolean(value))
			return err_set(e, ERR_INPUT, EINVAL, "%s.capabilities.%.40s: true or false expected",
				       where, name);
	}
	return 0;
}

/* @version: of its list; NULL: it is the whole file. */
static int check_plugin(const json_t *plugin, const char *where, const char *version, struct err *e)
{
	const char *own = "";
	json_t *ipam = NULL;
	bool masquerade;
	int r = check_type(plugin, where, true, e);

	if (r == 0)
		r = json_get_str(plugin, where, "cniVersion", false, &own, e);
	if (r == 0 && version && *own && strcmp(own, version) != 0)
		r = err_set(e, ERR_INPUT, EINVAL, "%s.cniVersion: \"%.40s\", but the list is of version %s",
			    where, own, version);
	if (r == 0)
		r = check_capabilities(plugin, where, e);
	if (r == 0)
		r = json_get_bool(plugin, where, "ipMasq", false, &masquerade, e);
	/* Executed by the plugin, from the same directories; "ipam": {} is how some say that there is none. */
	if (r == 0)
		r = json_get_obj(plugin, where, "ipam", false, &ipam, e);
	if (r == 0 && ipam) {
		auto_free char *at = xasprintf("%s.ipam", where);

		r = check_type(ipam, at, false, e);
	}
	return r;
}

static bool is_builtin(const json_t *plugin)
{
	return strcmp(json_string_value(json_member(plugin, "type")), NET_TYPE_BUILTIN) == 0;
}

/* @list: was it an array in the file? */
static int check_plugins(const struct net_conf *c, bool list, struct err *e)
{
	char where[AT_MAX] = "";
	json_t *plugin;
	size_t i;

	if (json_array_size(c->plugins) == 0)
		return err_set(e, ERR_INPUT, EINVAL, ".plugins: empty");
	json_array_foreach(c->plugins, i, plugin)
	{
		if (list)
			(void)snprintf(where, sizeof(where), ".plugins[%zu]", i);
		if (check_plugin(plugin, where, list ? c->version : NULL, e) < 0)
			return -e->code;
		if (is_builtin(plugin) && json_array_size(c->plugins) > 1)
			return err_set(e, ERR_INPUT, EINVAL,
				       "%s.type: " NET_TYPE_BUILTIN " is built in and has no company", where);
	}
	return 0;
}

/* The version that we use: the highest of "cniVersion" and "cniVersions" that we speak. */
static int choose_version(const json_t *doc, char **ret, struct err *e)
{
	const char *one = NULL;
	json_t *more = NULL, *item;
	struct err why = ERR_INIT;
	int best = -1, v, r = json_get_str(doc, "", "cniVersion", false, &one, e);
	size_t i;

	if (r == 0)
		r = json_get_arr(doc, "", "cniVersions", false, &more, e);
	if (r < 0)
		return r;
	if ((one && *one) || !more)
		best = cni_version_parse(one && *one ? one : CNI_VERSION_DEFAULT, &why);
	json_array_foreach(more, i, item)
	{
		if (!json_is_string(item))
			return err_set(e, ERR_INPUT, EINVAL, ".cniVersions[%zu]: string expected", i);
		v = cni_version_parse(json_string_value(item), &why);
		best = v > best ? v : best;
	}
	if (best < 0) {
		if (!why.code)
			return err_set(e, ERR_INPUT, EINVAL, ".cniVersions: empty");
		(void)err_copy(e, &why);
		return err_ctx(e, ".cniVersion");
	}
	*ret = xstrdup(cni_version_text((enum cni_version)best));
	return 0;
}

/* "plugins", or the document itself as the only one. */
static int take_plugins(json_t *doc, const char *base, struct net_conf *c, bool *list, struct err *e)
{
	static const char suffix[] = ".conflist";
	size_t n = strlen(base), cut = sizeof(suffix) - 1;
	json_t *all = NULL;
	bool must = n > cut && strcmp(base + n - cut, suffix) == 0;
	int r = json_get_arr(doc, "", "plugins", must, &all, e);

	if (r < 0)
		return r;
	*list = all != NULL;
	if (all) {
		c->plugins = json_incref(all);
		return json_get_bool(doc, "", "disableCheck", false, &c->disable_check, e);
	}
	c->plugins = json_pack("[O]", doc);
	return 0;
}

struct net_conf *net_conf_parse(const char *text, size_t len, const char *base, struct err *e)
{
	auto_json doc = exact_parse(text, len, e);
	struct net_conf *c;
	const char *name = NULL;
	bool list = false;

	if (!doc)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->base = xstrdup(base);
	if (json_get_str(doc, "", "name", true, &name, e) < 0 || check_name(name, e) < 0 ||
	    choose_version(doc, &c->version, e) < 0 || take_plugins(doc, base, c, &list, e) < 0 ||
	    check_plugins(c, list, e) < 0) {
		net_conf_free(c);
		return NULL;
	}
	c->name = xstrdup(name);
	return c;
}

void net_conf_free(struct net_conf *c)
{
	if (!c)
		return;
	free(c->name);
	free(c->version);
	free(c->file);
	free(c->dir);
	free(c->base);
	json_decref(c->plugins);
	free(c);
}

struct net_conf *net_conf_copy(const struct net_conf *c)
{
	struct net_conf *n = xmalloc(sizeof(*n));

	*n = (struct net_conf){ xstrdup(c->name), xstrdup(c->version), xstrdup(c->file),
				xstrdup(c->dir),  xstrdup(c->base),    json_deep_copy(c->plugins),
				c->disable_check };
	return n;
}

/* ---- in a record ---- */

json_t *net_conf_save(const struct net_conf *c)
{
	json_t *j = json_pack("{s:s, s:s, s:s*, s:s*, s:s, s:b, s:o}", "name", c->name, "cniVersion",
			      c->version, "file", c->file, "dir", c->dir, "base", c->base, "disableCheck",
			      c->disable_check, "plugins", json_deep_copy(c->plugins));

	if (!j) /* all of it came out of JSON, or was looked at when it was read */
		abort();
	return j;
}

static int load(const json_t *j, struct net_conf *c, struct err *e)
{
	const char *name = NULL, *version = NULL, *file = NULL, *dir = NULL, *base = NULL;
	json_t *plugins = NULL;
	int r = json_get_str(j, "", "name", true, &name, e);

	r = r < 0 ? r : json_get_str(j, "", "cniVersion", true, &version, e);
	r = r < 0 ? r : json_get_str(j, "", "file", false, &file, e);
	r = r < 0 ? r : json_get_str(j, "", "dir", false, &dir, e);
	r = r < 0 ? r : json_get_str(j, "", "base", true, &base, e);
	r = r < 0 ? r : json_get_bool(j, "", "disableCheck", true, &c->disable_check, e);
	r = r < 0 ? r : json_get_arr(j, "", "plugins", true, &plugins, e);
	if (r < 0)
		return r;
	c->name = xstrdup(name);
	c->version = xstrdup(version);
	c->file = xstrdup(file);
	c->dir = xstrdup(dir);
	c->base = xstrdup(base);
	c->plugins = json_deep_copy(plugins);
	r = check_name(name, e);
	r = r < 0 ? r : cni_version_parse(version, e);
	return r < 0 ? r : check_plugins(c, json_array_size(plugins) != 1, e);
}

struct net_conf *net_conf_load(const json_t *j, struct err *e)
{
	struct net_conf *c = xcalloc(1, sizeof(*c));

	if (load(j, c, e) == 0)
		return c;
	net_conf_free(c);
	return NULL;
}

/* ---- what it says ---- */

bool net_conf_can(const struct net_conf *c, const char *capability)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(c->plugins, i, plugin)
	{
		if (json_is_true(json_object_get(json_member(plugin, "capabilities"), capability)))
			return true;
	}
	return false;
}

bool net_conf_masquerades(const struct net_conf *c)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(c->plugins, i, plugin)
	{
		if (json_is_true(json_member(plugin, "ipMasq")))
			return true;
	}
	return false;
}
