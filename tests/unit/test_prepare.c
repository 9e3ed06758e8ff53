/* prepare: the files of a pod directory, with overlays and without. */
#include "tests/unit/preparefix.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Prepare the request as pod @p with a stage1 of ours (@native) or of rkt 1.30. */
static void prepare(struct pod *p, bool native)
{
	struct stage1 s1 = { .manifest = xstrdup("{}"), .native = native };
	struct err e = ERR_INIT;

	s1.dir = xstrdup("/nowhere");
	s1.tree_id = native ? NULL : xstrdup(PREPARE_ID("1"));
	OK(pod_create(&fx.d, p, &e));
	OK(prepare_pod(&pf.req, &pf.s, &s1, p, &e));
	stage1_done(&s1);
}

static bool has(const struct pod *p, const char *name)
{
	return faccessat(p->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void holds(const struct pod *p, const char *name, const char *want)
{
	auto_buf b = BUF_INIT;

	ck_assert_msg(record_read_at(p->fd, name, 4096, &b) == 0, "%s", name);
	ck_assert_str_eq(buf_str(&b), want);
}

/* Is the scratch directory itself on a file system that cannot carry an overlay's upper layer? */
static bool on_overlay(void)
{
	struct statfs fs;

	ck_assert_int_eq(fstatfs(fx.fd, &fs), 0);
	return (unsigned long)fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

static void expect_copy(const struct pod *p)
{
	ck_assert(has(p, "stage1/rootfs/opt/stage2/img/rootfs/file"));
	ck_assert(!has(p, POD_FILE_OVERLAY));
	ck_assert(!has(p, POD_DIR_OVERLAY));
	ck_assert(!has(p, "appsinfo/img/treeStoreID"));
}

START_TEST(what_every_pod_has)
{
	static const char *const files[] = { "pod", "pod-created", "appsinfo/img/manifest", "stage1-path" };
	auto_pod p = POD_INIT;

	prepare(&p, true);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		ck_assert_msg(has(&p, files[i]), "%s", files[i]);
}
END_TEST

START_TEST(a_copied_root)
{
	auto_pod p = POD_INIT;
	struct stat st;

	pf.req.no_overlay = true;
	prepare(&p, true);
	expect_copy(&p);
	ck_assert_int_eq(fstatat(p.fd, "stage1/rootfs/opt/stage2/img/rootfs", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0751);
}
END_TEST

START_TEST(an_upper_layer_for_our_stage1)
{
	auto_pod p = POD_INIT;
	struct stat st;

	prepare(&p, true);
	if (on_overlay()) {
		expect_copy(&p);
		return;
	}
	holds(&p, "appsinfo/img/treeStoreID", PREPARE_ID("1") "\n");
	ck_assert(!has(&p, "stage1/rootfs/opt/stage2/img/rootfs/file"));
	/* It becomes the root that the app sees. */
	ck_assert_int_eq(fstatat(p.fd, "overlay/img/upper", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0751);
	ck_assert_int_eq(fstatat(p.fd, "overlay/img/work", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
}
END_TEST

START_TEST(a_stage1_of_1_30_gets_its_overlays_from_stage0)
{
	auto_pod p = POD_INIT;

	prepare(&p, false);
	if (on_overlay()) {
		expect_copy(&p);
		return;
	}
	holds(&p, "appsinfo/img/treeStoreID", PREPARE_ID("1") "\n");
	ck_assert(!has(&p, "overlay/img")); /* made when the pod starts */
}
END_TEST

START_TEST(a_pod_manifest_is_kept_as_it_is)
{
	static const char text[] =
		"{ \"acKind\":\"PodManifest\",\n\t\"acVersion\":\"0.8.11\", \"apps\":[{\"name\":"
		"\"mine\",\"image\":{\"id\":\"" PREPARE_ID("1") "\"}}]}\n";
	auto_free char *path = prepare_file("pod.json", text, strlen(text));
	auto_pod p = POD_INIT;

	pf.req.manifest_path = path;
	prepare(&p, true);
	holds(&p, "pod", text);
	ck_assert(has(&p, "appsinfo/mine/manifest"));
}
END_TEST

START_TEST(a_tree_that_is_gone_is_named)
{
	struct stage1 s1 = { .manifest = xstrdup("{}"), .dir = xstrdup("/nowhere"), .native = true };
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(rm_tree_at(fx.d.fd, DIR_TREE "/" PREPARE_ID("1"), &e), 0);
	OK(pod_create(&fx.d, &p, &e));
	ck_assert_int_eq(prepare_pod(&pf.req, &pf.s, &s1, &p, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, "app \"img\""));
	stage1_done(&s1);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("prepare", prepare_before, prepare_after, what_every_pod_has, a_copied_root,
				 an_upper_layer_for_our_stage1,
				 a_stage1_of_1_30_gets_its_overlays_from_stage0,
				 a_pod_manifest_is_kept_as_it_is, a_tree_that_is_gone_is_named);
}
