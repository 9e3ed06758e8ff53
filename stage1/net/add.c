/* add — the verb add: see job.h.  The order of its steps is that of README.md. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/podfile.h"
#include "stage1/net/cni.h"
#include "stage1/net/fw.h"
#include "stage1/net/job.h"
#include "stage1/net/resolv.h"
#include "stage1/net/twins.h"

#define NETS_MAX 32

/* ---- what the pod wants ---- */

static int maps_of(const struct net_pod *p, const struct pod_manifest *m, struct port_maps *ret,
		   struct err *e)
{
	auto_free const struct app **apps = xcalloc(m->napps + 1, sizeof(struct app *));
	auto_free struct image_manifest **images = xcalloc(m->napps + 1, sizeof(struct image_manifest *));
	int r = 0;

	for (size_t i = 0; i < m->napps && r == 0; i++) {
		apps[i] = m->apps[i].app;
		if (apps[i])
			continue;
		images[i] = podfile_image(p->pod_fd, m->apps[i].name, e);
		r = images[i] ? 0 : -e->code;
		apps[i] = images[i] ? images[i]->app : NULL;
	}
	if (r == 0)
		r = port_maps_of_pod(m, apps, ret, e);
	for (size_t i = 0; i < m->napps; i++)
		image_manifest_free(images[i]);
	return r;
}

static int step_ports(struct net_job *j, struct err *e)
{
	auto_pod_manifest m = podfile_pod(j->pod.pod_fd, e);

	return m ? maps_of(&j->pod, m, &j->ports, e) : -e->code;
}

static int step_networks(struct net_job *j, struct err *e)
{
	auto_free const struct net_conf **confs = NULL;
	auto_free const char **args = NULL;
	size_t n = 0;
	int r = net_specs_parse(j->net, &j->specs, e);

	if (r == 0)
		r = net_confs_load(j->local_config, j->system_config, &j->confs, e);
	if (r == 0)
		r = net_confs_pick(&j->confs, &j->specs, &confs, &args, &n, e);
	if (r == 0 && n > NETS_MAX)
		r = err_set(e, ERR_INPUT, E2BIG, "a pod has at most %d networks", NETS_MAX);
	if (r < 0)
		return r;
	j->rec.v = xcalloc(n + 1, sizeof(struct attachment *));
	for (; j->rec.n < n; j->rec.n++) {
		struct attachment *a = xcalloc(1, sizeof(*a));

		(void)snprintf(a->ifname, sizeof(a->ifname), "eth%zu", j->rec.n);
		a->args = xstrdup(args[j->rec.n]);
		a->conf = net_conf_copy(confs[j->rec.n]);
		a->runtime = json_object();
		j->rec.v[j->rec.n] = a;
	}
	for (size_t i = 0; i < n && r == 0; i++)
		r = cni_runtime_of_args(j->rec.v[i]->conf, j->rec.v[i]->args, j->rec.v[i]->runtime, e);
	return r;
}

/* A plugin of the network publishes the ports if it can; else we do. */
static int step_publish(struct net_job *j, struct err *e)
{
	const struct attachment *a = net_port_network(&j->rec);

	if (!j->ports.n)
		return 0;
	if (!a)
		return err_set(e, ERR_INPUT, ENOENT, "published ports need a network");
	if (net_conf_can(a->conf, "portMappings"))
		return json_object_set_new(a->runtime, "portMappings", port_maps_to_json(&j->ports));
	j->rec.ports = j->ports;
	j->ports = (struct port_maps){ NULL, 0 };
	j->proxy = proxy_bind(&j->rec.ports, e);
	return j->proxy ? 0 : -e->code;
}

/* ---- making it ---- */

static int step_journal(struct net_job *j, struct err *e)
{
	int r = j->rec.ports.n ? record_save_ports(&j->pod, &j->rec.ports, e) : 0;

	for (size_t i = 0; i < j->rec.n && r == 0; i++)
		r = record_save(&j->pod, j->rec.v[i], e);
	if (r < 0)
		return r;
	j->lock_fd = record_lock(&j->pod, e);
	return j->lock_fd < 0 ? -e->code : 0;
}

/* Nothing was asked for of the networks from @first on, so there is nothing to undo. */
static void never_begun(const struct net_job *j, size_t first)
{
	struct err ignored = ERR_INIT;

	for (size_t i = first; i < j->rec.n; i++)
		(void)record_drop(&j->pod, j->rec.v[i], &ignored);
}

static int step_connect(struct net_job *j, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < j->rec.n && r == 0; i++) {
		struct attachment *a = j->rec.v[i];
		const struct net_driver *d = net_driver_of(a->conf);

		r = d->add(&j->pod, a, e);
		if (r < 0) {
			/* a plugin that is not there: they are all looked up before the first is called */
			never_begun(j, d == &net_driver_cni && r == -ENOENT ? i : i + 1);
			return err_ctx(e, "network \"%s\"", a->conf->name);
		}
		a->up = true;
		r = record_save(&j->pod, a, e);
		if (r == 0 && d == &net_driver_cni && twins_check(&j->pod, a, e) < 0)
			return err_ctx(e, "network \"%s\"", a->conf->name);
	}
	return r;
}

static int step_firewall(struct net_job *j, struct err *e)
{
	bool forwarded = false;
	int r = net_apply_firewall(j, false, &forwarded, e);

	if (r == 0 && j->rec.ports.n && !forwarded)
		log_debug("the host's firewall filters what is forwarded: ports are served by sockets only");
	return r;
}

static int step_tell(struct net_job *j, struct err *e)
{
	int r = resolv_write(&j->pod, &j->rec, &j->answer.resolv, e);

	return r < 0 ? r : record_tell(&j->pod, &j->rec, e);
}

static int (*const add_steps[])(struct net_job *, struct err *) = {
	step_networks, step_ports, step_publish, step_journal, step_connect, step_firewall, step_tell,
};

static void undo(struct net_job *j)
{
	struct err e = ERR_INIT;

	proxy_free(steal_ptr(&j->proxy));
	fd_close(&j->lock_fd);
	record_done(&j->rec);
	if (net_del(j, &e) < 0)
		log_warn("undo: %s", e.text);
	(void)unlinkat(j->pod.pod_fd, CONTRACT_FILE_NET_INFO, 0);
}

/* The supervisor waits for this, not for our end. */
static int answer(const struct net_job *j)
{
	int r = fd_send(NET_FD_ANSWER, &j->answer, sizeof(j->answer), NULL, 0);

	(void)close(NET_FD_ANSWER);
	return r;
}

static int serve(struct net_job *j, struct err *e)
{
	const struct attachment *a = net_port_network(&j->rec);
	struct net_result to;
	int r = net_result_parse(a->result, a->conf->version, a->ifname, &to, e);

	return r < 0 ? r : proxy_serve(j->proxy, &to, e);
}

int net_add(struct net_job *j, struct err *e)
{
	int r = 0;

	if (j->pod.netns_fd < 0)
		return err_set(e, ERR_USAGE, EBADF, "descriptor %d is no network namespace", NET_FD_NETNS);
	(void)fd_set_cloexec(NET_FD_ANSWER, true);
	for (size_t i = 0; i < ARRAY_LEN(add_steps) && r == 0; i++)
		r = add_steps[i](j, e);
	if (r < 0) {
		undo(j);
		err_copy(&j->answer.err, e);
		if (answer(j) == 0) {
			err_clear(e);
			return 0;
		}
		return r;
	}
	j->answer.serves = j->proxy != NULL;
	r = answer(j);
	if (r < 0)
		return err_sys(e, -r, "answer the supervisor");
	return j->proxy ? serve(j, e) : 0;
}
