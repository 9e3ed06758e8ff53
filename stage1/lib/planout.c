/*
 * planout — see planout.h.
 *
 * The file grows in one buffer: header, fixed arrays, then variable parts, each aligned to 8 bytes.
 * Because the buffer moves while it grows, entries are addressed by offset, never by pointer.
 */
#include "stage1/lib/planout.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/strv.h"

static uint32_t align8(struct buf *b)
{
	static const char zero[8];

	buf_add(b, zero, (8 - b->len % 8) % 8);
	return (uint32_t)b->len;
}

static uint32_t add_bytes(struct buf *b, const void *p, size_t n)
{
	uint32_t off = align8(b);

	buf_add(b, p, n);
	return off;
}

static uint32_t add_str(struct buf *b, const char *s)
{
	uint32_t off = (uint32_t)b->len;

	if (!s)
		return 0;
	buf_add(b, s, strlen(s) + 1);
	return off;
}

static uint32_t add_zero(struct buf *b, size_t n)
{
	uint32_t off = align8(b);

	memset(buf_reserve(b, n), 0, n);
	b->len += n;
	return off;
}

static struct plan_vec add_vec(struct buf *b, char *const *v)
{
	struct plan_vec ret = { 0, (uint32_t)strv_len(v) };

	if (ret.n == 0)
		return ret;
	ret.off = add_zero(b, ret.n * sizeof(uint32_t));
	for (uint32_t i = 0; i < ret.n; i++) {
		uint32_t off = add_str(b, v[i]);

		memcpy(b->data + ret.off + i * sizeof(off), &off, sizeof(off));
	}
	return ret;
}

static uint32_t add_paths(struct buf *b, const struct plan_path_in *in, uint32_t n)
{
	uint32_t off = add_zero(b, n * sizeof(struct plan_path));

	for (uint32_t i = 0; i < n; i++) {
		struct plan_path p = { add_str(b, in[i].path), in[i].access };

		memcpy(b->data + off + i * sizeof(p), &p, sizeof(p));
	}
	return off;
}

static void add_app(struct buf *b, uint32_t at, const struct plan_app_in *in)
{
	struct plan_app a = {
		.name = add_str(b, in->name),
		.root = add_str(b, in->root),
		.cwd = add_str(b, in->cwd),
		.flags = in->flags,
		.argv = add_vec(b, in->argv),
		.env = add_vec(b, in->env),
		.pre_start = add_vec(b, in->pre_start),
		.post_stop = add_vec(b, in->post_stop),
		.search = add_vec(b, in->search),
		.uid = in->uid,
		.gid = in->gid,
		.ngroups = in->ngroups,
		.caps = in->caps,
		.oom_score_adj = in->oom_score_adj,
		.has_oom = in->has_oom,
		.stdio = { in->stdio[0], in->stdio[1], in->stdio[2] },
		.umask = in->umask,
	};

	if (in->ngroups)
		a.groups_off = add_bytes(b, in->groups, in->ngroups * sizeof(*in->groups));
	if (in->bpf && in->bpf->n) {
		a.bpf_n = (uint32_t)in->bpf->n;
		a.bpf_off = add_bytes(b, in->bpf->insn, in->bpf->n * sizeof(*in->bpf->insn));
	}
	if (in->ndevices) {
		a.ndevices = in->ndevices;
		a.devices_off = add_bytes(b, in->devices, in->ndevices * (size_t)8);
	}
	if (in->npaths) {
		a.npaths = in->npaths;
		a.paths_off = add_paths(b, in->paths, in->npaths);
	}
	a.stop_signal = in->stop_signal;
	if (in->nlisten) {
		a.nlisten = in->nlisten;
		a.listen_off = add_bytes(b, in->listen, in->nlisten * sizeof(*in->listen));
		a.listen_names = in->listen_names ? add_str(b, in->listen_names) : 0;
	}
	if (in->nrlimits) {
		a.nrlimits = in->nrlimits;
		a.rlimits_off = add_bytes(b, in->rlimits, in->nrlimits * sizeof(*in->rlimits));
	}
	memcpy(b->data + at, &a, sizeof(a));
}

static void add_cgroups(struct buf *b, const struct plan_in *in, struct plan_header *h)
{
	h->ncgroups = in->ncgroups;
	h->nwrites = in->nwrites;
	if (in->ncgroups)
		h->cgroups_off = add_zero(b, in->ncgroups * sizeof(struct plan_cgroup));
	if (in->nwrites)
		h->writes_off = add_zero(b, in->nwrites * sizeof(struct plan_write));
	for (uint32_t i = 0; i < in->ncgroups; i++) {
		const struct plan_cgroup_in *c = &in->cgroups[i];
		struct plan_cgroup out = { c->parent_fd, add_str(b, c->dir), c->v2, c->copy_cpuset };

		memcpy(b->data + h->cgroups_off + i * sizeof(out), &out, sizeof(out));
	}
	for (uint32_t i = 0; i < in->nwrites; i++) {
		const struct plan_write_in *w = &in->writes[i];
		struct plan_write out = { w->cgroup, w->app, add_str(b, w->file), add_str(b, w->value) };

		memcpy(b->data + h->writes_off + i * sizeof(out), &out, sizeof(out));
	}
}

static int check_limits(const struct plan_in *in, struct err *e)
{
	if (in->napps > PLAN_APPS_MAX || in->ncgroups > PLAN_CGROUPS_MAX || in->nwrites > PLAN_WRITES_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "too many apps or limits in one pod");
	for (uint32_t i = 0; i < in->napps; i++) {
		const struct plan_app_in *a = &in->apps[i];

		if (strv_len(a->argv) > PLAN_ARGS_MAX || strv_len(a->env) > PLAN_ARGS_MAX ||
		    a->ngroups > PLAN_GROUPS_MAX || a->npaths > PLAN_PATHS_MAX)
			return err_set(e, ERR_INPUT, E2BIG,
				       "app \"%s\": too many arguments, variables, groups or paths", a->name);
	}
	return 0;
}

int plan_build(const struct plan_in *in, struct buf *ret, struct err *e)
{
	auto_buf b = BUF_INIT;
	struct plan_header h = {
		.magic = PLAN_MAGIC,
		.version = PLAN_VERSION,
		.flags = in->flags,
		.napps = in->napps,
		.grace_ms = in->grace_ms,
	};
	int r = check_limits(in, e);

	if (r < 0)
		return r;
	(void)add_zero(&b, sizeof(h));
	h.apps_off = add_zero(&b, in->napps * sizeof(struct plan_app));
	h.uuid = add_str(&b, in->uuid);
	for (uint32_t i = 0; i < in->napps; i++)
		add_app(&b, h.apps_off + i * (uint32_t)sizeof(struct plan_app), &in->apps[i]);
	add_cgroups(&b, in, &h);
	(void)align8(&b);
	if (b.len > PLAN_SIZE_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "arguments and environment of the pod are too large");
	h.size = (uint32_t)b.len;
	memcpy(b.data, &h, sizeof(h));
	*ret = b;
	b = (struct buf)BUF_INIT;
	return 0;
}
