/* plan: a good one is taken, and every single thing that can be wrong with one is refused. */
#include "tests/unit/suite.h"

#include <limits.h>

#include "stage2/launch.h"
#include "tests/unit/planmake.h"

static struct plan_maker m;

/* Two apps with everything that a plan can have. */
static void rich(void)
{
	static const char *const handler[] = { "/bin/true", NULL };
	static const uint32_t groups[] = { 1, 2, 3 };
	const struct plan_rlimit lim[] = { { 7, 0, 10, 20 } };

	pm_init(&m, 2);
	for (uint32_t i = 0; i < 2; i++) {
		struct plan_app *a = pm_app(&m, i);

		pm_sh(&m, i, "exit 0");
		pm_filter(&m, i, 1, 0);
		a->pre_start = pm_vec(&m, handler);
		a->post_stop = pm_vec(&m, handler);
		a->groups_off = pm_bytes(&m, groups, sizeof(groups));
		a->ngroups = 3;
		a->rlimits_off = pm_bytes(&m, lim, sizeof(lim));
		a->nrlimits = 1;
		const struct plan_path path = { pm_str(&m, "/srv"), PLAN_PATH_READ };
		const uint64_t program[] = { 0x00000001000000b7, 0x95 };

		a->devices_off = pm_bytes(&m, program, sizeof(program));
		a->ndevices = 2;
		a->paths_off = pm_bytes(&m, &path, sizeof(path));
		a->npaths = 1;
		a->caps = 0x421;
		a->ambient = 0x400;
		a->has_oom = 1;
		a->oom_score_adj = -1000;
	}
	const struct plan_cgroup g[] = { { 7, pm_str(&m, "rkt-x"), 1, 0 }, { 8, pm_str(&m, "rkt-x"), 0, 1 } };
	const struct plan_write w[] = { { 1, -1, pm_str(&m, "cpu.shares"), pm_str(&m, "2") },
					{ 0, 1, pm_str(&m, "memory.max"), pm_str(&m, "") } };

	pm_cgroups(&m, g, 2, w, 2);
	pm_done(&m);
}

static int check(void)
{
	return plan_check(m.data, m.len);
}

static struct plan_cgroup *cgroup(uint32_t i)
{
	return (struct plan_cgroup *)(void *)(m.data + pm_head(&m)->cgroups_off) + i;
}

static struct plan_path *path_of(uint32_t app)
{
	return (struct plan_path *)(void *)(m.data + pm_app(&m, app)->paths_off);
}

static struct plan_write *write_of(uint32_t i)
{
	return (struct plan_write *)(void *)(m.data + pm_head(&m)->writes_off) + i;
}

START_TEST(good_plan_comes_through)
{
	const char *argv[8];

	rich();
	ck_assert_int_eq(check(), 0);
	ck_assert_str_eq(plan_str(m.data, plan_app(m.data, 1)->name), "a01");
	ck_assert_ptr_null(plan_str(m.data, 0));
	ck_assert_int_eq(launch_vec(m.data, &plan_app(m.data, 0)->argv, argv, 8), 0);
	ck_assert_str_eq(argv[0], "/bin/sh");
	ck_assert_str_eq(argv[2], "exit 0");
	ck_assert_ptr_null(argv[3]);
	ck_assert_int_eq(launch_vec(m.data, &plan_app(m.data, 0)->argv, argv, 4), 0);
	ck_assert_int_eq(launch_vec(m.data, &plan_app(m.data, 0)->argv, argv, 3), -1);
}
END_TEST

START_TEST(smallest_plan_comes_through)
{
	pm_init(&m, 1);
	pm_sh(&m, 0, "");
	pm_app(&m, 0)->env.n = 0;
	pm_app(&m, 0)->env.off = 4711; /* nobody looks */
	pm_done(&m);
	ck_assert_int_eq(check(), 0);
}
END_TEST

/* Put @value into @field of a rich plan, expect a refusal. */
#define REFUSED(field, value)                                                                                \
	do {                                                                                                 \
		rich();                                                                                      \
		(field) = (value);                                                                           \
		ck_assert_msg(check() == -EINVAL, "taken: %s = %s", #field, #value);                         \
	} while (0)

START_TEST(wrong_header_is_refused)
{
	REFUSED(pm_head(&m)->magic, 0);
	REFUSED(pm_head(&m)->version, PLAN_VERSION + 1);
	REFUSED(pm_head(&m)->size, m.len - 1);
	REFUSED(pm_head(&m)->size, m.len + 8);
	REFUSED(pm_head(&m)->flags, 8);
	REFUSED(pm_head(&m)->napps, 0);
	REFUSED(pm_head(&m)->napps, PLAN_APPS_MAX + 1);
	REFUSED(pm_head(&m)->napps, UINT32_MAX);
	REFUSED(pm_head(&m)->apps_off, 0);
	REFUSED(pm_head(&m)->apps_off, pm_head(&m)->apps_off + 4);
	REFUSED(pm_head(&m)->apps_off, m.len - 8);
	REFUSED(pm_head(&m)->uuid, 0);
	REFUSED(pm_head(&m)->uuid, m.len);
	REFUSED(pm_head(&m)->ncgroups, PLAN_CGROUPS_MAX + 1);
	REFUSED(pm_head(&m)->cgroups_off, m.len);
	REFUSED(pm_head(&m)->nwrites, PLAN_WRITES_MAX + 1);
	REFUSED(pm_head(&m)->writes_off, UINT32_MAX - 3);
}
END_TEST

START_TEST(wrong_cgroup_is_refused)
{
	REFUSED(cgroup(0)->parent_fd, -1);
	REFUSED(cgroup(0)->dir, 0);
	REFUSED(cgroup(0)->dir, pm_str(&m, ".."));
	REFUSED(cgroup(0)->v2, 2);
	REFUSED(cgroup(1)->copy_cpuset, 2);
	REFUSED(write_of(0)->cgroup, 2);
	REFUSED(write_of(0)->app, 2);
	REFUSED(write_of(0)->app, -2);
	REFUSED(write_of(1)->file, 0);
	REFUSED(write_of(1)->value, 0);
	REFUSED(write_of(1)->value, m.len);
}
END_TEST

START_TEST(wrong_app_is_refused)
{
	REFUSED(pm_app(&m, 1)->name, 0);
	REFUSED(pm_app(&m, 1)->root, 0);
	REFUSED(pm_app(&m, 1)->cwd, 0);
	REFUSED(pm_app(&m, 1)->flags, 32);
	REFUSED(pm_app(&m, 1)->uid, UINT32_MAX);
	REFUSED(pm_app(&m, 1)->gid, UINT32_MAX);
	REFUSED(pm_app(&m, 1)->umask, 01000);
	REFUSED(pm_app(&m, 1)->has_oom, 2);
	REFUSED(pm_app(&m, 1)->oom_score_adj, -1001);
	REFUSED(pm_app(&m, 1)->oom_score_adj, 1001);
	REFUSED(pm_app(&m, 1)->ambient, 1u << 12);
	REFUSED(pm_app(&m, 1)->stdio[2], -1);
	REFUSED(pm_app(&m, 1)->argv.n, 0);
	REFUSED(pm_app(&m, 1)->argv.n, PLAN_ARGS_MAX + 1);
	REFUSED(pm_app(&m, 1)->argv.off, 3);
	REFUSED(pm_app(&m, 1)->env.off, 0);
	REFUSED(pm_app(&m, 1)->env.off, pm_app(&m, 1)->env.off + 2);
	REFUSED(pm_app(&m, 1)->pre_start.off, m.len - 2);
	REFUSED(pm_app(&m, 1)->post_stop.n, UINT32_MAX);
	REFUSED(pm_app(&m, 1)->search.n, 1u << 31);
	REFUSED(pm_app(&m, 1)->ngroups, PLAN_GROUPS_MAX + 1);
	REFUSED(pm_app(&m, 1)->groups_off, 1);
	REFUSED(pm_app(&m, 1)->bpf_n, PLAN_BPF_MAX + 1);
	REFUSED(pm_app(&m, 1)->bpf_off, m.len - 8);
	REFUSED(pm_app(&m, 1)->ndevices, PLAN_BPF_MAX + 1);
	REFUSED(pm_app(&m, 1)->devices_off, pm_app(&m, 1)->devices_off + 4);
	REFUSED(pm_app(&m, 1)->npaths, PLAN_PATHS_MAX + 1);
	REFUSED(pm_app(&m, 1)->paths_off, m.len - 4);
	REFUSED(path_of(1)->path, path_of(1)->path + 1);
	REFUSED(path_of(1)->access, 8);
	REFUSED(path_of(1)->access, 0);
	REFUSED(pm_app(&m, 1)->nrlimits, PLAN_RLIMITS_MAX + 1);
	REFUSED(pm_app(&m, 1)->rlimits_off, pm_app(&m, 1)->rlimits_off + 4);
}
END_TEST

START_TEST(wrong_string_is_refused)
{
	static const char *const names[] = { "", ".", "..", "a/b", "/", NULL };
	static const char *const paths[] = { "", "relative", NULL };
	char longest[PATH_MAX + 2];

	for (size_t i = 0; names[i]; i++) {
		for (int what = 0; what < 3; what++) {
			rich();
			uint32_t off = pm_str(&m, names[i]);

			pm_done(&m);
			ck_assert_int_eq(check(), 0);
			if (what == 0)
				pm_app(&m, 0)->name = off;
			else if (what == 1)
				cgroup(1)->dir = off;
			else
				write_of(0)->file = off;
			ck_assert_msg(check() == -EINVAL, "taken: \"%s\" as %d", names[i], what);
		}
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	longest[0] = '/';
	for (size_t i = 0; i < 3; i++) {
		rich();
		pm_app(&m, 0)->cwd = pm_str(&m, paths[i] ? paths[i] : longest);
		pm_done(&m);
		ck_assert_int_eq(check(), -EINVAL);
	}
	rich();
	longest[0] = 'a';
	longest[241] = '\0';
	pm_app(&m, 0)->name = pm_str(&m, longest);
	pm_done(&m);
	ck_assert_int_eq(check(), -EINVAL);
}
END_TEST

START_TEST(string_without_end_is_refused)
{
	rich();
	uint32_t off = pm_bytes(&m, "12345678", 8);

	pm_done(&m);
	ck_assert_int_eq(check(), 0); /* the last byte of a plan need not be a NUL */
	pm_head(&m)->uuid = off;
	ck_assert_int_eq(check(), -EINVAL);
	pm_head(&m)->uuid = pm_app(&m, 0)->name;
	((uint32_t *)(void *)(m.data + pm_app(&m, 0)->argv.off))[1] = off;
	ck_assert_int_eq(check(), -EINVAL);
}
END_TEST

START_TEST(minus_one_is_no_group)
{
	rich();
	((uint32_t *)(void *)(m.data + pm_app(&m, 0)->groups_off))[2] = UINT32_MAX;
	ck_assert_int_eq(check(), -EINVAL);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	rich();
	for (uint32_t n = 0; n < m.len; n++) {
		ck_assert_int_eq(plan_check(m.data, n), -EINVAL);
		/* Also with a header that agrees: then something must lie outside, up to the last string. */
		pm_head(&m)->size = n;
		if (n >= sizeof(struct plan_header) && n + 8 < m.len)
			ck_assert_int_eq(plan_check(m.data, n), -EINVAL);
		pm_head(&m)->size = m.len;
	}
	ck_assert_int_eq(plan_check(m.data + 4, m.len - 4), -EINVAL);
}
END_TEST

START_TEST(every_step_has_a_name)
{
	for (int i = 1; i < LAUNCH_STEPS; i++)
		ck_assert_str_ne(launch_step_name(i), "unknown step");
	for (int i = INIT_PLAN; i < INIT_STEPS; i++)
		ck_assert_str_ne(launch_step_name(i), "unknown step");
	ck_assert_str_eq(launch_step_name(0), "unknown step");
	ck_assert_str_eq(launch_step_name(LAUNCH_STEPS), "unknown step");
	ck_assert_str_eq(launch_step_name(INIT_STEPS), "unknown step");
	ck_assert_str_eq(launch_step_name(-1), "unknown step");
}
END_TEST

START_TEST(only_a_mutable_pod_has_no_apps)
{
	pm_init(&m, 0);
	pm_done(&m);
	ck_assert_int_eq(plan_check(m.data, m.len), -EINVAL);
	pm_head(&m)->flags |= PLAN_MUTABLE;
	ck_assert_int_eq(plan_check(m.data, m.len), 0);
}
END_TEST

int main(void)
{
	return SUITE_RUN("plan", good_plan_comes_through, smallest_plan_comes_through,
			 wrong_header_is_refused, only_a_mutable_pod_has_no_apps, wrong_cgroup_is_refused,
			 wrong_app_is_refused, wrong_string_is_refused, string_without_end_is_refused,
			 minus_one_is_no_group, every_truncation_is_refused, every_step_has_a_name);
}
