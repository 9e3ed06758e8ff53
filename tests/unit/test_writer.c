/* test_writer — packing is deterministic, and what every compression makes of it inflates to the same bytes. */
#include "suite.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"
#include "image/inflate.h"
#include "image/writer.h"

static const char manifest[] =
	"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/x\"}";

static int make_tree(const char *text)
{
	char dir[] = "/tmp/rkt-unit-writer-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mkdirat(fd, "rootfs", 0755), 0);
	ck_assert_int_eq(mkdirat(fd, "rootfs/d", 0700), 0);
	ck_assert_int_eq(write_file_at(fd, "manifest", text, strlen(text), 0644, 0), 0);
	ck_assert_int_eq(write_file_at(fd, "rootfs/d/f", "content", 7, 04755, 0), 0);
	ck_assert_int_eq(linkat(fd, "rootfs/d/f", fd, "rootfs/hard", 0), 0);
	ck_assert_int_eq(symlinkat("/nowhere", fd, "rootfs/soft"), 0);
	return fd;
}

static void remove_tree(int fd)
{
	char link[64], dir[256];
	struct err e = ERR_INIT;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, dir, sizeof(dir) - 1);
	ck_assert_int_gt(n, 0);
	dir[n] = '\0';
	(void)close(fd);
	ck_assert_int_eq(rm_tree_at(AT_FDCWD, dir, &e), 0);
}

static void pack(int dir, enum compression c, struct buf *out)
{
	struct err e = ERR_INIT;
	auto_close int fd = memfd_new("aci");

	ck_assert_msg(aci_write(dir, fd, c, &e) == 0, "%s", e.text);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(fd_read_all(fd, 1 << 20, out), 0);
}

static int inflate(const struct buf *in, uint64_t max, struct buf *out, struct err *e)
{
	const struct inflate_limits l = { .out_max = max };
	auto_close int from = memfd_new("in");
	auto_close int to = memfd_new("out");

	ck_assert_int_eq(write_full(from, in->data, in->len), 0);
	ck_assert_int_eq(lseek(from, 0, SEEK_SET), 0);
	uint64_t bytes = 0;
	int r = inflate_stream(from, to, &l, &bytes, e);
	ck_assert_int_eq(lseek(to, 0, SEEK_SET), 0);
	ck_assert_int_eq(fd_read_all(to, 1 << 24, out), 0);
	return r;
}

START_TEST(the_same_tree_gives_the_same_bytes)
{
	int dir = make_tree(manifest);
	auto_buf a = BUF_INIT;
	auto_buf b = BUF_INIT;

	pack(dir, COMP_PLAIN, &a);
	pack(dir, COMP_PLAIN, &b);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_int_eq(memcmp(a.data, b.data, a.len), 0);
	remove_tree(dir);
}
END_TEST

START_TEST(every_compression_comes_back)
{
	static const enum compression all[] = { COMP_PLAIN, COMP_GZIP, COMP_BZIP2, COMP_XZ, COMP_ZSTD };
	int dir = make_tree(manifest);
	auto_buf plain = BUF_INIT;

	pack(dir, COMP_PLAIN, &plain);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		auto_buf packed = BUF_INIT;
		auto_buf out = BUF_INIT;
		auto_buf twice = BUF_INIT;
		struct err e = ERR_INIT;

		pack(dir, all[i], &packed);
		ck_assert_msg(inflate(&packed, 0, &out, &e) == 0, "%zu: %s", i, e.text);
		ck_assert_uint_eq(out.len, plain.len);
		ck_assert_int_eq(memcmp(out.data, plain.data, plain.len), 0);
		/* cut short, with a byte too many, and over a limit: refused */
		if (all[i] == COMP_PLAIN)
			continue;
		struct buf cut = { packed.data, packed.len - 3, packed.cap };
		buf_clear(&out);
		ck_assert_int_lt(inflate(&cut, 0, &out, &e), 0);
		buf_add(&twice, packed.data, packed.len);
		buf_adds(&twice, "junk");
		buf_clear(&out);
		ck_assert_int_lt(inflate(&twice, 0, &out, &e), 0);
		buf_clear(&out);
		ck_assert_int_eq(inflate(&packed, 100, &out, &e), -E2BIG);
	}
	remove_tree(dir);
}
END_TEST

START_TEST(a_bad_manifest_is_not_packed)
{
	int dir = make_tree("{\"acKind\":\"PodManifest\"}");
	struct err e = ERR_INIT;
	auto_close int fd = memfd_new("aci");

	ck_assert_int_lt(aci_write(dir, fd, COMP_PLAIN, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "manifest"));
	remove_tree(dir);
}
END_TEST

/* Our own reader would refuse it. */
START_TEST(too_deep_a_tree_is_not_packed)
{
	int dir = make_tree(manifest);
	struct err e = ERR_INIT;
	auto_close int fd = memfd_new("aci");
	auto_buf path = BUF_INIT;

	buf_adds(&path, "rootfs");
	for (int i = 0; i < 1023; i++)
		buf_adds(&path, "/d");
	ck_assert_int_eq(unlinkat(dir, "rootfs/d/f", 0), 0);
	ck_assert_int_eq(mkdir_p_at(dir, buf_str(&path), 0755), 0);
	ck_assert_msg(aci_write(dir, fd, COMP_PLAIN, &e) == 0, "%s", e.text);
	buf_adds(&path, "/d");
	ck_assert_int_eq(mkdir_p_at(dir, buf_str(&path), 0755), 0);
	ck_assert_int_eq(aci_write(dir, fd, COMP_PLAIN, &e), -ENAMETOOLONG);
	remove_tree(dir);
}
END_TEST

/* Of several trees: a text as manifest, and who sees the bytes can end it. */
static int stop(void *arg, const void *p, size_t n, struct err *e)
{
	uint64_t *left = arg;

	(void)p;
	if (*left < n)
		return err_set(e, ERR_STATE, ECANCELED, "enough");
	*left -= n;
	return 0;
}

START_TEST(trees_on_each_other)
{
	static const char *const roots[] = { "rootfs", "rootfs/d" };
	int dir = make_tree(manifest);
	const struct merge tree = { .dirfd = dir, .roots = roots, .n = 2 };
	struct err e = ERR_INIT;
	auto_close int fd = memfd_new("aci");
	auto_buf out = BUF_INIT;
	uint64_t left = UINT64_MAX;

	OK(aci_write_merged(&tree, manifest, fd, COMP_PLAIN, stop, &left, &e));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(fd_read_all(fd, 1 << 20, &out), 0);
	ck_assert_uint_eq(UINT64_MAX - left, out.len);
	ck_assert_str_eq(out.data, "manifest");
	ck_assert_int_eq(memcmp(out.data + 512, manifest, sizeof(manifest)), 0);
	ck_assert_ptr_nonnull(memmem(out.data, out.len, "rootfs/f", sizeof("rootfs/f")));
	left = out.len / 2;
	ck_assert_int_eq(aci_write_merged(&tree, manifest, fd, COMP_PLAIN, stop, &left, &e), -ECANCELED);
	ck_assert_int_eq(aci_write_merged(&tree, "{}", fd, COMP_PLAIN, NULL, NULL, &e), -EINVAL);
	remove_tree(dir);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { the_same_tree_gives_the_same_bytes, every_compression_comes_back,
				       a_bad_manifest_is_not_packed, too_deep_a_tree_is_not_packed,
				       trees_on_each_other };

	return suite_run("writer", tests, ARRAY_LEN(tests));
}
