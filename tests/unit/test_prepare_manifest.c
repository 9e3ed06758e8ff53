/* prepare_manifest: pods from a file, and what the apps of a pod may not do to each other. */
#include "tests/unit/preparefix.h"

#define HEAD        "'acKind':'PodManifest','acVersion':'0.8.11'"
#define IMAGE(last) "'image':{'id':'" PREPARE_ID(last) "'}"
#define RUN         "'app':{'exec':['/bin/b'],'user':'0','group':'0'}"

/* The request is the pod manifest @text (written with ') and nothing else. */
static void use_file(const char *text)
{
	auto_free char *s = quoted(text);

	free((char *)(uintptr_t)pf.req.manifest_path);
	pf.req.manifest_path = prepare_file("pod.json", s, strlen(s));
	pf.req.napps = 0;
}

static void drop_file(void)
{
	free((char *)(uintptr_t)pf.req.manifest_path);
	pf.req.manifest_path = NULL;
}

START_TEST(a_file_says_it_all)
{
	struct pod_manifest *m;

	use_file("{" HEAD
		 ",'apps':[{'name':'one'," IMAGE("1") "},{'name':'two','image':{'id':'sha512-00'}," RUN "}],"
						      "'volumes':[{'name':'v','kind':'empty'}]}");
	m = prepare_well();
	ck_assert_uint_eq(m->napps, 2);
	ck_assert_ptr_null(m->apps[0].app); /* the image's */
	ck_assert_str_eq(m->apps[1].app->exec[0], "/bin/b");
	ck_assert_uint_eq(m->volumes.n, 1);
	pod_manifest_free(m);
	drop_file();
}
END_TEST

static const struct {
	const char *text, *why;
} bad_files[] = {
	{ "", "pod.json: " },
	{ "{" HEAD ",'apps':[]}", "no apps" },
	{ "{" HEAD ",'apps':[{'name':'a'," IMAGE("7") "}]}", "app 'a': no image IDs found" },
	{ "{" HEAD ",'apps':[{'name':'a'," IMAGE("2") "}]}",
	  "neither the pod manifest nor the image has an app section" },
	{ "{" HEAD ",'apps':[{'name':'a'," IMAGE("3") "," RUN "}]}", "bad os 'plan9'" },
	{ "{" HEAD ",'apps':[{'name':'a'," IMAGE("4") "}]}", "exec is empty" },
	{ "{" HEAD ",'apps':[{'name':'a'," IMAGE("1") ",'mounts':[{'volume':'v','path':'/x'}]}]}",
	  "app 'a': dangling mount at '/x': there is no volume 'v'" },
	{ "{" HEAD ",'apps':[{'name':'a'," IMAGE("1") "},{'name':'a'," IMAGE("1") "}]}", "'a'" },
	{ "{" HEAD ",'apps':[{'name':'a'," IMAGE(
		  "1") "}],'volumes':[{'name':'v','kind':'empty'},{'name':'v','kind':'empty'}]}",
	  "'v'" },
	{ "{" HEAD ",'apps':[{'name':'../a'," IMAGE("1") "}]}", "'../a'" },
	{ "{'acKind':'ImageManifest','acVersion':'0.8.11','name':'a'}", "PodManifest" },
};

START_TEST(files_that_are_refused)
{
	prepare_image("2", "linux", "");
	prepare_image("3", "plan9", PREPARE_APP);
	prepare_image("4", "linux", ",'app':{'exec':[],'user':'0','group':'0'}");
	for (size_t i = 0; i < ARRAY_LEN(bad_files); i++) {
		use_file(bad_files[i].text);
		prepare_refused(bad_files[i].why);
		prepare_refused("pod.json"); /* whatever it is, the file is named */
		drop_file();
	}
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
	auto_free char *absent = xasprintf("%s/absent", fx.path);
	struct err e = ERR_INIT;

	pf.req.manifest_path = absent;
	ck_assert_ptr_null(prepare_manifest(&pf.req, &pf.s, &e));
	ck_assert_int_eq(e.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, absent));
	pf.req.manifest_path = fx.path;
	ck_assert_ptr_null(prepare_manifest(&pf.req, &pf.s, &e));
	ck_assert_int_eq(e.code, EISDIR);
}
END_TEST

START_TEST(images_that_nobody_verified)
{
	struct err e = ERR_INIT;

	pf.req.accept_unsigned = false;
	ck_assert_ptr_null(prepare_manifest(&pf.req, &pf.s, &e));
	ck_assert_int_eq(e.cls, ERR_TRUST);
	ck_assert_int_eq(e.code, EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(
		e.text, "image \"ex.com/img\" (sha512-000000000000) was imported without verification"));
	ck_assert_ptr_nonnull(strstr(e.text, "--insecure-options=image"));
}
END_TEST

START_TEST(apps_of_one_pod)
{
	struct pod_manifest *m;
	struct err e = ERR_INIT;

	pf.req.napps = 2;
	prepare_refused("two apps are named 'img'; give one of them another name with --name");
	pf.app[1].name = xstrdup("second");
	m = prepare_well();
	ck_assert_str_eq(m->apps[0].name, "img");
	ck_assert_str_eq(m->apps[1].name, "second");
	pod_manifest_free(m);
	free(pf.app[1].name);
	pf.app[1].name = xstrdup("Not/A name");
	prepare_refused("'Not/A name' is not a valid name of an app");
	pf.req.napps = POD_APPS_MAX + 1; /* refused before one is looked at */
	prepare_refused("65 apps are more than 64");
	pf.req.napps = 0;
	ck_assert_ptr_null(prepare_manifest(&pf.req, &pf.s, &e));
	ck_assert_int_eq(e.cls, ERR_USAGE);
}
END_TEST

START_TEST(images_that_cannot_run_here)
{
	prepare_image("3", "plan9", PREPARE_APP);
	free(pf.app[0].image_id);
	pf.app[0].image_id = xstrdup(PREPARE_ID("3"));
	prepare_refused("bad os 'plan9'");
	free(pf.app[0].image_id);
	pf.app[0].image_id = xstrdup(PREPARE_ID("7"));
	prepare_refused("no image IDs found");
}
END_TEST

static void add_volume(struct volumes *l, const char *arg)
{
	struct volume v;
	struct err e = ERR_INIT;

	OK(volume_from_arg(arg, &v, &e));
	volumes_push_take(l, &v);
}

START_TEST(volumes_and_mounts)
{
	const struct {
		struct mounts *to;
		const char *volume, *path;
	} rows[] = {
		{ &pf.app[0].mounts, "a", "/data/" },
		{ &pf.req.mounts, "b", "//data/./" },
		{ &pf.req.mounts, "b", "/other" },
	};
	struct pod_manifest *m;

	add_volume(&pf.req.volumes, "a,kind=empty,mode=0700");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		mounts_push_take(rows[i].to,
				 &(struct mount){ xstrdup(rows[i].volume), xstrdup(rows[i].path), NULL });
	prepare_refused("app 'img': dangling mount at '/other': there is no volume 'b'");
	add_volume(&pf.req.volumes, "b,kind=host,source=/srv,readOnly=true");
	m = prepare_well();
	ck_assert_uint_eq(m->volumes.n, 2);
	ck_assert_uint_eq(m->volumes.v[0].mode, 0700);
	ck_assert_str_eq(m->volumes.v[1].source, "/srv");
	/* An app's mount beats the pod's at the same place. */
	ck_assert_uint_eq(m->apps[0].mounts.n, 2);
	ck_assert_str_eq(m->apps[0].mounts.v[0].volume, "a");
	ck_assert_str_eq(m->apps[0].mounts.v[0].path, "/data");
	ck_assert_str_eq(m->apps[0].mounts.v[1].volume, "b");
	ck_assert_str_eq(m->apps[0].mounts.v[1].path, "/other");
	pod_manifest_free(m);
	mounts_push_take(&pf.req.mounts, &(struct mount){ xstrdup("a"), xstrdup("/x/../other/"), NULL });
	prepare_refused("app 'img': --mount: two volumes are to be mounted at '/other'");
	memcpy(pf.req.mounts.v[2].path, "/third", sizeof("/third"));
	add_volume(&pf.req.volumes, "a,kind=empty");
	prepare_refused("volume 'a' is given twice");
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("prepare_manifest", prepare_before, prepare_after, a_file_says_it_all,
				 files_that_are_refused, files_that_cannot_be_read,
				 images_that_nobody_verified, apps_of_one_pod, images_that_cannot_run_here,
				 volumes_and_mounts);
}
