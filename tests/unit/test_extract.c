/* extract: what comes out of a plain image, every budget to the unit, and that a refusal leaves nothing outside. */
#include "tests/unit/suite.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"
#include "image/extract.h"

#define MANIFEST "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/x\"}"

enum { BLOCK = 512 };

static struct {
	int fd, dir; /* the scratch directory, and "in" in it */
	char *path;
	struct buf tar, manifest;
	struct extract_result result;
} fx;

static void before(void)
{
	fx.fd = suite_make_dir(&fx.path);
	ck_assert_int_eq(mkdirat(fx.fd, "in", 0700), 0);
	fx.dir = openat(fx.fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fx.dir, 0);
}

static void after(void)
{
	buf_done(&fx.tar);
	buf_done(&fx.manifest);
	ck_assert_int_eq(close(fx.dir), 0);
	suite_drop_dir(fx.fd, fx.path);
}

/* One entry of type @type; @data is its content, or where a link leads. */
static void entry(char type, const char *name, unsigned int mode, const char *data)
{
	unsigned char h[BLOCK] = { 0 };
	unsigned int sum = 0;
	size_t len = type == '0' ? strlen(data) : 0;
	static const char zero[BLOCK];

	(void)snprintf((char *)h, 100, "%s", name);
	(void)snprintf((char *)h + 100, 8, "%07o", mode & 07777);
	(void)snprintf((char *)h + 108, 8, "%07o", geteuid() & 07777777);
	(void)snprintf((char *)h + 116, 8, "%07o", getegid() & 07777777);
	(void)snprintf((char *)h + 124, 12, "%011o", (unsigned int)(len & 07777777));
	(void)snprintf((char *)h + 136, 12, "%011o", 1000000000U);
	h[156] = (unsigned char)type;
	if (type == '1' || type == '2')
		(void)snprintf((char *)h + 157, 100, "%s", data);
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += h[i];
	(void)snprintf((char *)h + 148, 8, "%06o", sum);
	buf_add(&fx.tar, h, sizeof(h));
	if (len) {
		buf_add(&fx.tar, data, len);
		buf_add(&fx.tar, zero, (BLOCK - len % BLOCK) % BLOCK);
	}
}

/* Extract what entry() has made so far. */
static int extract(const struct extract_limits *l, struct err *e)
{
	static const char end[2 * BLOCK];
	auto_close int in = memfd_new("tar");

	ck_assert_int_eq(write_full(in, fx.tar.data, fx.tar.len), 0);
	ck_assert_int_eq(write_full(in, end, sizeof(end)), 0);
	ck_assert_int_eq(lseek(in, 0, SEEK_SET), 0);
	err_clear(e);
	return extract_aci(in, fx.dir, l, &fx.manifest, &fx.result, e);
}

/* Refused with @code and words of the reason; nothing beside the target. */
static void refused(const struct extract_limits *l, int code, const char *why)
{
	struct err e = ERR_INIT;
	struct stat st;
	int r = extract(l, &e);

	ck_assert_msg(r == -code, "%d: %s", r, e.text);
	ck_assert_msg(strstr(e.text, why) != NULL, "\"%s\" lacks \"%s\"", e.text, why);
	ck_assert_int_eq(fstat(fx.fd, &st), 0);
	ck_assert_uint_eq(st.st_nlink, 3);
	ck_assert_int_eq(fstatat(fx.fd, "x", &st, AT_SYMLINK_NOFOLLOW), -1);
}

static void head(void)
{
	entry('0', "manifest", 0644, MANIFEST);
	entry('5', "rootfs", 0755, "");
}

START_TEST(a_plain_image)
{
	struct err e = ERR_INIT;
	struct stat st, hard;
	auto_buf text = BUF_INIT;
	char target[16] = "";

	head();
	entry('5', "rootfs/d", 0500, "");
	entry('0', "rootfs/d/f", 04750, "content");
	entry('1', "rootfs/hard", 0, "rootfs/d/f");
	entry('2', "rootfs/soft", 0777, "/nowhere");
	OK(extract(&extract_limits_default, &e));
	ck_assert_uint_eq(fx.result.entries, 6);
	ck_assert_str_eq(buf_str(&fx.manifest), MANIFEST);
	ck_assert_int_eq(read_file_at(fx.dir, "rootfs/d/f", 100, &text), 0);
	ck_assert_str_eq(buf_str(&text), "content");
	ck_assert_int_eq(fstatat(fx.dir, "rootfs/d/f", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(st.st_mode, S_IFREG | 04750);
	ck_assert_int_eq(st.st_mtim.tv_sec, 1000000000);
	ck_assert_int_eq(fstatat(fx.dir, "rootfs/hard", &hard, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_uint_eq(hard.st_ino, st.st_ino);
	ck_assert_int_eq(fstatat(fx.dir, "rootfs/d", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(st.st_mode, S_IFDIR | 0500);
	ck_assert_int_eq(st.st_mtim.tv_sec, 1000000000);
	ck_assert_int_eq(readlinkat(fx.dir, "rootfs/soft", target, sizeof(target) - 1), 8);
	ck_assert_str_eq(target, "/nowhere");
}
END_TEST

/* The image is refused with @less, which is too little of one thing, and taken with @fits. */
static void a_budget(struct extract_limits fits, struct extract_limits less)
{
	struct err e = ERR_INIT;

	refused(&less, E2BIG, "limit");
	ck_assert_int_eq(rm_tree_at(fx.dir, "rootfs", &e), 0);
	buf_done(&fx.manifest);
	OK(extract(&fits, &e));
}

START_TEST(as_many_entries_as_permitted)
{
	struct extract_limits fits = extract_limits_default, less = fits;

	head();
	entry('0', "rootfs/f", 0644, "1234567");
	fits.entries = 3;
	less.entries = 2;
	a_budget(fits, less);
}
END_TEST

START_TEST(as_deep_as_permitted)
{
	struct extract_limits fits = extract_limits_default, less = fits;

	head();
	entry('0', "rootfs/a/b/c/d", 0644, "");
	fits.depth = 5;
	less.depth = 4;
	a_budget(fits, less);
}
END_TEST

START_TEST(as_many_bytes_as_permitted)
{
	struct extract_limits fits = extract_limits_default, less = fits;

	head();
	entry('0', "rootfs/f", 0644, "1234567");
	fits.bytes = 7 + sizeof(MANIFEST) - 1;
	less.bytes = fits.bytes - 1;
	a_budget(fits, less);
}
END_TEST

static const struct {
	char type;
	const char *name, *data, *why;
} bad[] = {
	{ '0', "rootfs/../../x", "", ".." },
	{ '0', "x", "", "x" },
	{ '0', "/x", "", "/x" },
	{ '0', "rootfs/s/x", "", "rootfs/s" },
	{ '0', "rootfs/s", "", "rootfs/s" },
	{ '1', "rootfs/h", "manifest", "rootfs/h" },
	{ '1', "rootfs/h", "../x", "rootfs/h" },
	{ '1', "rootfs/h", "rootfs/h", "rootfs/h" },
	{ '0', "manifest", MANIFEST, "manifest" },
	{ 'M', "rootfs/m", "", "rootfs/m" },
};

START_TEST(each_of_the_refused)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		buf_done(&fx.tar);
		buf_done(&fx.manifest);
		ck_assert_int_eq(rm_tree_at(fx.fd, "in", &e), 0);
		ck_assert_int_eq(close(fx.dir), 0);
		ck_assert_int_eq(mkdirat(fx.fd, "in", 0700), 0);
		fx.dir = openat(fx.fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		head();
		entry('2', "rootfs/s", 0777, "../..");
		entry(bad[i].type, bad[i].name, 0644, bad[i].data);
		refused(&extract_limits_default, EINVAL, bad[i].why);
	}
}
END_TEST

START_TEST(what_is_missing)
{
	entry('5', "rootfs", 0755, "");
	refused(&extract_limits_default, EINVAL, "manifest");
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("extract", before, after, a_plain_image, as_many_entries_as_permitted,
				 as_deep_as_permitted, as_many_bytes_as_permitted, each_of_the_refused,
				 what_is_missing);
}
