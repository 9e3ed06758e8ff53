/* test_planout — what stage1 writes is what stage2 reads, for full and for empty plans. */
#include "suite.h"

#include <linux/bpf.h>

#include "base/auto.h"
#include "base/strv.h"
#include "stage1/lib/planout.h"

#define S(text) ((char *)(uintptr_t)(text)) /* argv arrays are not const */

/* The plan as stage2 reads it, checked; heap. */
static void *build(const struct plan_in *in)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int r = plan_build(in, &b, &e);

	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_int_eq(plan_check(b.data, b.len), 0);
	return b.data;
}

static void same_vec(const void *p, const struct plan_vec *v, char *const *want)
{
	ck_assert_uint_eq(v->n, strv_len(want));
	for (uint32_t i = 0; i < v->n; i++) {
		uint32_t off = ((const uint32_t *)((const char *)p + v->off))[i];

		ck_assert_str_eq(plan_str(p, off), want[i]);
	}
}

static char *full_argv[] = { S("/bin/sh"), S("-c"), S(""), S("three\nlines"), NULL };
static char *full_env[] = { S("A=1"), S("B="), NULL };
static char *full_hook[] = { S("/hook"), NULL };
static char *full_search[] = { S("/bin"), S("/usr/bin"), NULL };
static uint32_t full_groups[] = { 7, 8, 9 };
static struct sock_filter full_insn[] = { { 6, 0, 0, 0x7fff0000 } };
static struct bpf full_bpf = { full_insn, 1, NULL };

static struct plan_rlimit full_rlimits[] = { { 7, 0, 10, 20 } };
static struct bpf_insn full_program[] = { { 0xb7, 0, 0, 0, 1 }, { 0x95, 0, 0, 0, 0 } };
static struct plan_path_in full_paths[] = { { "/srv", PLAN_PATH_READ }, { "/", PLAN_PATH_EXEC } };

static void same_limits(const void *p, const struct plan_app *a)
{
	const char *base = p;
	const struct plan_path *paths = (const void *)(base + a->paths_off);

	ck_assert_uint_eq(a->nrlimits, 1);
	ck_assert_int_eq(memcmp(base + a->rlimits_off, full_rlimits, sizeof(full_rlimits)), 0);
	ck_assert_uint_eq(a->ndevices, 2);
	ck_assert_int_eq(memcmp(base + a->devices_off, full_program, sizeof(full_program)), 0);
	ck_assert_uint_eq(a->npaths, 2);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_str_eq(plan_str(p, paths[i].path), full_paths[i].path);
		ck_assert_uint_eq(paths[i].access, full_paths[i].access);
	}
}

static void same_vectors(const void *p, const struct plan_app *a)
{
	same_vec(p, &a->argv, full_argv);
	same_vec(p, &a->env, full_env);
	same_vec(p, &a->pre_start, full_hook);
	same_vec(p, &a->search, full_search);
	ck_assert_uint_eq(a->post_stop.n, 0);
}

START_TEST(a_full_plan_survives)
{
	struct plan_app_in apps[] = {
		{ .name = "one",
		  .root = "/a0",
		  .cwd = "/",
		  .argv = full_argv,
		  .env = full_env,
		  .pre_start = full_hook,
		  .search = full_search,
		  .uid = 5,
		  .gid = 6,
		  .groups = full_groups,
		  .ngroups = 3,
		  .caps = 0xff,
		  .bpf = &full_bpf,
		  .has_oom = 1,
		  .oom_score_adj = -5,
		  .stdio = { 0, 1, 2 },
		  .umask = 022,
		  .rlimits = full_rlimits,
		  .nrlimits = 1,
		  .devices = full_program,
		  .ndevices = 2,
		  .paths = full_paths,
		  .npaths = 2,
		  .flags = PLAN_APP_NNP },
		{ .name = "two",
		  .root = "/a1",
		  .cwd = "/tmp",
		  .argv = full_hook,
		  .env = full_env,
		  .stdio = { 0, 1, 2 } },
	};
	struct plan_cgroup_in cg[] = { { 70, "rkt-x", 1, 0 } };
	struct plan_write_in w[] = { { 0, 1, "memory.max", "4096" } };
	struct plan_in in = { .uuid = "11111111-2222-4333-8444-555555555555",
			      .flags = PLAN_PIDNS,
			      .grace_ms = 10,
			      .apps = apps,
			      .napps = 2,
			      .cgroups = cg,
			      .ncgroups = 1,
			      .writes = w,
			      .nwrites = 1 };
	auto_free void *p = build(&in);

	ck_assert_uint_eq(plan_head(p)->napps, 2);
	const struct plan_app *a = plan_app(p, 0);
	ck_assert_str_eq(plan_str(p, a->name), "one");
	same_limits(p, a);
	ck_assert_uint_eq(plan_app(p, 1)->npaths, 0);
	same_vectors(p, a);
	ck_assert_uint_eq(a->ngroups, 3);
	ck_assert_int_eq(memcmp((const char *)p + a->groups_off, full_groups, sizeof(full_groups)), 0);
	ck_assert_int_eq(memcmp((const char *)p + a->bpf_off, full_insn, sizeof(full_insn)), 0);
	ck_assert_str_eq(plan_str(p, plan_app(p, 1)->name), "two");
	ck_assert_str_eq(plan_str(p, plan_cgroup(p, 0)->dir), "rkt-x");
	ck_assert_str_eq(plan_str(p, plan_write(p, 0)->value), "4096");
}
END_TEST

START_TEST(limits_are_errors)
{
	struct plan_app_in app = { .name = "a", .root = "/a0", .cwd = "/" };
	struct plan_in in = { .uuid = "u", .apps = &app, .napps = PLAN_APPS_MAX + 1 };
	struct err e = ERR_INIT;
	auto_strv many = NULL;
	struct buf none = BUF_INIT;

	ck_assert_int_eq(plan_build(&in, &none, &e), -E2BIG);
	for (unsigned int i = 0; i <= PLAN_ARGS_MAX; i++)
		strv_push(&many, "x");
	app.argv = many;
	in.napps = 1;
	ck_assert_int_eq(plan_build(&in, &none, &e), -E2BIG);
	ck_assert_ptr_nonnull(strstr(e.text, "\"a\""));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { a_full_plan_survives, limits_are_errors };

	return suite_run("planout", tests, ARRAY_LEN(tests));
}
