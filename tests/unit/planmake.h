/*
 * planmake — plans made by hand for the tests of stage2, independent of the writer in stage1.
 */
#pragma once

#include <assert.h>
#include <linux/filter.h>
#include <stdint.h>
#include <string.h>

#include "stage2/plan.h"

#define PM_SIZE 65536

struct plan_maker {
	_Alignas(8) unsigned char data[PM_SIZE];
	uint32_t len;
};

static inline uint32_t pm_bytes(struct plan_maker *m, const void *p, size_t n)
{
	uint32_t off = (m->len + 7) & ~7u;

	assert(off + n < PM_SIZE);
	if (p && n)
		memcpy(m->data + off, p, n);
	m->len = off + (uint32_t)n;
	return off;
}

static inline uint32_t pm_str(struct plan_maker *m, const char *s)
{
	return s ? pm_bytes(m, s, strlen(s) + 1) : 0;
}

/* @v NULL-terminated; NULL is the empty vector. */
static inline struct plan_vec pm_vec(struct plan_maker *m, const char *const *v)
{
	struct plan_vec r = { 0, 0 };
	uint32_t offs[64];

	while (v && v[r.n]) {
		offs[r.n] = pm_str(m, v[r.n]);
		r.n++;
	}
	if (r.n)
		r.off = pm_bytes(m, offs, r.n * sizeof(offs[0]));
	return r;
}

static inline struct plan_header *pm_head(struct plan_maker *m)
{
	return (struct plan_header *)(void *)m->data;
}

static inline struct plan_app *pm_app(struct plan_maker *m, uint32_t i)
{
	return (struct plan_app *)(void *)(m->data + pm_head(m)->apps_off) + i;
}

/* A header and @napps apps "a0", "a1"… with root "/a0"…, cwd "/", uid 0 and no capability. */
static inline void pm_init(struct plan_maker *m, uint32_t napps)
{
	struct plan_header *h = pm_head(m);

	memset(m, 0, sizeof(*m));
	m->len = sizeof(*h);
	h->magic = PLAN_MAGIC;
	h->version = PLAN_VERSION;
	h->flags = PLAN_PIDNS;
	h->grace_ms = 5000;
	h->napps = napps;
	h->apps_off = pm_bytes(m, NULL, napps * sizeof(struct plan_app));
	h->uuid = pm_str(m, "00000000-0000-4000-8000-000000000000");
	for (uint32_t i = 0; i < napps; i++) {
		static const char *const env[] = { "PATH=/bin:/usr/bin", "A=b", NULL };
		static const char *const search[] = { "/nowhere", "/bin", "/usr/bin", NULL };
		char name[8] = { 'a', (char)('0' + i / 10), (char)('0' + i % 10), '\0' };
		char root[8] = { '/', 'a', (char)('0' + i / 10), (char)('0' + i % 10), '\0' };
		struct plan_app *a = pm_app(m, i);

		a->name = pm_str(m, name);
		a->root = pm_str(m, root);
		a->cwd = pm_str(m, "/");
		a->umask = 022;
		a->env = pm_vec(m, env);
		a->search = pm_vec(m, search);
		a->stdio[1] = 1;
		a->stdio[2] = 2;
	}
}

/* App @i runs @script in a shell. */
static inline void pm_sh(struct plan_maker *m, uint32_t i, const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };

	pm_app(m, i)->argv = pm_vec(m, argv);
}

static inline void pm_cgroups(struct plan_maker *m, const struct plan_cgroup *g, uint32_t n,
			      const struct plan_write *w, uint32_t nw)
{
	struct plan_header *h = pm_head(m);

	h->ncgroups = n;
	h->cgroups_off = pm_bytes(m, g, n * sizeof(*g));
	h->nwrites = nw;
	h->writes_off = pm_bytes(m, w, nw * sizeof(*w));
}

static inline void pm_done(struct plan_maker *m)
{
	m->len = (m->len + 7) & ~7u;
	pm_head(m)->size = m->len;
}

/* A filter that answers EACCES to @nr and allows the rest. */
static inline void pm_filter(struct plan_maker *m, uint32_t i, uint32_t nr, uint32_t action)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, 0x7fff0000u),
	};

	pm_app(m, i)->bpf_off = pm_bytes(m, f, sizeof(f));
	pm_app(m, i)->bpf_n = 4;
}
