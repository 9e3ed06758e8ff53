/* record — see record.h. */
#include "stage1/net/record.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/lock.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/net/result.h"

#define RECORD_MAX (4u << 20)
#define PORTS_FILE CONTRACT_DIR_NET "/ports.json"

static int save(const struct net_pod *p, const char *path, json_t *doc, struct err *e)
{
	auto_json owned = doc;
	auto_free char *text = json_text(owned, JSON_LINE);
	int r = mkdirat(p->pod_fd, CONTRACT_DIR_NET, 0700) < 0 && errno != EEXIST ? -errno : 0;

	if (r == 0)
		r = write_file_at(p->pod_fd, path, text, strlen(text), 0600, 0);
	return r < 0 ? err_sys(e, -r, "record %s", path) : 0;
}

int record_lock(const struct net_pod *p, struct err *e)
{
	struct stat st;
	auto_close int fd = openat(p->pod_fd, CONTRACT_DIR_NET,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : lock_fd(fd, LOCK_EXCL, true);

	if (r == 0 && (fstat(fd, &st) < 0 || st.st_nlink == 0))
		r = -ENOENT;
	return r < 0 ? err_sys(e, -r, "lock %s", CONTRACT_DIR_NET) : steal_fd(&fd);
}

static char *path_of(const struct attachment *a)
{
	return xasprintf(CONTRACT_DIR_NET "/%s.json", a->ifname);
}

int record_save(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	auto_free char *path = path_of(a);
	json_t *doc = json_object();

	json_object_set_new(doc, "ifName", json_string(a->ifname));
	json_object_set_new(doc, "state", json_string(a->up ? "up" : "adding"));
	json_object_set_new(doc, "args", json_string(a->args));
	json_object_set_new(doc, "conf", net_conf_save(a->conf));
	json_object_set(doc, "runtime", a->runtime);
	if (a->result)
		json_object_set(doc, "result", a->result);
	return save(p, path, doc, e);
}

int record_save_ports(const struct net_pod *p, const struct port_maps *l, struct err *e)
{
	return save(p, PORTS_FILE, port_maps_to_json(l), e);
}

/* ---- reading ---- */

static int load_json(const struct net_pod *p, const char *path, json_t **ret, struct err *e)
{
	auto_buf text = BUF_INIT;
	int r = read_file_at(p->pod_fd, path, RECORD_MAX, &text);

	if (r < 0)
		return r == -ENOENT ? r : err_sys(e, -r, "read %s", path);
	*ret = json_parse(buf_str(&text), text.len, e);
	return *ret ? 0 : err_ctx(e, "%s", path);
}

static int fill(const json_t *doc, struct attachment *a, struct err *e)
{
	const char *ifname = "", *state = "", *args = "";
	json_t *conf = NULL, *runtime = NULL, *result = NULL;
	int r = json_get_str(doc, "", "ifName", true, &ifname, e);

	if (r == 0)
		r = json_get_str(doc, "", "state", true, &state, e);
	if (r == 0)
		r = json_get_str(doc, "", "args", true, &args, e);
	if (r == 0)
		r = json_get_obj(doc, "", "conf", true, &conf, e);
	if (r == 0)
		r = json_get_obj(doc, "", "runtime", true, &runtime, e);
	if (r == 0)
		r = json_get_obj(doc, "", "result", false, &result, e);
	if (r < 0)
		return r;
	(void)snprintf(a->ifname, sizeof(a->ifname), "%s", ifname);
	a->args = xstrdup(args);
	a->up = strcmp(state, "up") == 0;
	a->runtime = json_incref(runtime);
	a->result = json_incref(result);
	a->conf = net_conf_load(conf, e);
	return a->conf ? 0 : -e->code;
}

static struct attachment *load_one(const struct net_pod *p, const char *path, struct err *e)
{
	auto_json doc = NULL;
	struct attachment *a;

	if (load_json(p, path, &doc, e) < 0)
		return NULL;
	a = xcalloc(1, sizeof(*a));
	if (fill(doc, a, e) == 0)
		return a;
	err_ctx(e, "%s", path);
	attachment_free(a);
	return NULL;
}

/* Interfaces by their numbers, eth10 behind eth9. */
static int by_number(const void *x, const void *y)
{
	const char *a = *(char *const *)x, *b = *(char *const *)y;
	size_t la = strlen(a), lb = strlen(b);

	return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

static int names(const struct net_pod *p, char ***ret, struct err *e)
{
	int fd = openat(p->pod_fd, CONTRACT_DIR_NET, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, errno, "open %s", CONTRACT_DIR_NET);
	for (const struct dirent *ent; (ent = readdir(d));) {
		size_t n = strlen(ent->d_name);

		if (strncmp(ent->d_name, "eth", 3) == 0 && n > 5 && strcmp(ent->d_name + n - 5, ".json") == 0)
			strv_push(ret, ent->d_name);
	}
	if (*ret)
		qsort(*ret, strv_len(*ret), sizeof(**ret), by_number);
	return 0;
}

int record_load(const struct net_pod *p, struct record *ret, struct err *e)
{
	auto_strv files = NULL;
	auto_json ports = NULL;
	struct err first = ERR_INIT;

	*ret = (struct record){ NULL, 0, { NULL, 0 } };
	int r = names(p, &files, e);
	if (r < 0)
		return r;
	for (char **f = files; f && *f; f++) {
		auto_free char *path = xasprintf(CONTRACT_DIR_NET "/%s", *f);
		struct err own = ERR_INIT;
		struct attachment *a = load_one(p, path, &own);

		if (!a) {
			if (!first.code)
				err_copy(&first, &own);
			continue;
		}
		ret->v = xreallocarray(ret->v, ret->n + 1, sizeof(struct attachment *));
		ret->v[ret->n++] = a;
	}
	r = load_json(p, PORTS_FILE, &ports, first.code ? e : &first);
	if (r == 0)
		r = port_maps_from_json(ports, &ret->ports, &first);
	return first.code ? err_copy(e, &first) : 0;
}

void record_done(struct record *r)
{
	for (size_t i = 0; i < r->n; i++)
		attachment_free(r->v[i]);
	free(r->v);
	free(r->ports.v);
	*r = (struct record){ NULL, 0, { NULL, 0 } };
}

/* ---- the end of it ---- */

int record_drop(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	auto_free char *path = path_of(a);

	if (unlinkat(p->pod_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "remove %s", path);
	return 0;
}

int record_finish(const struct net_pod *p, struct err *e)
{
	return rm_tree_at(p->pod_fd, CONTRACT_DIR_NET, e);
}

/* ---- for readers ---- */

/* As rkt 1.30 wrote it: 255.255.255.0. */
static void add_mask(json_t *info, const struct net_addr *a)
{
	struct in_addr mask = { htonl(a->prefix ? ~0u << (32 - a->prefix) : 0) };
	char text[INET_ADDRSTRLEN];

	json_object_set_new(info, "mask", json_string(inet_ntop(AF_INET, &mask, text, sizeof(text))));
}

static void add_addresses(json_t *info, const struct attachment *a)
{
	struct net_result res;
	struct err ignored = ERR_INIT;
	json_t *all = json_array();
	char text[INET6_ADDRSTRLEN];

	if (net_result_parse(a->result, a->conf->version, a->ifname, &res, &ignored) == 0) {
		const struct net_addr *v4 = net_result_first(&res, AF_INET);

		if (v4) {
			json_object_set_new(info, "ip", json_string(net_addr_text(v4, text)));
			add_mask(info, v4);
		}
		for (size_t i = 0; i < res.n; i++)
			json_array_append_new(all, json_sprintf("%s/%u", net_addr_text(&res.v[i], text),
								(unsigned int)res.v[i].prefix));
		net_result_done(&res);
	}
	json_object_set_new(info, "ips", all);
}

static json_t *info_of(const struct attachment *a)
{
	json_t *info = json_object();
	const char *type = json_string_value(json_member(json_array_get(a->conf->plugins, 0), "type"));

	json_object_set_new(info, "netName", json_string(a->conf->name));
	json_object_set_new(info, "netConf", json_string(a->conf->file ? a->conf->file : a->conf->base));
	json_object_set_new(info, "pluginPath", json_string(type ? type : ""));
	json_object_set_new(info, "ifName", json_string(a->ifname));
	json_object_set_new(info, "ip", json_string(""));
	json_object_set_new(info, "args", json_string(a->args));
	json_object_set_new(info, "mask", json_string(""));
	json_object_set_new(info, "driver", json_string(net_driver_of(a->conf)->name));
	add_addresses(info, a);
	return info;
}

int record_tell(const struct net_pod *p, const struct record *r, struct err *e)
{
	auto_json doc = json_array();

	for (size_t i = 0; i < r->n; i++)
		if (r->v[i]->up)
			json_array_append_new(doc, info_of(r->v[i]));
	if (r->ports.n && json_array_size(doc))
		json_object_set_new(json_array_get(doc, 0), "ports", port_maps_to_json(&r->ports));
	auto_free char *text = json_text(doc, JSON_LINE);
	int n = write_file_at(p->pod_fd, CONTRACT_FILE_NET_INFO, text, strlen(text), 0644, 0);
	return n < 0 ? err_sys(e, -n, "write %s", CONTRACT_FILE_NET_INFO) : 0;
}
