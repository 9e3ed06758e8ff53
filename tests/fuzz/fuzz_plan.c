/*
 * fuzz_plan — whatever plan_check takes can be walked to its last byte through the accessors.
 */
#include <stdint.h>

#include "stage2/launch.h"
#include "stage2/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sum; /* what is read must be read */

static void see(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += ((const unsigned char *)p)[i];
}

static void see_str(const void *plan, uint32_t off)
{
	see(plan_str(plan, off), strlen(plan_str(plan, off)));
}

static void see_vec(const void *plan, const struct plan_vec *v)
{
	static const char *ptrs[PLAN_ARGS_MAX + 1];

	if (launch_vec(plan, v, ptrs, PLAN_ARGS_MAX + 1) < 0)
		abort();
	for (uint32_t i = 0; i < v->n; i++)
		see(ptrs[i], strlen(ptrs[i]));
}

static void see_app(const void *plan, const struct plan_app *a)
{
	const char *base = plan;

	see_str(plan, a->name);
	see_str(plan, a->root);
	see_str(plan, a->cwd);
	see_vec(plan, &a->argv);
	see_vec(plan, &a->env);
	see_vec(plan, &a->pre_start);
	see_vec(plan, &a->post_stop);
	see_vec(plan, &a->search);
	see(base + a->groups_off, a->ngroups * sizeof(uint32_t));
	see(base + a->bpf_off, a->bpf_n * (size_t)8);
	see(base + a->devices_off, a->ndevices * (size_t)8);
	for (uint32_t i = 0; i < a->npaths; i++)
		see_str(plan, ((const struct plan_path *)(const void *)(base + a->paths_off))[i].path);
	see(base + a->rlimits_off, a->nrlimits * sizeof(struct plan_rlimit));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct plan_header *h;
	void *plan = malloc(size ? size : 1);

	if (!plan)
		return -1;
	memcpy(plan, data, size);
	/* The size is part of the header: without this hardly any mutation would get past it. */
	if (size >= sizeof(*h))
		((struct plan_header *)plan)->size = (uint32_t)size;
	if (plan_check(plan, size) == 0) {
		h = plan_head(plan);
		see_str(plan, h->uuid);
		for (uint32_t i = 0; i < h->napps; i++)
			see_app(plan, plan_app(plan, i));
		for (uint32_t i = 0; i < h->ncgroups; i++)
			see_str(plan, plan_cgroup(plan, i)->dir);
		for (uint32_t i = 0; i < h->nwrites; i++) {
			see_str(plan, plan_write(plan, i)->file);
			see_str(plan, plan_write(plan, i)->value);
		}
	}
	free(plan);
	return 0;
}
