/*
 * podstart — see podstart.h.
 *
 * Everything that can fail for a reason that the user typed comes before the pod exists.
 */
#include "rkt/podstart.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "rkt/images.h"
#include "stage0/prepare.h"
#include "stage0/userns.h"

/* Ids of all images into the requests of their apps. */
static int obtain_images(struct host *h, struct pod_args *a, struct err *e)
{
	enum pull_policy policy = PULL_NEVER;
	int r = a->apps.n ? pull_policy_of(&a->pull, &policy, e) : 0;
	for (size_t i = 0; r == 0 && i < a->apps.n; i++) {
		struct app_arg *app = &a->apps.v[i];
		char id[IMAGE_ID_LEN + 1];
		r = image_obtain(h, app->image, app->signature, policy, 0, id, e);
		if (r < 0)
			return r;
		app->req.image_id = xstrdup(id);
	}
	return r;
}

static void fill_request(struct pod_args *a, const struct globals *g, struct pod_request *q)
{
	q->accept_unsigned = g->insecure & INSECURE_IMAGE;
	q->apps = xcalloc(a->apps.n + 1, sizeof(*q->apps));
	q->napps = a->apps.n;
	for (size_t i = 0; i < a->apps.n; i++) {
		q->apps[i] = a->apps.v[i].req;
		a->apps.v[i].req = (struct app_request){ .read_only = TRI_UNSET };
	}
	q->volumes = a->volumes;
	a->volumes = (struct volumes){ 0 };
	q->mounts = a->apps.pod.req.mounts;
	a->apps.pod.req.mounts = (struct mounts){ 0 };
	q->inherit_env = a->inherit_env;
	q->isolators = a->isolators;
	a->isolators = (struct isolators){ NULL, 0 };
	q->ports = a->ports;
	a->ports = (struct port_specs){ NULL, 0 };
	q->set_env = steal_ptr(&a->set_env);
	q->set_env_files = steal_ptr(&a->set_env_files);
	q->no_overlay = a->no_overlay;
	q->private_users = a->private_users;
	q->mutable_pod = a->mutable_pod;
	q->annotations = steal_ptr(&a->annotations);
	q->user_annotations = steal_ptr(&a->user_annotations);
	q->user_labels = steal_ptr(&a->user_labels);
	q->manifest_path = a->pod_manifest;
}

static int save_uuid(const char *path, const char *uuid, struct err *e)
{
	if (!path)
		return 0;
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, errno, "option --uuid-file-save: create %s", path);
	int r = write_full(fd, uuid, UUID_LEN);
	return r < 0 ? err_sys(e, -r, "option --uuid-file-save: write %s", path) : 0;
}

void podstart_abandon(struct pod *p)
{
	struct err e = ERR_INIT;
	int r = pod_to_garbage(p, &e);
	if (r == 0)
		r = pod_delete(p, &e);
	if (r < 0)
		log_debug("delete the unfinished pod: %s", e.text);
}

static int make_pod(const struct pod_args *a, const struct pod_request *q, struct host *h,
		    const struct stage1 *s1, struct pod *ret, struct err *e)
{
	int r = pod_create(&h->data, ret, e);
	if (r < 0)
		return r;
	r = save_uuid(a->uuid_file_save, ret->uuid, e);
	if (r == 0)
		r = prepare_pod(q, &h->store, s1, ret, e);
	if (r == 0)
		r = podstart_check_interactive(ret, a->interactive && a->pod_manifest, e);
	if (r == 0 && a->pod_manifest)
		r = podstart_check_ports(ret, a->net, e);
	if (r < 0)
		podstart_abandon(ret);
	return r;
}

int podstart_prepare(struct cli *c, struct pod_args *a, struct host *h, struct stage1 *ret_stage1,
		     struct pod *ret_pod, struct err *e)
{
	struct stage1_choice choice = stage1_args_choice(&a->stage1);
	struct pod_request q = { 0 };
	int r = pod_args_check(c, a, e);
	if (r == 0)
		r = host_open(&c->g, HOST_CREATE | HOST_STORE | HOST_READS, h, e);
	if (r < 0)
		return r;
	h->fetch.quiet = a->quiet;
	r = stage1_select(&choice, &h->config, &h->store, &h->fetch, ret_stage1, e);
	if (r == 0 && a->mutable_pod)
		r = stage1_require_mutable(ret_stage1, e);
	if (r == 0)
		r = obtain_images(h, a, e);
	if (r < 0)
		return r;
	fill_request(a, &c->g, &q);
	r = make_pod(a, &q, h, ret_stage1, ret_pod, e);
	pod_request_done(&q);
	return r;
}

int podstart_check_interactive(const struct pod *p, bool interactive, struct err *e)
{
	if (!interactive)
		return 0;
	auto_pod_manifest m = pod_manifest_load(p, e);
	if (!m)
		return -e->code;
	return m->napps == 1 ? 0
			     : err_set(e, ERR_INPUT, EINVAL,
				       "option --interactive: only one app can have the terminal, and this "
				       "pod has %zu",
				       m->napps);
}

int podstart_check_ports(const struct pod *p, char *const *net, struct err *e)
{
	auto_pod_manifest m = pod_manifest_load(p, e);
	if (!m)
		return -e->code;
	return m->nports && podflags_check_net(net, e) < 0 ? err_ctx(e, "port \"%s\"", m->ports[0].name) : 0;
}

struct run_options podstart_options(const struct cli *c, const struct pod_args *a)
{
	return (struct run_options){
		.debug = c->g.debug,
		.interactive = a->interactive,
		.mutable_pod = a->mutable_pod,
		.net = a->net,
		.local_config = c->g.local_config,
		.system_config = c->g.system_config,
		.hostname = a->hostname,
		.ipc = a->ipc,
		.dns_mode = a->dns_mode,
		.insecure_caps = c->g.insecure & INSECURE_CAPABILITIES,
		.insecure_paths = c->g.insecure & INSECURE_PATHS,
		.insecure_seccomp = c->g.insecure & INSECURE_SECCOMP,
	};
}

/* The pod is prepared; from now on it is to run or to go. */
static int become(struct cli *c, struct pod_args *a, const struct stage1 *s1, struct pod *p, struct err *e)
{
	struct run_options o = podstart_options(c, a);
	int r = dns_write(&a->dns, p, e);
	if (r == 0 && a->private_users)
		r = userns_of_pod(p, &o.private_users, e);
	if (r == 0)
		r = pod_to_run(p, e);
	if (r < 0) {
		podstart_abandon(p);
		return r;
	}
	o.fresh = true;
	return stage1_exec_run(s1, p, &o, e);
}

int podstart_run(struct cli *c, struct pod_args *a, struct err *e)
{
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	struct stage1 s1 = { 0 };
	int r = podflags_dns_mode(a, e);
	if (r == 0)
		r = podstart_prepare(c, a, &h, &s1, &p, e);
	if (r == 0)
		r = become(c, a, &s1, &p, e);
	stage1_done(&s1);
	return r;
}
