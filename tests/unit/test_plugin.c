/* plugin: names, directories, and that a caller's own children are let alone.  What plugins do is t510's. */
#include "stage1/net/plugin.h"

#include <sys/stat.h>

#include "base/strv.h"
#include "suite.h"

START_TEST(names)
{
	static const char *const good[] = { "bridge", "a", "A.b_c-1", "-x" };
	static const char *const bad[] = { "",        ".",   "..",  ".x",      "a/b", "../../bin/sh",
					   "/bin/sh", "a b", "a\n", "\xc3\xa4" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(plugin_type_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!plugin_type_valid(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(directories)
{
	ck_assert_int_eq(setenv("CNI_PATH", "/one::relative:/two", 1), 0);
	auto_strv path = plugin_path();
	auto_free char *all = strv_join(path, ":");

	ck_assert_str_eq(all, "/one:/two:/usr/lib/rkt/plugins/net:/usr/lib/cni:/opt/cni/bin");
	ck_assert_int_eq(unsetenv("CNI_PATH"), 0);
	auto_strv without = plugin_path();
	ck_assert_uint_eq(strv_len(without), 3);
}
END_TEST

static void put(int dir, const char *name, const char *script, mode_t mode)
{
	ck_assert_int_eq(write_file_at(dir, name, script, strlen(script), mode, 0), 0);
}

START_TEST(search_and_children)
{
	char *dir;
	int fd = suite_make_dir(&dir), old_reaper = -1;
	auto_free char *second = NULL;
	auto_strv path = NULL;
	auto_buf out = BUF_INIT;
	struct err e = ERR_INIT;
	pid_t mine = suite_fork();

	if (mine == 0) {
		(void)pause();
		_exit(1);
	}
	ck_assert_int_ge(asprintf(&second, "%s/second", dir), 0);
	ck_assert_int_eq(mkdirat(fd, "second", 0755) | mkdirat(fd, "second/folder", 0755), 0);
	ck_assert_int_eq(mkdirat(fd, "p", 0755), 0); /* no program: passed over */
	put(fd, "second/p", "#!/bin/sh\ncat; echo \" $0 $CNI_PATH\"; sleep 98771 & exit 0\n", 0755);
	put(fd, "second/data", "#!/bin/sh\n", 0644);
	strv_push(&path, second);
	struct plugin_call c = { .type = "p",
				 .dir = dir,
				 .path = path,
				 .command = "VERSION",
				 .uuid = "u",
				 .netns = "",
				 .ifname = "eth0",
				 .args = "",
				 .config = "{}",
				 .config_len = 2 };
	auto_free char *want = NULL;

	OK(plugin_find(&c, &e));
	OK(plugin_run(&c, &out, &e));
	ck_assert_int_ge(asprintf(&want, "{} %s/p %s:%s\n", second, dir, second), 0);
	ck_assert_str_eq(buf_str(&out), want);
	/* What the plugin left is gone; our own child is not, and nobody else becomes ours. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0);
	ck_assert_int_eq(kill(mine, SIGKILL), 0);
	ck_assert_int_eq(waitpid(-1, NULL, 0), mine);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(prctl(PR_GET_CHILD_SUBREAPER, &old_reaper), 0);
	ck_assert_int_eq(old_reaper, 0);
	for (size_t i = 0; i < 3; i++) {
		c.type = (const char *[]){ "data", "folder", "absent" }[i];
		ck_assert_int_eq(plugin_run(&c, &out, &e), -ENOENT);
		ck_assert_ptr_nonnull(strstr(e.text, second));
	}
	c.type = "../second/p";
	ck_assert_int_eq(plugin_run(&c, &out, &e), -EINVAL);
	suite_drop_dir(fd, dir);
}
END_TEST

int main(void)
{
	return SUITE_RUN("plugin", names, directories, search_and_children);
}
