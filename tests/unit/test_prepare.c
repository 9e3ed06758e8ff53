/* prepare: flags over images, precedence of the environment, what is refused, what is written. */
#include "tests/unit/suite.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "stage0/prepare.h"
#include "tests/unit/schemacheck.h"

#define ID "sha512-0000000000000000000000000000000000000000000000000000000000000001"

struct fix {
	char *path;
	int fd;
	struct datadir d;
	struct store s;
	struct app_request app;
	struct pod_request req;
};

/* A store with one image, made by hand, and a request that names it. */
static void setup(struct fix *f, const char *app)
{
	struct image_info i = { .id = ID, .size = 1 };
	struct err e = ERR_INIT;
	auto_free char *text = xasprintf(
		"{'acKind':'ImageManifest','acVersion':'0.8.11','name':'ex.com/img'%s}", app);

	*f = (struct fix){ .app = { .read_only = TRI_UNSET } };
	f->fd = suite_make_dir(&f->path);
	ck_assert_msg(datadir_open(f->path, true, &f->d, &e) == 0, "%s", e.text);
	ck_assert_msg(store_open(&f->d, &f->s, &e) == 0, "%s", e.text);
	i.digest = xasprintf("sha512-%0128d", 1);
	i.blob_algo = xstrdup("sha512");
	i.blob_digest = xasprintf("%0128d", 1);
	i.name = xstrdup("ex.com/img");
	i.manifest = quoted(text);
	pairs_set(&i.labels, "os", "linux");
	pairs_set(&i.labels, "arch", host_arch());
	ck_assert_msg(store_publish_image(&f->s, &i, &e) == 0, "%s", e.text);
	image_info_done(&i);
	ck_assert_int_eq(mkdir_p_at(f->s.cas_fd, "tree/" ID "/rootfs", 0751), 0);
	ck_assert_int_eq(write_file_at(f->s.cas_fd, "tree/" ID "/rootfs/file", "x", 1, 0644, 0), 0);
	f->app.image_id = xstrdup(ID);
	f->req = (struct pod_request){ .apps = &f->app, .napps = 1 };
}

static void teardown(struct fix *f)
{
	app_request_done(&f->app);
	strv_free(f->req.set_env);
	volumes_done(&f->req.volumes);
	store_done(&f->s);
	datadir_done(&f->d);
	suite_drop_dir(f->fd, f->path);
}

#define APP                                                                                                  \
	",'app':{'exec':['/bin/"                                                                             \
	"a','x'],'user':'1','group':'2','environment':[{'name':'A','value':'image'},{'name':'B','value':'"   \
	"image'}]}"

START_TEST(flags_over_the_image)
{
	struct fix f;
	struct err e = ERR_INIT;
	struct pod_manifest *m;

	setup(&f, APP);
	strv_push(&f.app.args, "");
	f.app.user = xstrdup("root");
	strv_push(&f.req.set_env, "A=pod");
	strv_push(&f.req.set_env, "C=pod");
	strv_push(&f.app.environment, "C=app");
	m = prepare_manifest(&f.req, &f.s, &e);
	ck_assert_msg(m != NULL, "%s", e.text);
	ck_assert_str_eq(m->apps[0].name, "img");
	ck_assert_uint_eq(strv_len(m->apps[0].app->exec), 3);
	ck_assert_str_eq(m->apps[0].app->user, "root");
	ck_assert_str_eq(m->apps[0].app->group, "2");
	ck_assert_str_eq(pairs_get(&m->apps[0].app->env, "A"), "pod");
	ck_assert_str_eq(pairs_get(&m->apps[0].app->env, "B"), "image");
	ck_assert_str_eq(pairs_get(&m->apps[0].app->env, "C"), "app"); /* --environment is the strongest */
	pod_manifest_free(m);
	teardown(&f);
}
END_TEST

START_TEST(refusals)
{
	struct fix f;
	struct err e = ERR_INIT;
	struct mount dangling = { xstrdup("none"), xstrdup("/x"), NULL };

	setup(&f, "");
	ck_assert_ptr_null(prepare_manifest(&f.req, &f.s, &e));
	expect_error(&e, "use --exec=PROGRAM");
	f.app.exec = xstrdup("sh");
	mounts_push_take(&f.app.mounts, &dangling);
	ck_assert_ptr_null(prepare_manifest(&f.req, &f.s, &e));
	expect_error(&e, "dangling mount");
	mounts_done(&f.app.mounts);
	strv_push(&f.app.caps_retain, "CAP_KILL");
	strv_push(&f.app.caps_remove, "CAP_KILL");
	ck_assert_ptr_null(prepare_manifest(&f.req, &f.s, &e));
	expect_error(&e, "exclude each other");
	teardown(&f);
}
END_TEST

START_TEST(a_copied_pod_directory)
{
	struct stage1 s1 = { .manifest = xstrdup("{}"), .dir = xstrdup("/nowhere"), .native = true };
	static const char *const files[] = { "pod", "pod-created", "pod.lck", "appsinfo/img/manifest",
					     "stage1/rootfs/opt/stage2/img/rootfs/file" };
	struct fix f;
	struct pod p = POD_INIT;
	struct err e = ERR_INIT;

	setup(&f, APP);
	f.req.no_overlay = true;
	ck_assert_msg(pod_create(&f.d, &p, &e) == 0, "%s", e.text);
	ck_assert_msg(prepare_pod(&f.req, &f.s, &s1, &p, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		ck_assert_msg(faccessat(p.fd, files[i], F_OK, 0) == 0, "%s", files[i]);
	ck_assert_int_ne(faccessat(p.fd, POD_FILE_OVERLAY, F_OK, 0), 0);
	ck_assert_int_ne(faccessat(p.fd, "appsinfo/img/treeStoreID", F_OK, 0), 0);
	pod_done(&p);
	stage1_done(&s1);
	teardown(&f);
}
END_TEST

int main(void)
{
	return SUITE_RUN("prepare", flags_over_the_image, refusals, a_copied_pod_directory);
}
