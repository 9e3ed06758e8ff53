/* imagegc: which images and trees pods keep, more images than are locked at once, strays. */
#include "tests/unit/preparefix.h"

#include "stage0/gc.h"
#include "stage0/imagegc.h"
#include "stage0/imageuse.h"

#define MANY 70

struct seen {
	int events[4];
};

static void note(void *arg, enum image_gc_event ev, const char *what, const struct err *e)
{
	struct seen *s = arg;

	ck_assert_msg((ev == IMAGE_GC_FAILED) == (e != NULL), "%s", what);
	s->events[ev]++;
}

static struct seen collect(int64_t grace)
{
	struct seen s = { { 0 } };
	struct image_gc_options o = { .grace_ns = grace, .report = note, .arg = &s };
	struct err e = ERR_INIT;

	OK(image_gc(&fx.d, &pf.s, &o, &e));
	return s;
}

static bool there(const char *dir, const char *id, const char *more)
{
	auto_free char *path = xasprintf("%s/%s%s", dir, id, more);

	return faccessat(pf.s.cas_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A pod in prepare/, locked, that names @id as the tree of an app. */
static void make_user(struct pod *p, const char *id)
{
	auto_free char *line = xasprintf("%s\nnot-an-id\n", id);
	struct err e = ERR_INIT;

	OK(pod_create(&fx.d, p, &e));
	ck_assert_int_eq(mkdir_p_at(p->fd, "appsinfo/one", 0750), 0);
	datafix_put(p, "appsinfo/one/" POD_APP_TREES, line);
}

static void scan(const char *id, bool tree, bool live)
{
	struct image_uses u = { NULL, NULL, false };
	struct err e = ERR_INIT;

	OK(image_uses_scan(&fx.d, &u, &e));
	ck_assert_int_eq(image_uses_tree(&u, id), tree);
	ck_assert_int_eq(image_uses_live(&u, id), live);
	image_uses_done(&u);
}

START_TEST(a_pod_keeps_its_tree_through_its_life)
{
	auto_pod p = POD_INIT;
	const char *id = PREPARE_ID("1");
	struct err e = ERR_INIT;

	scan(id, false, false);
	make_user(&p, id);
	scan(id, true, true);
	scan("not-an-id", false, false);
	OK(pod_to_run(&p, &e));
	scan(id, true, true);
	pod_done(&p); /* it exits */
	scan(id, true, false);
	ck_assert_int_eq(collect(0).events[IMAGE_GC_IMAGE], 1);
	ck_assert(!there("image", id, "") && there("tree", id, "/rootfs/file"));
	OK(pod_open(&fx.d, p.uuid, &p, &e));
	OK(pod_to_exited_garbage(&p, &e));
	scan(id, true, false);
	ck_assert_int_eq(collect(0).events[IMAGE_GC_TREE], 0);
	OK(gc_remove_pod(&p, false, NULL, &e));
	ck_assert_int_eq(collect(0).events[IMAGE_GC_TREE], 1);
	ck_assert(!there("tree", id, ""));
}
END_TEST

START_TEST(what_cannot_be_read_needs_everything)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	make_user(&p, PREPARE_ID("2"));
	ck_assert_int_eq(unlinkat(p.fd, "appsinfo/one/" POD_APP_TREES, 0), 0);
	scan(PREPARE_ID("1"), false, false);
	ck_assert_int_eq(mkdirat(p.fd, "appsinfo/one/" POD_APP_TREES, 0700), 0);
	scan(PREPARE_ID("1"), true, true);
	ck_assert_int_eq(collect(0).events[IMAGE_GC_IMAGE], 0);
	OK(pod_to_garbage(&p, &e));
	scan(PREPARE_ID("1"), false, false);
}
END_TEST

START_TEST(many_images_go_but_for_those_in_use)
{
	auto_pod p = POD_INIT;
	char last[3];
	struct seen s;

	for (int i = 10; i < 10 + MANY; i++) {
		(void)snprintf(last, sizeof(last), "%02d", i);
		auto_free char *id = xasprintf("sha512-%062d%s", 0, last);
		struct image_info info = { .size = 1 };
		struct err e = ERR_INIT;
		auto_free char *root = xasprintf(DIR_TREE "/%s/rootfs", id);

		memcpy(info.id, id, strlen(id) + 1);
		info.digest = xasprintf("sha512-%0128d", i);
		info.blob_algo = xstrdup("sha512");
		info.blob_digest = xasprintf("%0128d", i);
		info.name = xstrdup("ex.com/many");
		info.manifest = xstrdup("{}");
		OK(store_publish_image(&pf.s, &info, &e));
		image_info_done(&info);
		ck_assert_int_eq(mkdir_p_at(fx.d.fd, root, 0700), 0);
	}
	auto_free char *used = xasprintf("sha512-%062d%s", 0, "41");
	make_user(&p, used);
	ck_assert_int_eq(collect(INT64_C(3600000000000)).events[IMAGE_GC_IMAGE], 0);
	s = collect(0);
	ck_assert_int_eq(s.events[IMAGE_GC_IMAGE], MANY); /* and that of the fixture, but for the used one */
	ck_assert_int_eq(s.events[IMAGE_GC_FAILED], 0);
	ck_assert(there("image", used, "") && there("tree", used, "/rootfs"));
	s = collect(0);
	ck_assert_int_eq(s.events[IMAGE_GC_IMAGE] + s.events[IMAGE_GC_TREE], 0);
}
END_TEST

START_TEST(many_strays_go)
{
	struct seen s;

	ck_assert_int_eq(mkdir_p_at(pf.s.cas_fd, "blob/sha512/00", 0750), 0);
	for (int i = 0; i < MANY; i++) {
		auto_free char *blob = xasprintf("blob/sha512/00/%0126d%02d", 0, i);

		ck_assert_int_eq(write_file_at(pf.s.cas_fd, blob, "x", 1, 0640, 0), 0);
	}
	/* the blob of the fixture's image was never there; its name is one of these */
	s = collect(INT64_C(3600000000000));
	ck_assert_int_eq(s.events[IMAGE_GC_BLOB], MANY - 1);
	auto_free char *named = xasprintf("%0127d1", 0);
	ck_assert(there("blob/sha512/00", named, ""));
	ck_assert_int_eq(collect(INT64_C(3600000000000)).events[IMAGE_GC_BLOB], 0);
}
END_TEST

START_TEST(removal_waits_for_pods_and_can_be_told_there_is_nothing)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	make_user(&p, PREPARE_ID("1"));
	OK(image_remove(&fx.d, &pf.s, PREPARE_ID("1"), &e));
	ck_assert(!there("image", PREPARE_ID("1"), "") && there("tree", PREPARE_ID("1"), "/rootfs"));
	ck_assert_int_eq(image_remove(&fx.d, &pf.s, PREPARE_ID("1"), &e), -ENOENT);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("imagegc", prepare_before, prepare_after,
				 a_pod_keeps_its_tree_through_its_life, what_cannot_be_read_needs_everything,
				 many_images_go_but_for_those_in_use, many_strays_go,
				 removal_waits_for_pods_and_can_be_told_there_is_nothing);
}
