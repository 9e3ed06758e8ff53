/* prepare_env: the environment of a pod, its precedence, and every way in which a file of it is bad. */
#include "tests/unit/preparefix.h"

static void add_file(const char *name, const char *text, size_t len)
{
	auto_free char *path = prepare_file(name, text, len);

	strv_push(&pf.req.set_env_files, path);
}

static const char *env(const struct pod_manifest *m, const char *name)
{
	return pairs_get(&m->apps[0].app->env, name);
}

START_TEST(the_strongest_wins)
{
	static const char text[] = "A=file\nC=file\nD=file\nE=file\n";
	struct pod_manifest *m;

	ck_assert_int_eq(clearenv(), 0);
	ck_assert_int_eq(setenv("B", "outside", 1) | setenv("C", "outside", 1) | setenv("O", "outside", 1),
			 0);
	pf.req.inherit_env = true;
	add_file("env", text, strlen(text));
	strv_push(&pf.req.set_env, "D=pod");
	strv_push(&pf.req.set_env, "E=pod");
	strv_push(&pf.app[0].environment, "E=app");
	m = prepare_well();
	ck_assert_str_eq(env(m, "O"), "outside");
	ck_assert_str_eq(env(m, "B"), "image");
	ck_assert_str_eq(env(m, "A"), "file");
	ck_assert_str_eq(env(m, "C"), "file");
	ck_assert_str_eq(env(m, "D"), "pod");
	ck_assert_str_eq(env(m, "E"), "app");
	pod_manifest_free(m);
}
END_TEST

START_TEST(nothing_is_inherited_unasked)
{
	struct pod_manifest *m;

	ck_assert_int_eq(setenv("O", "outside", 1), 0);
	m = prepare_well();
	ck_assert_ptr_null(env(m, "O"));
	pod_manifest_free(m);
}
END_TEST

START_TEST(names_that_no_manifest_can_hold_are_not_inherited)
{
	struct pod_manifest *m;

	ck_assert_int_eq(setenv("BASH_FUNC_f%%", "() { :; }", 1) | setenv("O", "", 1), 0);
	pf.req.inherit_env = true;
	m = prepare_well();
	ck_assert_ptr_null(env(m, "BASH_FUNC_f%%"));
	ck_assert_str_eq(env(m, "O"), "");
	pod_manifest_free(m);
}
END_TEST

START_TEST(lines_are_taken_as_they_are)
{
	static const char text[] = "# comment\n; comment\n\nX= a \"b\" $A\nY=k=v\nZ=\nlast=without newline";
	struct pod_manifest *m;

	add_file("env", text, strlen(text));
	m = prepare_well();
	ck_assert_str_eq(env(m, "X"), " a \"b\" $A");
	ck_assert_str_eq(env(m, "Y"), "k=v");
	ck_assert_str_eq(env(m, "Z"), "");
	ck_assert_str_eq(env(m, "last"), "without newline");
	pod_manifest_free(m);
}
END_TEST

static const struct {
	const char *text;
	size_t len; /* 0: strlen */
	const char *why;
} bad[] = {
	{ "A=1\nB\n", 0, "env, line 2: NAME=VALUE expected" },
	{ "\n\n=1\n", 0, "env, line 3: '' is not a name of an environment variable" },
	{ "1A=1\n", 0, "env, line 1: '1A' is not a name" },
	{ " A=1\n", 0, "env, line 1: ' A' is not a name" },
	{ " # A=1\n", 0, "env, line 1: ' # A' is not a name" },
	{ "export A=1\n", 0, "env, line 1: 'export A' is not a name" },
	{ "A=1\n#\nA=1\n", 0, "env, line 3: environment variable A is set twice" },
	{ "A=1\0B=2\n", 8, "env: contains NUL" },
};

START_TEST(bad_files)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		add_file("env", bad[i].text, bad[i].len ? bad[i].len : strlen(bad[i].text));
		prepare_refused("--set-env-file ");
		prepare_refused(bad[i].why);
		strv_free(pf.req.set_env_files);
		pf.req.set_env_files = NULL;
	}
}
END_TEST

START_TEST(two_files_may_not_set_the_same)
{
	add_file("one", "A=1\n", 4);
	add_file("two", "B=1\nA=1\n", 8);
	prepare_refused("two, line 2: environment variable A is set twice");
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
	auto_free char *big = xmalloc((1 << 20) + 1), *absent = xasprintf("%s/absent", fx.path);
	struct err e = ERR_INIT;

	memset(big, '#', (1 << 20) + 1);
	add_file("env", big, (1 << 20) + 1);
	ck_assert_ptr_null(prepare_manifest(&pf.req, &pf.s, &e));
	ck_assert_int_eq(e.code, EFBIG);
	free(pf.req.set_env_files[0]);
	pf.req.set_env_files[0] = xstrdup(absent);
	ck_assert_ptr_null(prepare_manifest(&pf.req, &pf.s, &e));
	ck_assert_int_eq(e.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, absent));
}
END_TEST

START_TEST(bad_pairs_of_set_env)
{
	strv_push(&pf.req.set_env, "A=1");
	strv_push(&pf.req.set_env, "A=2");
	prepare_refused("--set-env: environment variable A is set twice");
	free(pf.req.set_env[1]);
	pf.req.set_env[1] = xstrdup("A");
	prepare_refused("--set-env: NAME=VALUE expected");
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("prepare_env", prepare_before, prepare_after, the_strongest_wins,
				 nothing_is_inherited_unasked,
				 names_that_no_manifest_can_hold_are_not_inherited,
				 lines_are_taken_as_they_are, bad_files, two_files_may_not_set_the_same,
				 files_that_cannot_be_read, bad_pairs_of_set_env);
}
