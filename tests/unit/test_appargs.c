/* appargs: the grammar of several images on one line (cli.md section 6), with run's own tables. */
#include "tests/unit/suite.h"

#include "base/log.h"
#include "base/strv.h"
#include "rkt/appargs.h"
#include "rkt/commands.h"
#include "rkt/podflags.h"

static struct pod_args pod;
static struct err e;

/* Parse @argv (NULL-terminated) as `rkt run` would; -errno with `e`. */
static int parse(unsigned int flags, const char *const *argv)
{
	struct cli c = { .cmd = &cmd_run, .args = &pod };
	struct opt_set sets[CLI_TABLES_MAX];
	size_t n = cli_opt_sets(&c, sets);
	int argc = 0, r;

	while (argv[argc])
		argc++;
	err_clear(&e);
	pod_args_done(&pod);
	memset(&pod, 0, sizeof(pod));
	r = opt_defaults(sets, n, &e);
	ck_assert_int_eq(r, 0);
	r = appargs_parse(sets, n, argc, (char *const *)(uintptr_t)argv, flags, &pod.apps, &e);
	for (size_t i = 0; i + 1 < n; i++)
		if (sets[i].args)
			opt_done(sets[i].table, sets[i].args);
	globals_done(&c.g);
	return r;
}

#define PARSE(...) parse(0, (const char *const[]){ __VA_ARGS__, NULL })

static const struct app_arg *app(size_t i)
{
	ck_assert_uint_lt(i, pod.apps.n);
	return &pod.apps.v[i];
}

static void assert_args(size_t i, const char *joined)
{
	auto_free char *got = strv_join(app(i)->req.args, "|");
	ck_assert_str_eq(got, joined);
}

START_TEST(options_belong_to_the_image_before_them)
{
	ck_assert_int_eq(PARSE("a", "--exec", "/bin/x", "--name=one", "b", "--name", "two"), 0);
	ck_assert_uint_eq(pod.apps.n, 2);
	ck_assert_str_eq(app(0)->image, "a");
	ck_assert_str_eq(app(0)->req.exec, "/bin/x");
	ck_assert_str_eq(app(0)->req.name, "one");
	ck_assert_str_eq(app(1)->req.name, "two");
	ck_assert_ptr_null(app(1)->req.exec);
	ck_assert_int_eq(app(1)->req.read_only, TRI_UNSET);
}
END_TEST

START_TEST(arguments_end_at_three_dashes)
{
	ck_assert_int_eq(PARSE("a", "b", "--", "--help", "---", "c", "--", "--verbose", "--", "x"), 0);
	ck_assert_uint_eq(pod.apps.n, 3);
	ck_assert_ptr_null(app(0)->req.args);
	assert_args(1, "--help");
	assert_args(2, "--verbose|--|x");
}
END_TEST

START_TEST(empty_arguments_are_kept)
{
	ck_assert_int_eq(PARSE("a", "--", "", "x", ""), 0);
	assert_args(0, "|x|");
	ck_assert_uint_eq(strv_len(app(0)->req.args), 3);
}
END_TEST

START_TEST(an_empty_argument_list_is_one)
{
	ck_assert_int_eq(PARSE("a", "--"), 0);
	ck_assert(app(0)->has_args);
	ck_assert_int_eq(PARSE("a", "--", "---", "--", "x"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "\"a\""));
}
END_TEST

START_TEST(three_dashes_may_follow_options)
{
	ck_assert_int_eq(PARSE("---", "a", "--exec", "/x", "---", "b"), 0);
	ck_assert_uint_eq(pod.apps.n, 2);
}
END_TEST

START_TEST(one_leading_double_dash_is_eaten)
{
	ck_assert_int_eq(PARSE("--", "a", "--name=n"), 0);
	ck_assert_str_eq(app(0)->req.name, "n");
	ck_assert_int_eq(PARSE("--", "--", "a"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "must follow an image"));
}
END_TEST

START_TEST(app_options_need_an_image_but_mounts_do_not)
{
	ck_assert_int_eq(PARSE("--name=x", "a"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "--name"));
	ck_assert_int_eq(e.cls, ERR_USAGE);
	ck_assert_int_eq(PARSE("--mount=volume=v,target=/m", "a", "--mount=volume=w,target=/n"), 0);
	ck_assert_uint_eq(pod.apps.pod.req.mounts.n, 1);
	ck_assert_str_eq(pod.apps.pod.req.mounts.v[0].volume, "v");
	ck_assert_uint_eq(app(0)->req.mounts.n, 1);
	ck_assert_str_eq(app(0)->req.mounts.v[0].volume, "w");
}
END_TEST

START_TEST(a_target_is_not_url_decoded)
{
	ck_assert_int_eq(PARSE("a", "--mount=volume=v,target=/a%20b+c"), 0);
	ck_assert_str_eq(app(0)->req.mounts.v[0].path, "/a%20b+c");
}
END_TEST

START_TEST(pod_options_work_behind_images)
{
	ck_assert_int_eq(PARSE("a", "--net=host", "--volume=v,kind=empty", "--set-env=A=1", "--no-overlay"),
			 0);
	ck_assert(pod.no_overlay);
	ck_assert_uint_eq(pod.volumes.n, 1);
	ck_assert_uint_eq(strv_len(pod.net), 1);
	ck_assert_str_eq(pod.set_env[0], "A=1");
}
END_TEST

START_TEST(the_value_of_net_comes_only_after_equals)
{
	ck_assert_int_eq(PARSE("--net", "host"), 0);
	ck_assert_str_eq(pod.net[0], "default");
	ck_assert_str_eq(app(0)->image, "host");
	ck_assert_int_eq(PARSE("--net=a,b:x=1", "--net=c", "i"), 0);
	ck_assert_uint_eq(strv_len(pod.net), 3);
}
END_TEST

START_TEST(errors_behind_an_image_show_no_usage)
{
	ck_assert_int_eq(PARSE("--bad"), -EINVAL);
	ck_assert_int_eq(e.cls, ERR_USAGE);
	ck_assert_int_eq(PARSE("a", "--bad"), -EINVAL);
	ck_assert_int_eq(e.cls, ERR_INPUT);
	ck_assert_int_eq(PARSE("a", "--help"), -ECANCELED);
}
END_TEST

START_TEST(fetch_has_no_arguments)
{
	ck_assert_int_eq(parse(APPARGS_NO_ARGS, (const char *const[]){ "a", "--", "x", NULL }), -EINVAL);
	ck_assert_int_eq(parse(APPARGS_NO_ARGS, (const char *const[]){ "a", "b", NULL }), 0);
}
END_TEST

START_TEST(wrong_values_are_refused)
{
	static const char *const bad[] = {
		"--net=",
		"--net=a,a",
		"--net=host:x",
		"--net=a:b:c",
		"--set-env=A",
		"--set-env==x",
		"--set-env=1A=x",
		"--volume=v",
		"--volume=v,kind=odd",
		"--ipc=odd",
		"--pull-policy=odd",
		"--stage1-path=",
		"--memory=16m",
		"--memory=x",
		"--cpu=0",
		"--cpu-shares=1",
		"--cpu-shares=262145",
		"--oom-score-adj=1001",
		"--caps-retain=A,,",
		"--seccomp=mode=odd,read",
		"--seccomp=read",
		"--seccomp=mode=remove",
		"--exec=",
		"--name=Foo",
		"--working-dir=x",
		"--readonly-rootfs=x",
		"--user-label=x",
		"--environment=1=x",
		"--annotation=A B=x",
		"--mount=volume=v",
		"--supplementary-gids=-1",
		"--interactive=x",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(PARSE("a", bad[i]) < 0, "%s was accepted", bad[i]);
		ck_assert_msg(e.text[0] != '\0', "%s: no text", bad[i]);
	}
}
END_TEST

START_TEST(good_values_are_taken)
{
	ck_assert_int_eq(PARSE("a", "--memory=16Mi", "--cpu=500m", "--cpu-shares=2", "--oom-score-adj=-1000",
			       "--caps-retain=CAP_KILL,CAP_CHOWN", "--seccomp=mode=remove,errno=EPERM,mount",
			       "--readonly-rootfs", "false", "--supplementary-gids=1,2",
			       "--supplementary-gids=3", "--environment=A=1", "--environment=A=2",
			       "--signature=s"),
			 0);
	ck_assert_str_eq(app(0)->req.memory, "16Mi");
	ck_assert(app(0)->req.has_oom_score_adj);
	ck_assert_int_eq((int)app(0)->req.oom_score_adj, -1000);
	ck_assert_uint_eq(strv_len(app(0)->req.caps_retain), 2);
	ck_assert_uint_eq(strv_len(app(0)->req.gids), 3);
	ck_assert_uint_eq(strv_len(app(0)->req.environment), 1);
	ck_assert_str_eq(app(0)->req.environment[0], "A=2");
	ck_assert_int_eq(app(0)->req.read_only, TRI_FALSE);
	ck_assert_str_eq(app(0)->signature, "s");
}
END_TEST

START_TEST(things_that_may_be_said_once)
{
	ck_assert_int_lt(PARSE("a", "--signature=s", "--signature=t"), 0);
	ck_assert_int_lt(PARSE("--set-env=A=1", "--set-env=A=2", "a"), 0);
	ck_assert_int_lt(PARSE("--volume=v,kind=empty", "--volume=v,kind=empty", "a"), 0);
	ck_assert_int_lt(PARSE("--stage1-name=x", "--stage1-path=y", "a"), 0);
	ck_assert_int_lt(PARSE("a", "--caps-retain=CAP_KILL", "--caps-remove=CAP_CHOWN"), 0);
}
END_TEST

START_TEST(images_are_bounded_and_not_empty)
{
	const char *many[POD_APPS_MAX + 2];
	for (size_t i = 0; i <= POD_APPS_MAX; i++)
		many[i] = "a";
	many[POD_APPS_MAX + 1] = NULL;
	ck_assert_int_eq(parse(0, many), -E2BIG);
	many[POD_APPS_MAX] = NULL;
	ck_assert_int_eq(parse(0, many), 0);
	ck_assert_int_eq(PARSE("a", ""), -EINVAL);
}
END_TEST

int main(void)
{
	log_setup("test", LOG_QUIET);
	return SUITE_RUN("appargs", options_belong_to_the_image_before_them, arguments_end_at_three_dashes,
			 empty_arguments_are_kept, an_empty_argument_list_is_one,
			 three_dashes_may_follow_options, one_leading_double_dash_is_eaten,
			 app_options_need_an_image_but_mounts_do_not, a_target_is_not_url_decoded,
			 pod_options_work_behind_images, the_value_of_net_comes_only_after_equals,
			 errors_behind_an_image_show_no_usage, fetch_has_no_arguments,
			 wrong_values_are_refused, good_values_are_taken, things_that_may_be_said_once,
			 images_are_bounded_and_not_empty);
}
