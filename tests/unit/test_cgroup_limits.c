/* test_cgroup_limits — isolators to control files, on v1 and on v2: the hierarchies are directories made here. */
#include "suite.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "stage1/lib/cgroup_limits.h"

struct fix {
	char *path;
	int fd;
	struct app *app;
	struct runtime_app rt;
	struct pod_app pod_app;
	struct podctx c;
	struct cgroups g;
};

static struct fix f;

static void put(const char *name, const char *text)
{
	ck_assert_int_eq(write_file_at(f.fd, name, text, strlen(text), 0644, 0), 0);
}

/* A unified hierarchy that offers @controllers and hands @enabled down. */
static void start_v2(const char *controllers, const char *enabled)
{
	f = (struct fix){ .app = app_new() };
	f.fd = suite_make_dir(&f.path);
	put("cgroup.controllers", controllers);
	put("cgroup.subtree_control", enabled);
	f.rt.name = xstrdup("one");
	f.pod_app = (struct pod_app){ .rt = &f.rt, .app = f.app };
	f.c = (struct podctx){ .apps = &f.pod_app, .napps = 1 };
	f.g.v[0] = (struct cgroup_dir){
		.parent_fd = dup(f.fd), .path = xstrdup("/x"), .v2 = 1, .controllers = xstrdup("")
	};
	f.g.n = 1;
}

static void start_v1(const char *controllers)
{
	start_v2("", "");
	f.g.v[0].v2 = 0;
	free(f.g.v[0].controllers);
	f.g.v[0].controllers = xstrdup(controllers);
}

static void end(void)
{
	cgroups_done(&f.g);
	app_free(f.app);
	free(f.rt.name);
	suite_drop_dir(f.fd, f.path);
}

static void want(const char *name, const char *json)
{
	struct err e = ERR_INIT;
	auto_free char *array = xasprintf("[%s]", json);
	auto_json doc = json_parse(array, strlen(array), &e);

	ck_assert_msg(doc != NULL, "%s", e.text);
	OK(isolators_add(&f.app->isolators, name, json_incref(json_array_get(doc, 0)), &e));
}

/* Plan; write @i must be FILE = VALUE for @app. */
static void plan(void)
{
	struct err e = ERR_INIT;

	ck_assert_msg(cgroup_limits_plan(&f.c, &f.g, &e) == 0, "%s", e.text);
}

static void wrote(uint32_t i, int app, const char *file, const char *value)
{
	ck_assert_uint_lt(i, f.g.nwrites);
	ck_assert_int_eq(f.g.writes[i].app, app);
	ck_assert_str_eq(f.g.writes[i].file, file);
	ck_assert_str_eq(f.g.writes[i].value, value);
}

static void ask_for_everything(void)
{
	want("resource/memory", "{\"limit\":\"64Mi\"}");
	want("resource/cpu", "{\"limit\":\"500m\"}");
	want("rkt.io/cpu-weight", "200");
	want("rkt.io/pids-limit", "7");
	want("rkt.io/io-weight", "1000");
}

START_TEST(v2_files)
{
	start_v2("cpuset cpu io memory pids\n", "cpu memory\n");
	ask_for_everything();
	plan();
	/* the pod's own group hands every controller down, each once */
	wrote(0, -1, "cgroup.subtree_control", "+memory");
	wrote(1, 0, "memory.max", "67108864");
	wrote(2, -1, "cgroup.subtree_control", "+cpu");
	wrote(3, 0, "cpu.max", "50000 100000");
	wrote(4, 0, "cpu.weight", "200");
	wrote(5, -1, "cgroup.subtree_control", "+pids");
	wrote(6, 0, "pids.max", "7");
	wrote(7, -1, "cgroup.subtree_control", "+io");
	wrote(8, 0, "io.weight", "1000");
	ck_assert_uint_eq(f.g.nwrites, 9);
	/* what the caller's group did not hand down yet was switched on there */
	auto_buf b = BUF_INIT;
	ck_assert_int_eq(read_file_at(f.fd, "cgroup.subtree_control", 100, &b), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "+io"));
	end();
}
END_TEST

START_TEST(v1_files)
{
	start_v1("cpu,memory,pids,blkio");
	ask_for_everything();
	plan();
	wrote(0, 0, "memory.limit_in_bytes", "67108864");
	wrote(1, 0, "cpu.cfs_quota_us", "50000");
	wrote(2, 0, "cpu.shares", "2048");
	wrote(3, 0, "pids.max", "7");
	wrote(4, 0, "blkio.bfq.weight", "181");
	ck_assert_uint_eq(f.g.nwrites, 5);
	end();
}
END_TEST

START_TEST(scales_of_weights)
{
	static const struct {
		const char *isolator, *value, *v1, *v2;
	} rows[] = {
		{ "rkt.io/cpu-weight", "1", "10", "1" },
		{ "rkt.io/cpu-weight", "100", "1024", "100" },
		{ "rkt.io/cpu-weight", "10000", "102400", "10000" },
		{ "os/linux/cpu-shares", "2", "2", "1" },
		{ "os/linux/cpu-shares", "262144", "262144", "10000" },
		{ "rkt.io/io-weight", "1", "1", "1" },
		{ "rkt.io/io-weight", "100", "100", "100" },
		{ "rkt.io/io-weight", "10000", "1000", "10000" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start_v1("cpu,blkio");
		want(rows[i].isolator, rows[i].value);
		plan();
		ck_assert_str_eq(f.g.writes[0].value, rows[i].v1);
		end();
		start_v2("cpu io\n", "cpu io\n");
		want(rows[i].isolator, rows[i].value);
		plan();
		ck_assert_str_eq(f.g.writes[1].value, rows[i].v2);
		end();
	}
}
END_TEST

START_TEST(a_missing_controller_is_an_error)
{
	static const char *const all[][2] = {
		{ "resource/memory", "{\"limit\":\"64Mi\"}" },
		{ "resource/cpu", "{\"limit\":\"1\"}" },
		{ "rkt.io/cpu-weight", "5" },
		{ "rkt.io/pids-limit", "5" },
		{ "rkt.io/io-weight", "5" },
		{ "os/linux/cpu-shares", "5" },
		{ "rkt.io/io-max", "{\"/dev/null\":{\"rbps\":\"1\"}}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct err e = ERR_INIT;

		for (int v2 = 0; v2 < 2; v2++) {
			if (v2)
				start_v2("cpuset rdma\n", "\n");
			else
				start_v1("freezer");
			want(all[i][0], all[i][1]);
			ck_assert_int_eq(cgroup_limits_plan(&f.c, &f.g, &e), -ENOTSUP);
			ck_assert_ptr_nonnull(strstr(e.text, "app \"one\""));
			ck_assert_ptr_nonnull(strstr(e.text, all[i][0]));
			ck_assert_uint_eq(f.g.nwrites, 0);
			end();
		}
	}
}
END_TEST

START_TEST(limits_of_disks_need_disks)
{
	struct err e = ERR_INIT;

	start_v2("io\n", "io\n");
	want("rkt.io/io-max", "{\"/dev/null\":{\"rbps\":\"1\"}}");
	ck_assert_int_eq(cgroup_limits_plan(&f.c, &f.g, &e), -ENOTBLK);
	end();
	start_v2("io\n", "io\n");
	want("rkt.io/io-max", "{\"/nowhere\":{\"rbps\":\"1\"}}");
	ck_assert_int_eq(cgroup_limits_plan(&f.c, &f.g, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, "/nowhere"));
	end();
}
END_TEST

START_TEST(which_controllers_are_needed)
{
	auto_strv list = NULL;

	start_v1("");
	cgroup_limits_controllers(&f.c, &list);
	ck_assert_ptr_null(list);
	ask_for_everything();
	cgroup_limits_controllers(&f.c, &list);
	auto_free char *all = strv_join(list, " ");
	ck_assert_str_eq(all, "memory cpu pids blkio");
	end();
}
END_TEST

int main(void)
{
	return SUITE_RUN("cgroup_limits", v2_files, v1_files, scales_of_weights,
			 a_missing_controller_is_an_error, limits_of_disks_need_disks,
			 which_controllers_are_needed);
}
