/*
 * plan — check a plan once, so that nobody has to look twice; see plan.h and PLAN.md.
 *
 * The bytes come from stage1, which built them from an image: a mistake there must not become a wild
 * read in pid 1.  Every array is checked to lie inside the file and aligned, every string to end in
 * it, every number that is later used as an index, a size, an id or a file name to be one.
 */
#include "stage2/plan.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <string.h>

#include "stage2/launch.h"

#define NAME_LONGEST 240 /* with "app-" before it still a file name */

struct span {
	const char *p;
	uint32_t size;
	bool ends; /* last byte is NUL, hence every string ends */
};

static bool array_ok(const struct span *s, uint32_t off, uint32_t n, uint32_t max, uint32_t each,
		     uint32_t align)
{
	if (n == 0)
		return true;
	return n <= max && off >= sizeof(struct plan_header) && off % align == 0 &&
	       off + (uint64_t)n * each <= s->size;
}

static bool str_ok(const struct span *s, uint32_t off)
{
	return off >= sizeof(struct plan_header) && off < s->size &&
	       (s->ends || memchr(s->p + off, '\0', s->size - off));
}

/* A single path component that can be made with mkdirat. */
static bool component_ok(const struct span *s, uint32_t off)
{
	const char *c = s->p + off;

	return str_ok(s, off) && *c && strlen(c) <= NAME_LONGEST && !strchr(c, '/') && strcmp(c, ".") != 0 &&
	       strcmp(c, "..") != 0;
}

static bool absolute_ok(const struct span *s, uint32_t off)
{
	return str_ok(s, off) && s->p[off] == '/' && strlen(s->p + off) < PATH_MAX;
}

static bool vec_ok(const struct span *s, const struct plan_vec *v)
{
	const uint32_t *at;

	if (!array_ok(s, v->off, v->n, PLAN_ARGS_MAX, sizeof(uint32_t), 4))
		return false;
	at = (const uint32_t *)(const void *)(s->p + v->off);
	for (uint32_t i = 0; i < v->n; i++) {
		if (!str_ok(s, at[i]))
			return false;
	}
	return true;
}

static bool ids_ok(const struct span *s, const struct plan_app *a)
{
	const uint32_t *g;

	if (a->uid == UINT32_MAX || a->gid == UINT32_MAX ||
	    !array_ok(s, a->groups_off, a->ngroups, PLAN_GROUPS_MAX, sizeof(uint32_t), 4))
		return false;
	g = (const uint32_t *)(const void *)(s->p + a->groups_off);
	for (uint32_t i = 0; i < a->ngroups; i++) {
		if (g[i] == UINT32_MAX)
			return false;
	}
	return true;
}

static bool paths_ok(const struct span *s, const struct plan_app *a)
{
	const struct plan_path *p = (const struct plan_path *)(const void *)(s->p + a->paths_off);

	if (!array_ok(s, a->paths_off, a->npaths, PLAN_PATHS_MAX, sizeof(*p), 4))
		return false;
	for (uint32_t i = 0; i < a->npaths; i++) {
		if (!absolute_ok(s, p[i].path) || p[i].access == 0 || p[i].access > 7)
			return false;
	}
	return true;
}

static bool listen_ok(const struct span *s, const struct plan_app *a)
{
	const int32_t *fd = (const int32_t *)(const void *)(s->p + a->listen_off);

	if (!array_ok(s, a->listen_off, a->nlisten, PLAN_LISTEN_MAX, sizeof(*fd), 4) ||
	    (a->listen_names && !str_ok(s, a->listen_names)) || a->stop_signal > 64)
		return false;
	for (uint32_t i = 0; i < a->nlisten; i++) {
		if (fd[i] < 0)
			return false;
	}
	return true;
}

static bool app_ok(const struct span *s, const struct plan_app *a)
{
	const uint32_t flags = PLAN_APP_NNP | PLAN_APP_TTY | PLAN_APP_KEEP_CAPS | PLAN_APP_RESTART_FAILED |
			       PLAN_APP_RESTART_ALWAYS | PLAN_RESTART_MAX << PLAN_RESTART_SHIFT;

	if (!component_ok(s, a->name) || !absolute_ok(s, a->root) || !absolute_ok(s, a->cwd))
		return false;
	if (a->flags & ~flags || a->umask > 0777 || a->has_oom > 1 || a->oom_score_adj < -1000 ||
	    a->oom_score_adj > 1000 || a->ambient & ~a->caps)
		return false;
	if (a->argv.n == 0 || !vec_ok(s, &a->argv) || !vec_ok(s, &a->env) || !vec_ok(s, &a->pre_start) ||
	    !vec_ok(s, &a->post_stop) || !vec_ok(s, &a->search))
		return false;
	for (int i = 0; i < 3; i++) {
		if (a->stdio[i] < 0)
			return false;
	}
	return ids_ok(s, a) && paths_ok(s, a) && listen_ok(s, a) &&
	       array_ok(s, a->devices_off, a->ndevices, PLAN_BPF_MAX, 8, 8) &&
	       array_ok(s, a->bpf_off, a->bpf_n, PLAN_BPF_MAX, sizeof(struct sock_filter), 4) &&
	       array_ok(s, a->rlimits_off, a->nrlimits, PLAN_RLIMITS_MAX, sizeof(struct plan_rlimit), 8);
}

static bool cgroups_ok(const struct span *s, const struct plan_header *h)
{
	if (!array_ok(s, h->cgroups_off, h->ncgroups, PLAN_CGROUPS_MAX, sizeof(struct plan_cgroup), 4) ||
	    !array_ok(s, h->writes_off, h->nwrites, PLAN_WRITES_MAX, sizeof(struct plan_write), 4))
		return false;
	for (uint32_t i = 0; i < h->ncgroups; i++) {
		const struct plan_cgroup *c = plan_cgroup(s->p, i);

		if (c->parent_fd < 0 || !component_ok(s, c->dir) || c->v2 > 1 || c->copy_cpuset > 1)
			return false;
	}
	for (uint32_t i = 0; i < h->nwrites; i++) {
		const struct plan_write *w = plan_write(s->p, i);

		if (w->cgroup >= h->ncgroups || w->app < -1 || w->app >= (int32_t)h->napps ||
		    !component_ok(s, w->file) || !str_ok(s, w->value))
			return false;
	}
	return true;
}

int plan_check(const void *p, size_t size)
{
	struct span s = { .p = p, .size = (uint32_t)size };
	const struct plan_header *h = p;

	if ((uintptr_t)p % 8 || size < sizeof(*h) || size > PLAN_SIZE_MAX)
		return -EINVAL;
	if (h->magic != PLAN_MAGIC || h->version != PLAN_VERSION || h->size != size ||
	    h->flags & ~(PLAN_PIDNS | PLAN_MUTABLE | PLAN_USERS))
		return -EINVAL;
	s.ends = s.p[size - 1] == '\0';
	if ((h->napps == 0 && !(h->flags & PLAN_MUTABLE)) ||
	    !array_ok(&s, h->apps_off, h->napps, PLAN_APPS_MAX, sizeof(struct plan_app), 8) ||
	    !str_ok(&s, h->uuid) || !cgroups_ok(&s, h))
		return -EINVAL;
	for (uint32_t i = 0; i < h->napps; i++) {
		if (!app_ok(&s, plan_app(p, i)))
			return -EINVAL;
	}
	return 0;
}

int launch_vec(const void *plan, const struct plan_vec *v, const char **ptrs, uint32_t max)
{
	const uint32_t *at = (const uint32_t *)(const void *)((const char *)plan + v->off);

	if (v->n >= max)
		return -1;
	for (uint32_t i = 0; i < v->n; i++)
		ptrs[i] = plan_str(plan, at[i]);
	ptrs[v->n] = NULL;
	return 0;
}
