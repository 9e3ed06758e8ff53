/* listing — the verbs list and rm: see job.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/strv.h"
#include "schema/netspec.h"
#include "stage1/net/bridge.h"
#include "stage1/net/job.h"

/* Subnets that a configuration names, of ours or of host-local's, in either form. */
static void add_subnets(const json_t *j, json_t *out)
{
	const char *key;
	const json_t *v;
	size_t i;

	if (json_is_array(j)) {
		json_array_foreach(j, i, v) add_subnets(v, out);
		return;
	}
	json_object_foreach((json_t *)j, key, v)
	{
		if (strcmp(key, "subnet") == 0 && json_is_string(v))
			json_array_append(out, (json_t *)v);
		else if (strcmp(key, "subnets") == 0 && json_is_array(v))
			json_array_extend(out, (json_t *)v);
		else if (json_is_object(v) || json_is_array(v))
			add_subnets(v, out);
	}
}

static json_t *describe(const struct net_conf *c)
{
	json_t *o = json_object(), *types = json_array(), *subnets = json_array();
	const json_t *plugin;
	size_t i;

	json_array_foreach(c->plugins, i, plugin) json_array_append(types, json_member(plugin, "type"));
	add_subnets(c->plugins, subnets);
	json_object_set_new(o, "name", json_string(c->name));
	json_object_set_new(o, "file", c->file ? json_string(c->file) : json_null());
	json_object_set_new(o, "driver", json_string(net_driver_of(c)->name));
	json_object_set_new(o, "plugins", types);
	json_object_set_new(o, "subnets", subnets);
	json_object_set_new(o, "ipMasq", json_boolean(net_conf_masquerades(c)));
	return o;
}

int net_list(struct net_job *j, struct err *e)
{
	auto_json all = json_array();
	int r = net_confs_load(j->local_config, j->system_config, &j->confs, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < j->confs.n; i++)
		json_array_append_new(all, describe(j->confs.v[i]));
	auto_free char *text = json_text(all, JSON_LINE);
	r = write_full(STDOUT_FILENO, text, strlen(text));
	return r < 0 ? err_sys(e, -r, "write the list") : 0;
}

/* ---- rm ---- */

static const struct net_conf *find(const struct net_confs *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i]->name, name) == 0)
			return l->v[i];
	return NULL;
}

/* The leases of a built-in network; those of plugins are the plugins' own. */
static int drop_leases(const char *name, struct err *e)
{
	auto_close int dir = open("net", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "open the leases");
	return rm_tree_at(dir, name, e);
}

/* Only the administrator's own file is ours to remove, not the vendor's. */
static int drop_file(const struct net_job *j, const struct net_conf *c, struct err *e)
{
	auto_free char *local = xasprintf("%s/net.d", j->local_config);

	if (!c->file || !c->dir || strcmp(c->dir, local) != 0) {
		log_info("network \"%s\" stays configured: it is %s", c->name,
			 c->file ? "in the vendor's directory" : "built in");
		return 0;
	}
	return unlink(c->file) < 0 ? err_sys(e, errno, "remove %s", c->file) : 0;
}

int net_rm(struct net_job *j, struct err *e)
{
	const char *name = j->rest && *j->rest ? *j->rest : "";
	int r = net_name_valid(name) ? net_confs_load(j->local_config, j->system_config, &j->confs, e)
				     : err_set(e, ERR_USAGE, EINVAL, "\"%s\" is no name of a network", name);
	if (r < 0)
		return r;
	const struct net_conf *c = find(&j->confs, name);
	if (!c)
		return err_set(e, ERR_STATE, ENOENT, "network \"%s\" is not configured", name);
	r = drop_leases(name, e);
	if (r == 0)
		r = bridge_remove(c, e);
	return r == 0 ? drop_file(j, c, e) : r;
}
