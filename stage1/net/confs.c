/*
 * confs — the directories of networks, and the networks that need none (confs.h).
 */
#include "stage1/net/confs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/strv.h"

#define CONF_FILE_MAX (1u << 20)
#define CONF_DIR      "net.d"

static const struct {
	const char *base, *text;
} builtin[] = {
	{ "99-default.conf",
	  "{ \"cniVersion\": \"1.0.0\", \"name\": \"default\", \"type\": \"" NET_TYPE_BUILTIN "\", "
	  "\"subnets\": [ \"172.16.28.0/24\", \"fd72:6b74:1c::/64\" ], "
	  "\"ipMasq\": true, \"defaultRoute\": true }" },
	{ "99-default-restricted.conf",
	  "{ \"cniVersion\": \"1.0.0\", \"name\": \"default-restricted\", \"type\": \"" NET_TYPE_BUILTIN
	  "\", "
	  "\"subnets\": [ \"172.31.0.0/16\", \"fd72:6b74:1f::/64\" ], "
	  "\"ipMasq\": false, \"defaultRoute\": false }" },
};

static const char *const suffixes[] = { ".conf", ".conflist", ".json" };

void net_confs_done(struct net_confs *l)
{
	for (size_t i = 0; i < l->n; i++)
		net_conf_free(l->v[i]);
	free(l->v);
	*l = (struct net_confs){ NULL, 0 };
}

static const struct net_conf *find(const struct net_confs *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i]->name, name) == 0)
			return l->v[i];
	}
	return NULL;
}

/* Takes @c; the first of a name counts, and two in one directory are likely a mistake. */
static void add(struct net_confs *l, struct net_conf *c)
{
	const struct net_conf *first = find(l, c->name);

	if (!first) {
		l->v = xreallocarray(l->v, l->n + 1, sizeof(l->v[0]));
		l->v[l->n++] = c;
		return;
	}
	if (c->dir && first->dir && strcmp(c->dir, first->dir) == 0)
		log_warn("%s: network \"%s\" is in %s already: the file is passed over", c->file, c->name,
			 first->base);
	net_conf_free(c);
}

static bool is_conf_name(const char *name)
{
	size_t n = strlen(name);

	if (name[0] == '.')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		size_t cut = strlen(suffixes[i]);

		if (n > cut && strcmp(name + n - cut, suffixes[i]) == 0)
			return true;
	}
	return false;
}

/* Paths become part of records, which are JSON. */
static bool is_utf8(const char *s)
{
	auto_json j = json_string(s);

	return j != NULL;
}

static struct net_conf *read_file(int dirfd, const char *name, struct err *e)
{
	auto_buf text = BUF_INIT;
	int r = is_utf8(name) ? read_file_at(dirfd, name, CONF_FILE_MAX, &text) : -EILSEQ;

	if (r < 0) {
		(void)err_sys(e, -r, "read");
		return NULL;
	}
	return net_conf_parse(buf_str(&text), text.len, name, e);
}

static int read_dir(const char *top, struct net_confs *l, struct err *e)
{
	auto_free char *path = xasprintf("%s/" CONF_DIR, top);
	auto_closedir DIR *d = opendir(path);
	auto_strv files = NULL;
	int r;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, errno, "read networks %s", path);
	r = is_utf8(path) ? files_in(d, is_conf_name, &files) : -EILSEQ;
	if (r < 0)
		return err_sys(e, -r, "read networks %s", path);
	for (size_t i = 0; files && files[i]; i++) {
		struct net_conf *c = read_file(dirfd(d), files[i], e);

		if (!c)
			return err_ctx(e, "network %s/%s", path, files[i]);
		c->dir = xstrdup(path);
		c->file = xasprintf("%s/%s", path, files[i]);
		add(l, c);
	}
	return 0;
}

static void add_builtin(struct net_confs *l)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(builtin); i++) {
		struct net_conf *c = net_conf_parse(builtin[i].text, strlen(builtin[i].text), builtin[i].base,
						    &e);

		if (!c)
			abort();
		add(l, c);
	}
}

/* By base name; of one base name those of the local directory first, which comes first in the list: by insertion. */
static void sort(struct net_confs *l)
{
	for (size_t i = 1; i < l->n; i++) {
		struct net_conf *c = l->v[i];
		size_t at = i;

		for (; at > 0 && strcmp(l->v[at - 1]->base, c->base) > 0; at--)
			l->v[at] = l->v[at - 1];
		l->v[at] = c;
	}
}

int net_confs_load(const char *local_config, const char *system_config, struct net_confs *ret, struct err *e)
{
	struct net_confs l = { NULL, 0 };
	int r = read_dir(local_config, &l, e);

	if (r == 0)
		r = read_dir(system_config, &l, e);
	if (r < 0) {
		net_confs_done(&l);
		return r;
	}
	add_builtin(&l);
	sort(&l);
	*ret = l;
	return 0;
}

/* ---- which of them ---- */

static const struct net_spec *asked_for(const struct net_specs *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->v[i].name, name) == 0)
			return &s->v[i];
	}
	return NULL;
}

static int not_configured(const struct net_confs *l, const char *name, struct err *e)
{
	auto_strv names = NULL;
	auto_free char *text = NULL;

	for (size_t i = 0; i < l->n; i++)
		strv_push(&names, l->v[i]->name);
	text = strv_join(names, ", ");
	return err_set(e, ERR_INPUT, ENOENT, "network \"%s\" is not configured; there are: %s", name, text);
}

int net_confs_pick(const struct net_confs *l, const struct net_specs *s, const struct net_conf ***ret,
		   const char ***ret_args, size_t *n, struct err *e)
{
	auto_free const struct net_conf **confs = NULL;
	auto_free const char **args = NULL;
	size_t found = 0;

	for (size_t i = 0; s->kind == NETS_NAMED && i < s->n; i++) {
		if (!find(l, s->v[i].name))
			return not_configured(l, s->v[i].name, e);
	}
	confs = xcalloc(l->n + 1, sizeof(confs[0]));
	args = xcalloc(l->n + 1, sizeof(args[0]));
	for (size_t i = 0; i < l->n; i++) {
		const struct net_spec *spec = asked_for(s, l->v[i]->name);

		if (s->kind != NETS_ALL && (s->kind != NETS_NAMED || !spec))
			continue;
		confs[found] = l->v[i];
		args[found++] = spec ? spec->args : "";
	}
	*ret = steal_ptr(&confs);
	*ret_args = steal_ptr(&args);
	*n = found;
	return 0;
}
