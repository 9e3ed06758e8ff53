/* addedplan: plans of added apps are kept by name, their slots are found, and nothing damaged is taken. */
#include "tests/unit/suite.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "stage1/contract.h"
#include "stage1/lib/addedplan.h"
#include "tests/unit/planmake.h"

static int pod = FD_NONE;
static char *pod_path;

static void before(void)
{
	pod = suite_make_dir(&pod_path);
	ck_assert_int_eq(mkdirat(pod, CONTRACT_DIR_PLANS, 0700), 0);
}

static void after(void)
{
	suite_drop_dir(pod, pod_path);
}

/* The plan of an app at @root. */
static void put(const char *name, const char *root)
{
	static struct plan_maker m;
	struct err e = ERR_INIT;
	struct buf b = { (char *)m.data, 0, 0 };

	pm_init(&m, 1);
	pm_sh(&m, 0, "exit 0");
	pm_app(&m, 0)->name = pm_str(&m, name);
	pm_app(&m, 0)->root = pm_str(&m, root);
	pm_done(&m);
	b.len = m.len;
	OK(addedplan_save(pod, name, &b, &e));
}

static int load(const char *name, uint32_t *slot)
{
	auto_buf b = BUF_INIT;
	struct err e = ERR_INIT;

	return addedplan_load(pod, name, &b, slot, &e);
}

START_TEST(a_plan_comes_back)
{
	uint32_t slot = 99;
	struct err e = ERR_INIT;
	auto_buf b = BUF_INIT;

	put("web", "/a7");
	OK(addedplan_load(pod, "web", &b, &slot, &e));
	ck_assert_uint_eq(slot, 7);
	auto_close int fd = addedplan_seal(&b, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE, F_SEAL_WRITE);
	OK(addedplan_remove(pod, "web", &e));
	ck_assert_int_eq(load("web", &slot), -ENOENT);
	OK(addedplan_remove(pod, "web", &e)); /* missing is success */
}
END_TEST

START_TEST(the_lowest_free_slot)
{
	uint32_t slot = 99;
	char name[8], root[8];
	struct err e = ERR_INIT;

	put("x", "/a0");
	put("y", "/a1");
	put("z", "/a3");
	OK(addedplan_free_slot(pod, &slot, &e));
	ck_assert_uint_eq(slot, 2);
	OK(addedplan_remove(pod, "x", &e));
	OK(addedplan_free_slot(pod, &slot, &e));
	ck_assert_uint_eq(slot, 0);
	for (unsigned int i = 0; i < PLAN_APPS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		(void)snprintf(root, sizeof(root), "/a%u", i);
		put(name, root);
	}
	ck_assert_int_eq(addedplan_free_slot(pod, &slot, &e), -E2BIG);
}
END_TEST

START_TEST(what_is_damaged_is_refused)
{
	static const char *const roots[] = { "/b1", "/a", "/a64", "/a-1", "/a1x", "/" };
	static const char *const names[] = { "", ".", "..", "../plan", "a/b", ".hidden" };
	uint32_t slot;

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		put("bad", roots[i]);
		ck_assert_msg(load("bad", &slot) == -EINVAL, "root %s", roots[i]);
	}
	ck_assert_int_eq(write_file_at(pod, CONTRACT_DIR_PLANS "/bad", "junk", 4, 0600, 0), 0);
	ck_assert_int_eq(load("bad", &slot), -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_msg(load(names[i], &slot) == -EINVAL, "name \"%s\"", names[i]);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("addedplan", before, after, a_plan_comes_back, the_lowest_free_slot,
				 what_is_damaged_is_refused);
}
