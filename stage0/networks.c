/* networks — see networks.h. */
#include "stage0/networks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "stage0/entrypoint.h"
#include "stage1/contract.h"

#define LIST_MAX     (4u << 20)
#define NET_INFO_MAX (1u << 20)

struct net_call {
	const struct net_where *where;
	const char *verb, *arg; /* @arg may be NULL */
	int cwd_fd;
	int stdout_fd; /* FD_NONE: nothing is expected */
	int netns_fd;  /* or FD_NONE */
};

/* As for the program's own callers in stage1: what it and the plugins need, and nothing of the user's. */
static char **environment(const struct net_where *w)
{
	static const char *const passed[] = { CONTRACT_NET_ENVIRONMENT, NULL };
	char **env = NULL;

	env_pass(&env, passed);
	strv_pushf(&env, CONTRACT_SYSTEM_CONFIG "=%s", w->system_config);
	return env;
}

static int call_net(const struct stage1 *s, const struct net_call *c, struct err *e)
{
	auto_free char *path = NULL;
	auto_strv argv = NULL;
	auto_strv env = environment(c->where);
	const struct proc_fd fds[] = { { FD_NONE, 0 },
				       { c->stdout_fd, 1 },
				       { c->netns_fd, CONTRACT_NET_FD } };
	int status = 0;
	int r = stage1_safe_entrypoint(s, CONTRACT_NET, &path, e);

	if (r < 0)
		return r;
	strv_push(&argv, path);
	strv_push(&argv, c->verb);
	strv_pushf(&argv, "--debug=%s", c->where->debug ? "true" : "false");
	strv_pushf(&argv, "--local-config=%s", c->where->local_config);
	if (c->arg)
		strv_push(&argv, c->arg);
	struct spawn how = { .path = path,
			     .argv = argv,
			     .env = env,
			     .fds = fds,
			     .nfds = c->netns_fd >= 0 ? 3 : 2,
			     .cwd_fd = c->cwd_fd };
	return entrypoint_run(&how, "rkt: net: ", &status, e);
}

int networks_configured(const struct stage1 *s, const struct datadir *d, const struct net_where *w,
			json_t **ret, struct err *e)
{
	auto_close int out = memfd_new("rkt-networks");
	auto_buf text = BUF_INIT;

	if (out < 0)
		return err_sys(e, -out, "memory for the list of networks");
	struct net_call c = { w, "list", NULL, d->fd, out, FD_NONE };
	int r = call_net(s, &c, e);
	if (r < 0)
		return r;
	if (lseek(out, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "read the list of networks");
	r = fd_read_all(out, LIST_MAX, &text);
	if (r < 0)
		return err_sys(e, -r, "read the list of networks");
	*ret = json_parse(buf_str(&text), text.len, e);
	return *ret ? 0 : err_ctx(e, "list of networks");
}

/* ---- who uses them ---- */

static void add_pod(const struct pod *p, json_t *out)
{
	auto_buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	const json_t *net;
	size_t i;

	if (p->state != POD_RUNNING || read_file_at(p->fd, NET_INFO_FILE, NET_INFO_MAX, &text) < 0)
		return;
	auto_json info = json_parse(buf_str(&text), text.len, &ignored);
	json_array_foreach(info, i, net)
	{
		json_t *o = json_object();

		json_object_set_new(o, "uuid", json_string(p->uuid));
		json_object_set(o, "netName", json_member(net, "netName"));
		json_object_set(o, "ifName", json_member(net, "ifName"));
		json_object_set(o, "ips", json_member(net, "ips"));
		json_array_append_new(out, o);
	}
}

int networks_used(const struct datadir *d, json_t **ret, struct err *e)
{
	struct pod_places all = { NULL, 0, 0 };
	int r = pods_scan(d, PODS_RUN, &all, e);

	*ret = json_array();
	for (size_t i = 0; i < all.n; i++) {
		auto_pod p = POD_INIT;
		struct err ignored = ERR_INIT;

		if (pod_open_place(d, &all.v[i], &p, &ignored) == 0)
			add_pod(&p, *ret);
	}
	free(all.v);
	return r;
}

/* ---- calls ---- */

static int open_netns(const struct pod *p, struct err *e)
{
	pid_t pid = 0;
	int r = pod_init_pid(p, &pid, e);

	if (r < 0)
		return r;
	auto_free char *path = xasprintf("/proc/%d/ns/net", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "open the network namespace of pod %s", p->uuid) : fd;
}

int networks_reload(const struct pod *p, const struct net_where *w, struct err *e)
{
	struct stage1 s = { 0 };

	if (faccessat(p->fd, CONTRACT_DIR_NET, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "look at the networks of pod %s", p->uuid);
	auto_close int netns = open_netns(p, e);
	if (netns < 0)
		return netns;
	struct net_call reload = { w, "reload", p->uuid, p->fd, FD_NONE, netns };
	int r = stage1_of_pod(p, &s, e);
	if (r == 0)
		r = call_net(&s, &reload, e);
	stage1_done(&s);
	return r < 0 ? err_ctx(e, "pod %s", p->uuid) : 0;
}

int networks_remove(const struct stage1 *s, const struct datadir *d, const struct net_where *w,
		    const char *name, struct err *e)
{
	struct net_call c = { w, "rm", name, d->fd, FD_NONE, FD_NONE };
	auto_json used = NULL;
	const json_t *u;
	size_t i;
	int r = networks_used(d, &used, e);

	json_array_foreach(used, i, u)
	{
		const char *net = json_string_value(json_object_get(u, "netName"));

		if (net && strcmp(net, name) == 0)
			return err_set(e, ERR_STATE, EBUSY, "network \"%s\" is used by pod %s", name,
				       json_string_value(json_object_get(u, "uuid")));
	}
	return r == 0 ? call_net(s, &c, e) : r;
}
