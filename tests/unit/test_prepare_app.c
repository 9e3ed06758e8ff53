/* prepare_app: the options of an app over its image, and those that make no sense. */
#include "tests/unit/preparefix.h"

START_TEST(the_image_unless_an_option_says_otherwise)
{
	struct pod_manifest *m = prepare_well();
	const struct app *a = m->apps[0].app;

	ck_assert_uint_eq(strv_len(a->exec), 2);
	ck_assert_str_eq(a->exec[1], "x");
	ck_assert_str_eq(a->user, "1");
	ck_assert_str_eq(a->group, "2");
	ck_assert_str_eq(m->apps[0].image_name, "ex.com/img");
	ck_assert_str_eq(m->apps[0].image_id, PREPARE_ID("1"));
	ck_assert(!m->apps[0].read_only_rootfs);
	pod_manifest_free(m);
}
END_TEST

START_TEST(options_over_the_image)
{
	struct app_request *q = &pf.app[0];
	struct pod_manifest *m;
	const struct app *a;

	strv_push(&q->args, "");
	strv_push(&q->args, "--flag");
	q->user = xstrdup("root");
	q->working_dir = xstrdup("/var/tmp");
	q->read_only = TRI_TRUE;
	strv_push(&q->gids, "7");
	strv_push(&q->gids, "4294967294");
	strv_push(&q->user_labels, "k=v=w");
	strv_push(&q->user_annotations, "u=");
	strv_push(&q->annotations, "example.com/note=n");
	m = prepare_well();
	a = m->apps[0].app;
	ck_assert_uint_eq(strv_len(a->exec), 4); /* after the image's own */
	ck_assert_str_eq(a->exec[2], "");
	ck_assert_str_eq(a->user, "root");
	ck_assert_str_eq(a->group, "2");
	ck_assert_str_eq(a->working_dir, "/var/tmp");
	ck_assert(m->apps[0].read_only_rootfs);
	ck_assert_uint_eq(a->ngids, 2);
	ck_assert_uint_eq(a->gids[1], 4294967294);
	ck_assert_str_eq(pairs_get(&a->user_labels, "k"), "v=w");
	ck_assert_str_eq(pairs_get(&a->user_annotations, "u"), "");
	ck_assert_str_eq(pairs_get(&m->apps[0].annotations, "example.com/note"), "n");
	pod_manifest_free(m);
}
END_TEST

START_TEST(exec_replaces_the_image_s_with_its_arguments)
{
	struct pod_manifest *m;

	pf.app[0].exec = xstrdup("/bin/c");
	strv_push(&pf.app[0].args, "y");
	m = prepare_well();
	ck_assert_uint_eq(strv_len(m->apps[0].app->exec), 2);
	ck_assert_str_eq(m->apps[0].app->exec[0], "/bin/c");
	ck_assert_str_eq(m->apps[0].app->exec[1], "y");
	pod_manifest_free(m);
}
END_TEST

START_TEST(an_image_without_an_app_needs_exec)
{
	struct pod_manifest *m;

	prepare_image("2", "linux", "");
	free(pf.app[0].image_id);
	pf.app[0].image_id = xstrdup(PREPARE_ID("2"));
	prepare_refused("use --exec=PROGRAM");
	pf.app[0].exec = xstrdup("/bin/c");
	m = prepare_well();
	ck_assert_str_eq(m->apps[0].app->exec[0], "/bin/c");
	pod_manifest_free(m);
}
END_TEST

#define TEXT(member) offsetof(struct app_request, member), false
#define LIST(member) offsetof(struct app_request, member), true

static const struct {
	size_t offset;
	bool list;
	const char *value, *why;
} bad[] = {
	{ TEXT(user), "", "the name of the user or group is empty" },
	{ TEXT(group), "", "the name of the user or group is empty" },
	{ TEXT(working_dir), "tmp", "working directory 'tmp' is not an absolute path" },
	{ TEXT(memory), "much", "resource/memory" },
	{ TEXT(cpu), "-1", "resource/cpu" },
	{ TEXT(seccomp), "", "--seccomp: '' is not understood" },
	{ TEXT(seccomp), "mode=permit,chmod", "mode=retain or mode=remove expected" },
	{ TEXT(seccomp), "chmod", "mode=retain or mode=remove expected" },
	{ TEXT(seccomp), "mode=remove,,chmod", "--seccomp: '' is not understood" },
	{ TEXT(seccomp), "mode=remove,color=red", "'color=red' is not understood" },
	{ LIST(gids), "wheel", "'wheel' is not a group id" },
	{ LIST(gids), "+7", "'+7' is not a group id" },
	{ LIST(gids), "4294967295", "'4294967295' is not a group id" },
	{ LIST(environment), "A", "--environment: 'A' has no valid name before a '='" },
	{ LIST(environment), "1A=x", "--environment: '1A=x' has no valid name" },
	{ LIST(annotations), "UPPER CASE=x", "--annotation: 'UPPER CASE=x' has no valid name" },
	{ LIST(annotations), "created=yesterday", "--annotation" },
	{ LIST(user_labels), "=x", "--user-label: '=x' has no valid name" },
	{ LIST(user_annotations), "x", "--user-annotation: 'x' has no valid name" },
	{ LIST(caps_retain), "", "os/linux/capabilities-retain-set" },
};

START_TEST(options_that_are_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		void *at = (char *)&pf.app[0] + bad[i].offset;

		if (bad[i].list) {
			strv_push(at, bad[i].value);
			prepare_refused(bad[i].why);
			strv_free(*(char ***)at);
			*(char ***)at = NULL;
		} else {
			*(char **)at = xstrdup(bad[i].value);
			prepare_refused(bad[i].why);
			free(*(char **)at);
			*(char **)at = NULL;
		}
		pod_manifest_free(prepare_well()); /* and it was this alone */
	}
}
END_TEST

START_TEST(one_list_of_capabilities)
{
	strv_push(&pf.app[0].caps_retain, "CAP_KILL");
	strv_push(&pf.app[0].caps_remove, "CAP_KILL");
	prepare_refused("exclude each other");
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN(
		"prepare_app", prepare_before, prepare_after, the_image_unless_an_option_says_otherwise,
		options_over_the_image, exec_replaces_the_image_s_with_its_arguments,
		an_image_without_an_app_needs_exec, options_that_are_refused, one_list_of_capabilities);
}
