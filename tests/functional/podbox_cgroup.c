/*
 * podbox_cgroup — control groups as init makes, fills, empties and removes them.
 *
 * The pod's directory is made below the root of the hierarchies that are mounted; its name has this
 * program's pid in it.  v1 cases do nothing where the hierarchy is not mounted as v1.
 */
#include "tests/functional/podbox.h"

static struct plan_maker plan;
static struct box box;
static char dir[64];

/* Mount point of cgroup2 (@controller NULL) or of the v1 hierarchy that has @controller; NULL if there is none. */
static const char *hierarchy(const char *controller)
{
	static char line[4096], where[2048];
	FILE *f = fopen("/proc/mounts", "re");
	bool found = false;

	while (!found && fgets(line, sizeof(line), f)) {
		char type[64], opts[1024], want[64];

		if (sscanf(line, "%*s %2047s %63s %1000s", where, type, opts) != 3)
			continue;
		(void)snprintf(want, sizeof(want), ",%s", controller ? controller : "");
		found = controller ? !strcmp(type, "cgroup") && strstr(opts, want) : !strcmp(type, "cgroup2");
	}
	(void)fclose(f);
	return found ? where : NULL;
}

static int open_hierarchy(const char *controller)
{
	const char *at = hierarchy(controller);

	return at ? open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

/* Contents of "@dir/@file" below the hierarchy @at, "" if there is none. */
static const char *peek(int at, const char *file)
{
	static char text[4096];
	char path[256];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = openat(at, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return text;
}

static void poke(int at, const char *file, const char *value)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = openat(at, path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(fd, value, strlen(value)), (ssize_t)strlen(value));
	(void)close(fd);
}

static bool there(int at)
{
	return faccessat(at, dir, F_OK, 0) == 0;
}

/* A box with @napps apps whose cgroups are made in @first (v2 if @v2) and, if >= 0, in the v1 @second. */
static void prepare(uint32_t napps, int first, uint32_t v2, int second)
{
	struct plan_cgroup g[2];

	(void)snprintf(dir, sizeof(dir), "podbox-%d", getpid());
	pm_init(&plan, napps);
	for (int i = 0; i < 2; i++)
		g[i] = (struct plan_cgroup){ BOX_CGROUP + i, pm_str(&plan, dir), i == 0 ? v2 : 0, 0 };
	pm_cgroups(&plan, g, second >= 0 ? 2 : 1, NULL, 0);
	box = box_new();
	box.cgroup[0] = first;
	box.cgroup[1] = second;
}

static struct plan_cgroup *group(uint32_t i)
{
	return (struct plan_cgroup *)(uintptr_t)plan_cgroup(plan.data, i);
}

static void go(void)
{
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
}

static void app_is_inside(const int *missing)
{
	int v2 = open_hierarchy(NULL), v1 = open_hierarchy("freezer");
	char want[128];
	const char *out;

	prepare(1, v2, 1, v1);
	pm_sh(&plan, 0, "cat /proc/self/cgroup");
	box.missing = missing;
	go();
	out = box_output(&box);
	(void)snprintf(want, sizeof(want), "0::/%s/app-a00\n", dir);
	ck_assert_msg(strstr(out, want), "%s", out);
	(void)snprintf(want, sizeof(want), "freezer:/%s/app-a00\n", dir);
	ck_assert_msg(v1 < 0 || strstr(out, want), "%s", out);
	box_done(&box, 0);
	ck_assert(!there(v2) && (v1 < 0 || !there(v1)));
}

START_TEST(app_is_born_in_its_group)
{
	app_is_inside(NULL);
}
END_TEST

START_TEST(app_joins_its_group_without_clone3)
{
	app_is_inside((const int[]){ SYS_clone3, 0 });
}
END_TEST

START_TEST(limits_are_written)
{
	int v2 = open_hierarchy(NULL);

	prepare(2, v2, 1, -1);
	struct plan_write w[] = {
		{ 0, -1, pm_str(&plan, "cgroup.max.descendants"), pm_str(&plan, "77") },
		{ 0, 1, pm_str(&plan, "cgroup.max.depth"), pm_str(&plan, "5") },
	};

	pm_cgroups(&plan, group(0), 1, w, 2);
	pm_sh(&plan, 0, "read x");
	pm_sh(&plan, 1, "read x");
	go();
	box_until_ready(&box);
	ck_assert_str_eq(peek(v2, "cgroup.max.descendants"), "77\n");
	ck_assert_str_eq(peek(v2, "app-a01/cgroup.max.depth"), "5\n");
	ck_assert_str_eq(peek(v2, "app-a00/cgroup.max.depth"), "max\n");
	(void)close(box.in);
	box_done(&box, 1); /* read says 1 at the end of file */
	ck_assert(!there(v2));
}
END_TEST

START_TEST(limit_that_cannot_be_set_fails_the_pod)
{
	static const struct {
		int app;
		const char *file, *value;
		int step;
	} bad[] = {
		{ -1, "cgroup.max.depth", "nonsense", INIT_CGROUP_WRITE },
		{ 1, "cgroup.max.depth", "nonsense", INIT_CGROUP_WRITE },
		{ 0, "no.such.file", "1", INIT_CGROUP_WRITE },
	};
	int v2 = open_hierarchy(NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct plan_msg m;

		prepare(2, v2, 1, -1);
		struct plan_write w = { 0, bad[i].app, pm_str(&plan, bad[i].file),
					pm_str(&plan, bad[i].value) };

		pm_cgroups(&plan, group(0), 1, &w, 1);
		pm_sh(&plan, 0, "echo started");
		pm_sh(&plan, 1, "echo started");
		go();
		m = box_expect(&box, MSG_FAILED, bad[i].app);
		ck_assert_int_eq(m.value, bad[i].step);
		ck_assert_str_eq(m.text, bad[i].file);
		ck_assert_str_eq(box_output(&box), "");
		box_done(&box, 254);
		ck_assert(!there(v2));
	}
}
END_TEST

static void frozen_app_dies(int at, uint32_t v2, const char *file, const char *value, uint32_t flags)
{
	if (at < 0)
		return;
	for (int by = 0; by < 2; by++) { /* an orderly stop; the supervisor's death */
		prepare(1, at, v2, -1);
		pm_head(&plan)->grace_ms = 200;
		pm_head(&plan)->flags = flags;
		pm_sh(&plan, 0, "trap '' TERM; sleep 1000 & echo up; wait");
		go();
		ck_assert_str_eq(box_line(&box), "up");
		poke(at, file, value);
		if (by == 0) {
			box_send(&box, MSG_STOP, 0);
			box_done(&box, 137);
		} else {
			(void)close(box.ctl);
			(void)box_wait(&box);
		}
		ck_assert(!there(at));
	}
}

START_TEST(frozen_app_dies_v2)
{
	frozen_app_dies(open_hierarchy(NULL), 1, "app-a00/cgroup.freeze", "1", PLAN_PIDNS);
	frozen_app_dies(open_hierarchy(NULL), 1, "app-a00/cgroup.freeze", "1", 0);
}
END_TEST

START_TEST(frozen_app_dies_v1)
{
	frozen_app_dies(open_hierarchy("freezer"), 0, "app-a00/freezer.state", "FROZEN", PLAN_PIDNS);
	frozen_app_dies(open_hierarchy("freezer"), 0, "app-a00/freezer.state", "FROZEN", 0);
}
END_TEST

START_TEST(frozen_pod_dies)
{
	frozen_app_dies(open_hierarchy(NULL), 1, "cgroup.freeze", "1", PLAN_PIDNS);
	frozen_app_dies(open_hierarchy("freezer"), 0, "freezer.state", "FROZEN", PLAN_PIDNS);
}
END_TEST

/* A process that entered: in the app's group, but no descendant of init. */
static void guest_dies(int at, uint32_t v2)
{
	int go_on[2], status;
	char c;
	pid_t pid;

	if (at < 0)
		return;
	prepare(1, at, v2, -1);
	pm_head(&plan)->flags = 0;
	pm_sh(&plan, 0, "read x; exit 3");
	go();
	box_until_ready(&box);
	ck_assert_int_eq(pipe(go_on), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(box.in);
		(void)close(box.ctl);
		poke(at, "app-a00/cgroup.procs", "0");
		(void)!write(go_on[1], "x", 1);
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(read(go_on[0], &c, 1), 1);
	(void)close(box.in);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, SIGKILL);
	box_done(&box, 3);
	ck_assert(!there(at));
}

START_TEST(guests_die_with_the_pod)
{
	guest_dies(open_hierarchy(NULL), 1);
	guest_dies(open_hierarchy("freezer"), 0);
}
END_TEST

static void leftovers_die(int at, uint32_t v2)
{
	if (at < 0)
		return;
	prepare(2, at, v2, -1);
	pm_sh(&plan, 0, "(setsid sleep 1000 &) ; exit 0");
	pm_sh(&plan, 1, "read x; exit 0");
	go();
	(void)box_until(&box, MSG_EXITED);
	for (int i = 0; *peek(at, "app-a00/cgroup.procs") && i < 12000; i++)
		(void)usleep(10000);
	ck_assert_str_eq(peek(at, "app-a00/cgroup.procs"), "");
	ck_assert_str_ne(peek(at, "app-a01/cgroup.procs"), "");
	ck_assert_int_eq(write(box.in, "\n", 1), 1);
	box_done(&box, 0);
}

START_TEST(leftovers_die_with_their_app)
{
	leftovers_die(open_hierarchy(NULL), 1);
	leftovers_die(open_hierarchy("freezer"), 0);
}
END_TEST

START_TEST(groups_made_by_apps_are_removed)
{
	int v2 = open_hierarchy(NULL);
	char path[128];

	prepare(1, v2, 1, -1);
	pm_sh(&plan, 0, "read x; exit 0");
	go();
	box_until_ready(&box);
	for (const char *const *sub = (const char *const[]){ "x", "x/y", "x/z", "x/y/w", NULL }; *sub;
	     sub++) {
		(void)snprintf(path, sizeof(path), "%s/app-a00/%s", dir, *sub);
		ck_assert_int_eq(mkdirat(v2, path, 0755), 0);
	}
	ck_assert_int_eq(write(box.in, "\n", 1), 1);
	box_done(&box, 0);
	ck_assert(!there(v2));
}
END_TEST

START_TEST(cpuset_is_copied_down)
{
	int v1 = open_hierarchy("cpuset");

	if (v1 < 0)
		return;
	prepare(1, v1, 0, -1);
	group(0)->copy_cpuset = 1;
	pm_sh(&plan, 0, "read x; exit 0");
	go();
	box_until_ready(&box);
	ck_assert_str_ne(peek(v1, "cpuset.cpus"), "\n");
	ck_assert_str_ne(peek(v1, "app-a00/cpuset.cpus"), "\n");
	ck_assert_str_ne(peek(v1, "app-a00/cpuset.mems"), "\n");
	ck_assert_str_ne(peek(v1, "app-a00/cgroup.procs"), "");
	ck_assert_int_eq(write(box.in, "\n", 1), 1);
	box_done(&box, 0);
	ck_assert(!there(v1));
}
END_TEST

START_TEST(supervisors_death_removes_the_groups)
{
	int v2 = open_hierarchy(NULL), v1 = open_hierarchy("freezer");

	for (uint32_t flags = 0; flags <= PLAN_PIDNS; flags++) {
		prepare(2, v2, 1, v1);
		pm_head(&plan)->flags = flags;
		pm_sh(&plan, 0, "(setsid sleep 1000 &) ; sleep 1000");
		pm_sh(&plan, 1, "trap '' TERM; while :; do (sleep 0.01 &) ; done");
		go();
		box_until_ready(&box);
		(void)close(box.ctl);
		(void)box_wait(&box);
		ck_assert(!there(v2) && (v1 < 0 || !there(v1)));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		app_is_born_in_its_group,
		app_joins_its_group_without_clone3,
		limits_are_written,
		limit_that_cannot_be_set_fails_the_pod,
		frozen_app_dies_v2,
		frozen_app_dies_v1,
		frozen_pod_dies,
		guests_die_with_the_pod,
		leftovers_die_with_their_app,
		groups_made_by_apps_are_removed,
		cpuset_is_copied_down,
		supervisors_death_removes_the_groups,
	};

	return suite_run("cgroup", tests, sizeof(tests) / sizeof(tests[0]));
}
