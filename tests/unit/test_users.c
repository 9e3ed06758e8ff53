/* test_users — user and group fields against hostile and ordinary image files. */
#include <check.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "stage1/lib/users.h"

static char root[] = "/tmp/rkt-users-XXXXXX";
static char dir[sizeof(root)];
static int root_fd;

static void put(const char *name, const char *text)
{
	ck_assert_int_eq(write_file_at(root_fd, name, text, strlen(text), 0644, 0), 0);
}

static void setup(void)
{
	memcpy(dir, root, sizeof(root));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	root_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root_fd, 0);
	ck_assert_int_eq(mkdirat(root_fd, "etc", 0755), 0);
}

static void teardown(void)
{
	struct err e = ERR_INIT;
	auto_close int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)close(root_fd);
	ck_assert_int_eq(rm_tree_at(tmp, dir + 5, &e), 0);
}

static int uid_of(const char *user, uint32_t *uid)
{
	struct err e = ERR_INIT;

	return users_uid(root_fd, user, uid, &e);
}

START_TEST(names_come_from_the_image)
{
	uint32_t id = 99;

	put("etc/passwd", "root:x:0:0::/root:/bin/sh\njoe:x:1000:7::/:\nlast:x:12:13");
	put("etc/group", "joe:x:77:\n");
	ck_assert_int_eq(uid_of("joe", &id), 0);
	ck_assert_uint_eq(id, 1000);
	ck_assert_int_eq(uid_of("last", &id), 0);
	ck_assert_uint_eq(id, 12);
	struct err e = ERR_INIT;
	ck_assert_int_eq(users_gid(root_fd, "joe", &id, &e), 0);
	ck_assert_uint_eq(id, 77);
	ck_assert_int_eq(uid_of("jo", &id), -ENOENT);
	ck_assert_int_eq(uid_of("joe:x", &id), -ENOENT);
}
END_TEST

START_TEST(root_needs_no_file)
{
	uint32_t id = 99;

	ck_assert_int_eq(uid_of("root", &id), 0);
	ck_assert_uint_eq(id, 0);
	ck_assert_int_eq(uid_of("joe", &id), -ENOENT);
}
END_TEST

static const struct {
	const char *text;
	int r;
	uint32_t id;
} numbers[] = {
	{ "0", 0, 0 },
	{ "1", 0, 1 },
	{ "4294967294", 0, 4294967294u },
	{ "01", -EINVAL, 0 },
	{ "4294967295", -EINVAL, 0 },
	{ "4294967296", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ " 0", -EINVAL, 0 },
	{ "0x0", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
};

START_TEST(T22_numbers_are_plain_decimal)
{
	uint32_t id = 99;

	ck_assert_int_eq(uid_of(numbers[_i].text, &id), numbers[_i].r);
	if (numbers[_i].r == 0)
		ck_assert_uint_eq(id, numbers[_i].id);
	else
		ck_assert_uint_eq(id, 99);
}
END_TEST

START_TEST(a_file_lends_its_owner)
{
	uint32_t id = 99;

	put("etc/owned", "");
	ck_assert_int_eq(fchownat(root_fd, "etc/owned", geteuid() ? geteuid() : 42, (gid_t)-1, 0), 0);
	ck_assert_int_eq(uid_of("/etc/owned", &id), 0);
	ck_assert_uint_eq(id, geteuid() ? geteuid() : 42);
	ck_assert_int_eq(uid_of("/etc/none", &id), -ENOENT);
	ck_assert_int_eq(uid_of("/../../../../etc/owned", &id), 0);
}
END_TEST

START_TEST(T23_no_link_leaves_the_root)
{
	uint32_t id = 99;

	ck_assert_int_eq(symlinkat("/etc/passwd", root_fd, "etc/passwd"), 0);
	ck_assert_int_eq(uid_of("daemon", &id), -ELOOP);
	ck_assert_int_eq(unlinkat(root_fd, "etc/passwd", 0), 0);
	ck_assert_int_eq(symlinkat("../../../../../../etc/group", root_fd, "etc/passwd"), 0);
	ck_assert_int_eq(uid_of("daemon", &id), -ENOENT);
	ck_assert_uint_eq(id, 99);
}
END_TEST

START_TEST(T23_a_fifo_does_not_block)
{
	uint32_t id = 99;

	ck_assert_int_eq(mkfifoat(root_fd, "etc/passwd", 0644), 0);
	ck_assert_int_eq(uid_of("joe", &id), -EINVAL);
}
END_TEST

START_TEST(T23_a_huge_file_is_refused)
{
	uint32_t id = 99;
	auto_close int fd = openat(root_fd, "etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 1 << 30), 0);
	ck_assert_int_eq(uid_of("joe", &id), -EFBIG);
}
END_TEST

static const char *const broken[] = { "joe\n",
				      "joe:\n",
				      "joe:x\n",
				      "joe:x:\n",
				      "joe:x:12a:1\n",
				      "joe:x:-1:1\n",
				      "joe:x:99999999999:1\n",
				      "joe:x:4294967295:0\n" };

START_TEST(broken_lines_are_errors_for_their_name_only)
{
	uint32_t id = 99;

	auto_free char *text = xasprintf("%sother:x:5:5::/:\n", broken[_i]);
	put("etc/passwd", text);
	ck_assert_int_lt(uid_of("joe", &id), 0);
	ck_assert_uint_eq(id, 99);
	ck_assert_int_eq(uid_of("other", &id), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("users");
	TCase *t = tcase_create("users");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, names_come_from_the_image);
	tcase_add_test(t, root_needs_no_file);
	tcase_add_loop_test(t, T22_numbers_are_plain_decimal, 0, ARRAY_LEN(numbers));
	tcase_add_test(t, a_file_lends_its_owner);
	tcase_add_test(t, T23_no_link_leaves_the_root);
	tcase_add_test(t, T23_a_fifo_does_not_block);
	tcase_add_test(t, T23_a_huge_file_is_refused);
	tcase_add_loop_test(t, broken_lines_are_errors_for_their_name_only, 0, ARRAY_LEN(broken));
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
