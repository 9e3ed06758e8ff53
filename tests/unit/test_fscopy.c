/*
 * fscopy: a copy is the same tree; a size counts every inode once.
 *
 * The data path runs with everything the kernel offers, without copy_file_range(2), and across file
 * systems.
 */
#include "tests/unit/suite.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/fd.h"

static void put(int dir, const char *name, const char *text, size_t len, mode_t mode)
{
	ck_assert_int_eq(write_file_at(dir, name, text, len, mode, 0), 0);
}

static struct stat stat_of(int dir, const char *name)
{
	struct stat st;

	ck_assert_msg(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s", name);
	return st;
}

static void set_times(int dir, const char *name)
{
	const struct timespec t[2] = { { 1000000000, 1 }, { 1100000000, 123456789 } };

	ck_assert_int_eq(utimensat(dir, name, t, AT_SYMLINK_NOFOLLOW), 0);
}

/* Directories src and dst below a new one; @top is the new one. */
static char *make_pair(int *top, int *src, int *dst)
{
	char *path;

	*top = suite_make_dir(&path);
	ck_assert_int_eq(mkdirat(*top, "src", 0755) | mkdirat(*top, "dst", 0700), 0);
	*src = openat(*top, "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*dst = openat(*top, "dst", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return path;
}

static void drop_pair(char *path, int top, int src, int dst)
{
	ck_assert_int_eq(close(src) | close(dst), 0);
	suite_drop_dir(top, path);
}

static void same(int src, int dst, const char *name)
{
	struct stat a = stat_of(src, name), b = stat_of(dst, name);

	ck_assert_msg(a.st_mode == b.st_mode, "%s: mode %o, %o", name, a.st_mode, b.st_mode);
	ck_assert_msg(a.st_uid == b.st_uid && a.st_gid == b.st_gid, "%s: owner", name);
	ck_assert_msg(a.st_rdev == b.st_rdev, "%s: device", name);
	ck_assert_msg(a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec,
		      "%s: time", name);
	ck_assert_msg(S_ISDIR(a.st_mode) || a.st_size == b.st_size, "%s: size", name);
	ck_assert_msg(S_ISDIR(a.st_mode) || a.st_nlink == b.st_nlink, "%s: links", name);
}

static const char *const names[] = { "f",    "suid", "d",    "d/sticky", "d/link", "d/dangling",
				     "fifo", "null", "sock", "empty",    "d/hard" };

static void fill(int src)
{
	put(src, "f", "contents", 8, 0644);
	put(src, "empty", "", 0, 0400);
	put(src, "suid", "#!", 2, 04755);
	ck_assert_int_eq(mkdirat(src, "d", 0755) | mkdirat(src, "d/sticky", 0755), 0);
	ck_assert_int_eq(fchmodat(src, "d/sticky", 01777, 0), 0);
	ck_assert_int_eq(symlinkat("../f", src, "d/link"), 0);
	ck_assert_int_eq(symlinkat("/etc/shadow", src, "d/dangling"), 0);
	ck_assert_int_eq(linkat(src, "f", src, "d/hard", 0), 0);
	ck_assert_int_eq(mkfifoat(src, "fifo", 0620), 0);
	ck_assert_int_eq(mknodat(src, "sock", S_IFSOCK | 0600, 0), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(fchownat(src, "suid", 12, 34, 0), 0);
		ck_assert_int_eq(fchmodat(src, "suid", 06755, 0), 0);
		ck_assert_int_eq(fchownat(src, "d/link", 56, 78, AT_SYMLINK_NOFOLLOW), 0);
		ck_assert_int_eq(fchownat(src, "fifo", 56, 78, AT_SYMLINK_NOFOLLOW), 0);
		if (mknodat(src, "null", S_IFCHR | 0666, makedev(1, 3)) < 0)
			put(src, "null", "", 0, 0600); /* no CAP_MKNOD here */
	} else {
		put(src, "null", "", 0, 0600);
	}
	for (size_t i = ARRAY_LEN(names); i-- > 0;)
		set_times(src, names[i]);
	set_times(src, "d");
	ck_assert_int_eq(fchmod(src, 0750), 0);
}

static void copy_all(void)
{
	int top, src, dst;
	char *path = make_pair(&top, &src, &dst), text[16];
	struct err e = ERR_INIT;
	auto_buf b = BUF_INIT;

	fill(src);
	ck_assert_msg(copy_tree_at(src, dst, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		same(src, dst, names[i]);
	ck_assert_uint_eq(stat_of(dst, "f").st_ino, stat_of(dst, "d/hard").st_ino);
	ck_assert_uint_ne(stat_of(dst, "f").st_ino, stat_of(src, "f").st_ino);
	ck_assert_int_eq(read_file_at(dst, "d/hard", 99, &b), 0);
	ck_assert_str_eq(buf_str(&b), "contents");
	ck_assert_int_eq((int)readlinkat(dst, "d/dangling", text, sizeof(text)), 11);
	ck_assert_int_eq(stat_of(top, "dst").st_mode & 07777, 0750); /* the top itself too */
	drop_pair(path, top, src, dst);
}

START_TEST(copy)
{
	copy_all();
}
END_TEST

START_TEST(copy_without_copy_file_range)
{
	suite_block_call(SYS_copy_file_range, ENOSYS);
	suite_block_call(SYS_ioctl, ENOTTY);
	copy_all();
}
END_TEST

START_TEST(copy_across_file_systems)
{
	int top, src, dst, far;
	char *path = make_pair(&top, &src, &dst), shm[] = "/dev/shm/rkt-unit-XXXXXX";
	struct err e = ERR_INIT;
	auto_buf b = BUF_INIT;
	char *big = malloc(300000);

	if (!mkdtemp(shm))
		ck_abort_msg("no /dev/shm");
	far = open(shm, O_RDONLY | O_DIRECTORY);
	memset(big, 'b', 300000);
	put(src, "big", big, 300000, 0644);
	ck_assert_msg(copy_tree_at(src, far, &e) == 0, "%s", e.text);
	ck_assert_int_eq(read_file_at(far, "big", 300000, &b), 0);
	ck_assert_mem_eq(b.data, big, 300000);
	ck_assert_int_eq(close(far), 0);
	ck_assert_int_eq(rm_tree_at(AT_FDCWD, shm, &e), 0);
	free(big);
	drop_pair(path, top, src, dst);
}
END_TEST

START_TEST(holes_stay_holes)
{
	int top, src, dst, fd;
	char *path = make_pair(&top, &src, &dst), byte;
	struct err e = ERR_INIT;

	suite_block_call(SYS_ioctl, ENOTTY); /* no sharing of extents */
	fd = openat(src, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq((int)pwrite(fd, "x", 1, 8 << 20), 1);
	ck_assert_int_eq(ftruncate(fd, 16 << 20), 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_msg(copy_tree_at(src, dst, &e) == 0, "%s", e.text);
	ck_assert_int_eq(stat_of(dst, "sparse").st_size, 16 << 20);
	ck_assert_int_lt(stat_of(dst, "sparse").st_blocks * 512, 1 << 20);
	fd = openat(dst, "sparse", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq((int)pread(fd, &byte, 1, 8 << 20), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(close(fd), 0);
	drop_pair(path, top, src, dst);
}
END_TEST

START_TEST(extended_attributes)
{
	/* cap_net_raw=ep, version 2 of struct vfs_cap_data */
	static const unsigned char cap[20] = { 1, 0, 0, 2, 0, 0x20 };
	int top, src, dst, fd;
	char *path = make_pair(&top, &src, &dst), value[64];
	struct err e = ERR_INIT;
	bool user, file_cap;

	put(src, "f", "x", 1, 0755);
	ck_assert_int_eq(mkdirat(src, "d", 0755), 0);
	fd = openat(src, "f", O_RDONLY | O_CLOEXEC);
	user = fsetxattr(fd, "user.note", "abc", 3, 0) == 0;
	file_cap = geteuid() == 0 && fchown(fd, 1, 1) == 0 &&
		   fsetxattr(fd, "security.capability", cap, sizeof(cap), 0) == 0;
	ck_assert_int_eq(close(fd), 0);
	fd = openat(src, "d", O_RDONLY | O_CLOEXEC);
	ck_assert(!user || fsetxattr(fd, "user.note", "de", 2, 0) == 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_msg(copy_tree_at(src, dst, &e) == 0, "%s", e.text);
	fd = openat(dst, "f", O_RDONLY | O_CLOEXEC);
	ck_assert(!user || fgetxattr(fd, "user.note", value, sizeof(value)) == 3);
	ck_assert(!file_cap || fgetxattr(fd, "security.capability", value, sizeof(value)) == sizeof(cap));
	ck_assert_int_eq(close(fd), 0);
	fd = openat(dst, "d", O_RDONLY | O_CLOEXEC);
	ck_assert(!user || fgetxattr(fd, "user.note", value, sizeof(value)) == 2);
	ck_assert_int_eq(close(fd), 0);
	drop_pair(path, top, src, dst);
}
END_TEST

START_TEST(an_occupied_destination_is_an_error)
{
	int top, src, dst;
	char *path = make_pair(&top, &src, &dst);
	struct err e = ERR_INIT;

	put(src, "f", "new", 3, 0644);
	ck_assert_int_eq(symlinkat("/etc/passwd", dst, "f"), 0);
	ck_assert_int_eq(copy_tree_at(src, dst, &e), -EEXIST);
	ck_assert_str_eq(e.text, "copy f: File exists");
	ck_assert_int_lt(copy_tree_at(FD_NONE, dst, &e), 0);
	drop_pair(path, top, src, dst);
}
END_TEST

START_TEST(deep_trees_with_few_descriptors)
{
	struct rlimit lim = { 96, 96 };
	int top, src, dst, at;
	char *path = make_pair(&top, &src, &dst);
	struct err e = ERR_INIT;
	uint64_t a = 0, b = 0;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
	at = dup(src);
	for (int i = 0; i < 3000; i++) {
		int next;

		ck_assert_int_eq(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_eq(close(at), 0);
		at = next;
	}
	put(at, "leaf", "x", 1, 0644);
	ck_assert_int_eq(close(at), 0);
	ck_assert_msg(copy_tree_at(src, dst, &e) == 0, "%s", e.text);
	ck_assert_int_eq(tree_size_at(top, "src", &a), 0);
	ck_assert_int_eq(tree_size_at(top, "dst", &b), 0);
	ck_assert_uint_eq(a, b);
	drop_pair(path, top, src, dst);
}
END_TEST

START_TEST(size_counts_links_once)
{
	int top, src, dst;
	char *path = make_pair(&top, &src, &dst), block[100000];
	uint64_t before = 0, after = 0, file = 0;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)i;
	put(src, "f", block, sizeof(block), 0644);
	ck_assert_int_eq(fsync(src), 0);
	ck_assert_int_eq(tree_size_at(top, "src", &before), 0);
	for (int i = 0; i < 200; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "l%d", i);
		ck_assert_int_eq(linkat(src, "f", src, name, 0), 0);
	}
	ck_assert_int_eq(tree_size_at(top, "src", &after), 0);
	ck_assert_int_eq(tree_size_at(src, "f", &file), 0);
	ck_assert_uint_ge(file, sizeof(block) / 2);
	ck_assert_uint_ge(before, file);
	ck_assert_uint_lt(after, before + 65536); /* the directory may have grown */
	ck_assert_int_eq(tree_size_at(top, "no", &after), -ENOENT);
	drop_pair(path, top, src, dst);
}
END_TEST

START_TEST(mounts_are_not_entered)
{
	int top, src, dst;
	char *path, block[50000] = { 1 };
	struct err e = ERR_INIT;
	uint64_t before = 0, after = 0;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		return; /* needs to mount */
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	path = make_pair(&top, &src, &dst);
	ck_assert_int_eq(mkdirat(src, "m", 0755) | mkdirat(top, "data", 0755), 0);
	put(top, "data/big", block, sizeof(block), 0644);
	ck_assert_int_eq(tree_size_at(top, "src", &before), 0);
	ck_assert_int_eq(fchdir(top), 0);
	ck_assert_int_eq(mount("data", "src/m", NULL, MS_BIND, NULL), 0); /* same device */
	ck_assert_int_eq(tree_size_at(top, "src", &after), 0);
	ck_assert_uint_lt(after, before + sizeof(block) / 2);
	ck_assert_int_eq(copy_tree_at(src, dst, &e), -EBUSY);
	ck_assert_str_eq(e.text, "m is a mount point");
	ck_assert_int_eq(umount2("src/m", 0) | chdir("/"), 0);
	drop_pair(path, top, src, dst);
}
END_TEST

int main(void)
{
	return SUITE_RUN("fscopy", copy, copy_without_copy_file_range, copy_across_file_systems,
			 holes_stay_holes, extended_attributes, an_occupied_destination_is_an_error,
			 deep_trees_with_few_descriptors, size_counts_links_once, mounts_are_not_entered);
}
