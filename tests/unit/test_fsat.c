/*
 * fsat: resolution inside a root that somebody else made, making, replacing, reading, deleting.
 *
 * The resolution cases run three times: with openat2(2), without it (ENOSYS) and with a profile
 * that refuses it (EPERM).
 */
#include "tests/unit/suite.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"

static void put(int dir, const char *name, const char *text)
{
	ck_assert_int_eq(write_file_at(dir, name, text, strlen(text), 0644, 0), 0);
}

/* What is read through open_in_root, or "-errno". */
static const char *got(int root, const char *path, int flags)
{
	static char text[64];
	int fd = open_in_root(root, path, flags | O_NONBLOCK, 0), n;

	if (fd < 0) {
		(void)snprintf(text, sizeof(text), "%s", strerrorname_np(-fd));
		return text;
	}
	n = (int)read(fd, text, sizeof(text) - 1);
	if (n < 0)
		(void)snprintf(text, sizeof(text), "dir");
	else
		text[n] = '\0';
	(void)close(fd);
	return text;
}

/* DIR/root is the root, DIR/secret is outside. */
static int make_root(char **path, int *dir)
{
	int root;

	*dir = suite_make_dir(path);
	put(*dir, "secret", "outside");
	ck_assert_int_eq(mkdir_p_at(*dir, "root/a/b", 0755), 0);
	root = openat(*dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	put(root, "top", "top");
	put(root, "a/file", "file");
	put(root, "secret", "inside");
	ck_assert_int_eq(symlinkat("/top", root, "abs"), 0);
	ck_assert_int_eq(symlinkat("../top", root, "a/rel"), 0);
	ck_assert_int_eq(symlinkat("/top", root, "a/b/abs"), 0);
	ck_assert_int_eq(symlinkat("../../../../../secret", root, "a/b/climb"), 0);
	ck_assert_int_eq(symlinkat("/a/b", root, "dirlink"), 0);
	ck_assert_int_eq(symlinkat("loop2", root, "loop1"), 0);
	ck_assert_int_eq(symlinkat("loop1", root, "loop2"), 0);
	ck_assert_int_eq(symlinkat("/nowhere", root, "dangling"), 0);
	ck_assert_int_eq(symlinkat("/..", root, "up"), 0);
	return root;
}

static const struct {
	const char *path;
	int flags;
	const char *result;
} resolved[] = {
	{ "top", O_RDONLY, "top" },
	{ "/top", O_RDONLY, "top" },
	{ "//a/./file", O_RDONLY, "file" },
	{ "a/../top", O_RDONLY, "top" },
	{ "a/b/../file", O_RDONLY, "file" },
	{ "abs", O_RDONLY, "top" },
	{ "a/rel", O_RDONLY, "top" },
	{ "a/b/abs", O_RDONLY, "top" },
	{ "dirlink/abs", O_RDONLY, "top" },
	{ "../../secret", O_RDONLY, "inside" },
	{ "/../secret", O_RDONLY, "inside" },
	{ "a/b/climb", O_RDONLY, "inside" },
	{ "dirlink/climb", O_RDONLY, "inside" },
	{ "dirlink/../file", O_RDONLY, "file" },
	{ "dirlink/../../../secret", O_RDONLY, "inside" },
	{ "up/secret", O_RDONLY, "inside" },
	{ "a", O_RDONLY, "dir" },
	{ "/", O_RDONLY, "dir" },
	{ "..", O_RDONLY, "dir" },
	{ ".", O_RDONLY, "dir" },
	{ "a/", O_RDONLY, "dir" },
	{ "dirlink/", O_RDONLY | O_NOFOLLOW, "dir" },
	{ "dirlink", O_RDONLY | O_DIRECTORY, "dir" },
	{ "abs", O_RDONLY | O_NOFOLLOW, "ELOOP" },
	{ "loop1", O_RDONLY, "ELOOP" },
	{ "loop1/x", O_RDONLY, "ELOOP" },
	{ "dangling", O_RDONLY, "ENOENT" },
	{ "missing", O_RDONLY, "ENOENT" },
	{ "missing/..", O_RDONLY, "ENOENT" },
	{ "", O_RDONLY, "ENOENT" },
	{ "top/", O_RDONLY, "ENOTDIR" },
	{ "top/x", O_RDONLY, "ENOTDIR" },
	{ "top/..", O_RDONLY, "ENOTDIR" },
	{ "top", O_RDONLY | O_DIRECTORY, "ENOTDIR" },
	{ "abs/", O_RDONLY, "ENOTDIR" },
};

static void resolve_all(void)
{
	char *path, name[NAME_MAX + 2], longest[PATH_MAX + 2];
	int dir, root = make_root(&path, &dir), fd;
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(resolved); i++) {
		const char *r = got(root, resolved[i].path, resolved[i].flags);

		ck_assert_msg(strcmp(r, resolved[i].result) == 0, "%s: %s", resolved[i].path, r);
	}
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_str_eq(got(root, name, O_RDONLY), "ENAMETOOLONG");
	memset(longest, '/', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_str_eq(got(root, longest, O_RDONLY), "ENAMETOOLONG");
	fd = open_in_root(root, "abs", O_PATH | O_NOFOLLOW, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	(void)close(fd);
	(void)close(root);
	suite_drop_dir(dir, path);
}

/* 40 links in a row are followed, 41 are too many. */
static void count_links(void)
{
	char *path, name[16], next[16];
	int dir = suite_make_dir(&path);

	put(dir, "l0", "end");
	for (int i = 1; i <= 41; i++) {
		(void)snprintf(name, sizeof(name), "l%d", i);
		(void)snprintf(next, sizeof(next), "l%d", i - 1);
		ck_assert_int_eq(symlinkat(next, dir, name), 0);
	}
	ck_assert_str_eq(got(dir, "l40", O_RDONLY), "end");
	ck_assert_str_eq(got(dir, "l41", O_RDONLY), "ELOOP");
	suite_drop_dir(dir, path);
}

static void create_inside(void)
{
	char *path;
	int dir, root = make_root(&path, &dir), fd;
	struct stat st;

	fd = open_in_root(root, "/a/new", O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(fstatat(root, "a/new", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(open_in_root(root, "/a/new", O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
	ck_assert_int_eq(open_in_root(root, "dangling", O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
	fd = open_in_root(root, "dangling", O_WRONLY | O_CREAT, 0600); /* a link to a new file inside */
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(faccessat(root, "nowhere", F_OK, 0), 0);
	fd = open_in_root(root, "../outside", O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(faccessat(dir, "outside", F_OK, 0), -1);
	ck_assert_int_eq(open_in_root(root, "no/file", O_WRONLY | O_CREAT, 0600), -ENOENT);
	ck_assert_int_eq(open_in_root(root, "a", O_WRONLY | O_CREAT, 0600), -EISDIR);
	(void)close(root);
	suite_drop_dir(dir, path);
}

static void beneath(void)
{
	char *path;
	int dir, root = make_root(&path, &dir), fd = open_beneath(root, "a/./b/../file", O_RDONLY, 0);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(open_beneath(root, "/top", O_RDONLY, 0), -EXDEV);
	ck_assert_int_eq(open_beneath(root, "../secret", O_RDONLY, 0), -EXDEV);
	ck_assert_int_eq(open_beneath(root, "a/../../secret", O_RDONLY, 0), -EXDEV);
	ck_assert_int_eq(open_beneath(root, "abs", O_RDONLY, 0), -ELOOP);
	ck_assert_int_eq(open_beneath(root, "dirlink/climb", O_RDONLY, 0), -ELOOP);
	fd = open_beneath(root, "abs", O_PATH | O_NOFOLLOW, 0);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	(void)close(root);
	suite_drop_dir(dir, path);
}

static void magic_links(void)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	ck_assert_int_eq(open_in_root(proc, "self/exe", O_RDONLY, 0), -ELOOP);
	ck_assert_int_eq(open_in_root(proc, "self/root/etc/passwd", O_RDONLY, 0), -ELOOP);
	ck_assert_int_eq(open_in_root(proc, "self/fd/0", O_RDONLY, 0), -ELOOP);
	fd = open_in_root(proc, "self/stat", O_RDONLY, 0); /* an ordinary link */
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	(void)close(proc);
}

static void everything(void)
{
	resolve_all();
	count_links();
	create_inside();
	beneath();
	magic_links();
}

START_TEST(resolution)
{
	everything();
}
END_TEST

START_TEST(resolution_without_openat2)
{
	suite_block_call(SYS_openat2, ENOSYS);
	everything();
}
END_TEST

START_TEST(resolution_with_openat2_refused)
{
	suite_block_call(SYS_openat2, EPERM);
	everything();
}
END_TEST

/* Swap a directory with a link to the outside, and a file with one, until killed. */
static void swap_for_ever(int root)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* also when the test fails */
	for (;;) {
		(void)renameat2(root, "x", root, "y", RENAME_EXCHANGE);
		(void)renameat2(root, "f", root, "g", RENAME_EXCHANGE);
	}
}

START_TEST(walk_survives_a_swapped_link)
{
	char *path;
	int dir, root = make_root(&path, &dir), through_file = 0, through_link = 0;
	auto_free char *outside = NULL;
	pid_t pid;

	ck_assert_int_eq(mkdirat(root, "x", 0755), 0);
	put(root, "x/secret", "inside");
	ck_assert_int_eq(symlinkat("../../../../../../../..", root, "y"), 0);
	put(root, "f", "inside");
	ck_assert_int_ge(asprintf(&outside, "%s/secret", path), 0);
	ck_assert_int_eq(symlinkat(outside, root, "g"), 0);
	pid = fork();
	if (pid == 0)
		swap_for_ever(root);
	suite_block_call(SYS_openat2, ENOSYS);
	for (int i = 0; i < 1500; i++) {
		const char *r = got(root, "x/secret", O_RDONLY);

		/* Through the directory or, clamped, through the link: never the file outside. */
		ck_assert_msg(strcmp(r, "inside") == 0, "%s", r);
		r = got(root, "x/../top", O_RDONLY);
		ck_assert_msg(strcmp(r, "top") == 0, "%s", r);
		/* The link names a path that exists outside only. */
		r = got(root, "f", O_RDONLY);
		through_file += strcmp(r, "inside") == 0;
		through_link += strcmp(r, "ENOENT") == 0;
		ck_assert_msg(through_file + through_link == i + 1, "%s", r);
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	(void)close(root);
	suite_drop_dir(dir, path);
}
END_TEST

static void make_dirs_inside(void)
{
	char *path;
	int dir, root = make_root(&path, &dir), fd;
	mode_t old = umask(077);
	struct stat st;

	fd = mkdir_in_root(root, "/new/deep/er", 0755);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0755);
	(void)close(fd);
	(void)umask(old);
	fd = mkdir_in_root(root, "a/b", 0700); /* existing ones keep their mode */
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0755);
	(void)close(fd);
	fd = mkdir_in_root(root, "dirlink/under", 0755);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(faccessat(root, "a/b/under", F_OK, 0), 0);
	fd = mkdir_in_root(root, "dangling/x", 0755); /* a link to a directory that is not there yet */
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(faccessat(root, "nowhere/x", F_OK, 0), 0);
	fd = mkdir_in_root(root, "../../out/x", 0755);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(faccessat(dir, "out", F_OK, 0), -1);
	ck_assert_int_eq(mkdir_in_root(root, "top/x", 0755), -ENOTDIR);
	ck_assert_int_eq(mkdir_in_root(root, "top", 0755), -ENOTDIR);
	ck_assert_int_eq(mkdir_in_root(root, "loop1/x", 0755), -ELOOP);
	ck_assert_int_eq(mkdir_in_root(root, "", 0755), -ENOENT);
	fd = mkdir_in_root(root, "/", 0755);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	(void)close(root);
	suite_drop_dir(dir, path);
}

START_TEST(mkdir_inside)
{
	make_dirs_inside();
}
END_TEST

START_TEST(mkdir_inside_without_openat2)
{
	suite_block_call(SYS_openat2, ENOSYS);
	make_dirs_inside();
}
END_TEST

START_TEST(mkdir_p)
{
	char *path;
	int dir = suite_make_dir(&path);
	mode_t old = umask(077);
	struct stat st;

	ck_assert_int_eq(mkdir_p_at(dir, "a/b/c", 0750), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "a/b/c", 0700), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "a/b/c/", 0700), 0);
	ck_assert_int_eq(fstatat(dir, "a/b", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0750);
	put(dir, "file", "x");
	ck_assert_int_eq(mkdir_p_at(dir, "file", 0700), -ENOTDIR);
	ck_assert_int_eq(mkdir_p_at(dir, "file/x", 0700), -ENOTDIR);
	ck_assert_int_eq(mkdir_p_at(dir, "", 0700), -ENOENT);
	ck_assert_int_eq(fchmod(dir, 02770), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "s", 0750), 0);
	ck_assert_int_eq(fstatat(dir, "s", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 02750); /* set-group-id is inherited */
	(void)umask(old);
	suite_drop_dir(dir, path);
}
END_TEST

/* Number of entries of a directory. */
static int entries(int dir)
{
	auto_closedir DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int n = -2;

	while (readdir(d))
		n++;
	return n;
}

START_TEST(replace_file)
{
	char *path;
	int dir = suite_make_dir(&path), handle;
	mode_t old = umask(022);
	auto_buf b = BUF_INIT;
	struct stat st;

	ck_assert_int_eq(write_file_at(dir, "f", "one", 3, 0644, 0), 0);
	ck_assert_int_eq(write_file_at(dir, "f", "two", 3, 0640, FS_SYNC), 0);
	(void)umask(old);
	ck_assert_int_eq(read_file_at(dir, "f", 3, &b), 0);
	ck_assert_str_eq(buf_str(&b), "two");
	ck_assert_int_eq(fstatat(dir, "f", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(entries(dir), 1);
	/* A link is replaced, not written through. */
	ck_assert_int_eq(symlinkat("f", dir, "l"), 0);
	ck_assert_int_eq(write_file_at(dir, "l", "three", 5, 0600, 0), 0);
	buf_clear(&b);
	ck_assert_int_eq(read_file_at(dir, "f", 9, &b), 0);
	ck_assert_str_eq(buf_str(&b), "two");
	ck_assert_int_eq(mkdirat(dir, "d", 0755), 0);
	handle = openat(dir, "d", O_PATH | O_CLOEXEC);
	ck_assert_int_eq(write_file_at(handle, "g", "", 0, 0600, FS_SYNC), 0);
	ck_assert_int_eq(write_file_at(dir, "d/h", "x", 1, 0600, FS_SYNC), 0);
	ck_assert_int_eq(faccessat(dir, "d/h", F_OK, 0), 0);
	ck_assert_int_eq(write_file_at(dir, "d", "x", 1, 0600, 0), -EISDIR);
	ck_assert_int_eq(write_file_at(dir, "no/f", "x", 1, 0600, 0), -ENOENT);
	ck_assert_int_eq(entries(dir), 3); /* and no temporary file of the failed ones */
	(void)close(handle);
	suite_drop_dir(dir, path);
}
END_TEST

START_TEST(full_disk_keeps_the_old_file)
{
	char *path;
	int dir = suite_make_dir(&path);
	struct rlimit lim = { 4096, 4096 };
	auto_buf b = BUF_INIT;
	char big[8192] = { 0 };

	put(dir, "f", "old");
	ck_assert_ptr_ne(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	ck_assert_int_eq(write_file_at(dir, "f", big, sizeof(big), 0600, 0), -EFBIG);
	ck_assert_int_eq(read_file_at(dir, "f", 9, &b), 0);
	ck_assert_str_eq(buf_str(&b), "old");
	ck_assert_int_eq(entries(dir), 1);
	suite_drop_dir(dir, path);
}
END_TEST

START_TEST(read_only_regular_files)
{
	char *path;
	int dir = suite_make_dir(&path);
	auto_buf b = BUF_INIT;

	put(dir, "f", "12345");
	ck_assert_int_eq(read_file_at(dir, "f", 4, &b), -EFBIG);
	ck_assert_int_eq(read_file_at(dir, "f", 5, &b), 0);
	ck_assert_int_eq(symlinkat("f", dir, "l"), 0);
	ck_assert_int_eq(read_file_at(dir, "l", 5, &b), -ELOOP);
	ck_assert_int_eq(mkfifoat(dir, "p", 0600), 0);
	ck_assert_int_eq(read_file_at(dir, "p", 5, &b), -EINVAL); /* and does not wait for a writer */
	ck_assert_int_eq(read_file_at(dir, ".", 5, &b), -EINVAL);
	ck_assert_int_eq(read_file_at(dir, "no", 5, &b), -ENOENT);
	ck_assert_int_eq(read_file_at(AT_FDCWD, "/proc/version", 4096, &b), 0); /* says it has no size */
	ck_assert_uint_gt(b.len, 5);
	suite_drop_dir(dir, path);
}
END_TEST

START_TEST(remove_tree)
{
	char *path;
	int dir = suite_make_dir(&path);
	struct err e = ERR_INIT;

	put(dir, "keep", "x");
	ck_assert_int_eq(mkdir_p_at(dir, "t/a/b", 0755), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "t/empty", 0755), 0);
	put(dir, "t/a/f", "x");
	ck_assert_int_eq(symlinkat("../../keep", dir, "t/a/l"), 0);
	ck_assert_int_eq(symlinkat("..", dir, "t/updir"), 0);
	ck_assert_int_eq(mkfifoat(dir, "t/p", 0), 0);
	ck_assert_int_eq(fchmodat(dir, "t/a", 0, 0), 0);
	ck_assert_msg(rm_tree_at(dir, "t", &e) == 0, "%s", e.text);
	ck_assert_int_eq(faccessat(dir, "t", F_OK, 0), -1);
	ck_assert_int_eq(rm_tree_at(dir, "t", &e), 0); /* missing is success */
	ck_assert_int_eq(rm_tree_at(dir, "no/t", &e), 0);
	ck_assert_int_eq(symlinkat(".", dir, "self"), 0);
	ck_assert_int_eq(rm_tree_at(dir, "self", &e), 0); /* the link */
	ck_assert_int_eq(faccessat(dir, "keep", F_OK, 0), 0);
	ck_assert_int_eq(rm_tree_at(dir, "keep", &e), 0); /* a file */
	ck_assert_int_eq(rm_tree_at(FD_NONE, "x", &e), -EBADF);
	ck_assert_int_eq(entries(dir), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "x/y/z", 0755), 0);
	ck_assert_int_eq(rm_tree_at(dir, "x/y/", &e), 0);
	ck_assert_int_eq(faccessat(dir, "x/y", F_OK, 0), -1);
	ck_assert_int_eq(faccessat(dir, "x", F_OK, 0), 0);
	ck_assert_int_eq(rm_tree_at(dir, "/", &e), -EBUSY);
	ck_assert_int_eq(rm_tree_at(dir, "", &e), 0);
	ck_assert_int_eq(rm_tree_at(dir, "x/..", &e), -EINVAL);
	ck_assert_int_eq(rm_tree_at(dir, ".", &e), -EINVAL);
	ck_assert_int_eq(faccessat(dir, "x", F_OK, 0), 0);
	suite_drop_dir(dir, path);
}
END_TEST

/* d/d/d/… below @dir; made and left by going down only. */
static void make_deep(int dir, const char *top, int depth)
{
	int at = dup(dir), next;

	for (int i = 0; i < depth; i++) {
		const char *name = i ? "d" : top;

		ck_assert_int_eq(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		(void)close(at);
		at = next;
	}
	put(at, "leaf", "x");
	(void)close(at);
}

START_TEST(remove_any_depth_with_few_descriptors)
{
	char *path;
	int dir = suite_make_dir(&path);
	struct rlimit lim = { 64, 64 };
	struct err e = ERR_INIT;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
	make_deep(dir, "t", 10000);
	ck_assert_msg(rm_tree_at(dir, "t", &e) == 0, "%s", e.text);
	ck_assert_int_eq(entries(dir), 0);
	suite_drop_dir(dir, path);
}
END_TEST

START_TEST(remove_never_enters_a_mount)
{
	char *path;
	int dir;
	struct err e = ERR_INIT;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		return; /* needs to mount */
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	dir = suite_make_dir(&path);
	ck_assert_int_eq(fchdir(dir), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "t/m", 0755), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "t/n", 0755), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "data", 0755), 0);
	put(dir, "data/precious", "x");
	ck_assert_int_eq(mount("data", "t/m", NULL, MS_BIND, NULL), 0); /* same device */
	ck_assert_int_eq(rm_tree_at(dir, "t", &e), -EBUSY);
	ck_assert_ptr_nonnull(strstr(e.text, "t/m"));
	ck_assert_int_eq(rm_tree_at(dir, "t/m", &e), -EBUSY);
	ck_assert_int_eq(faccessat(dir, "data/precious", F_OK, 0), 0);
	ck_assert_int_eq(umount2("t/m", 0), 0);
	ck_assert_int_eq(mkdir_p_at(dir, "t/n", 0755), 0);
	ck_assert_int_eq(mount("t", "t/n", "tmpfs", 0, "size=64k"), 0);
	put(dir, "t/n/precious", "x");
	ck_assert_int_eq(rm_tree_at(dir, "t", &e), -EBUSY);
	ck_assert_int_eq(faccessat(dir, "t/n/precious", F_OK, 0), 0);
	ck_assert_int_eq(umount2("t/n", 0), 0);
	ck_assert_int_eq(chdir("/"), 0);
	suite_drop_dir(dir, path);
}
END_TEST

START_TEST(remove_as_an_ordinary_owner)
{
	char *path;
	int dir = suite_make_dir(&path);
	struct err e = ERR_INIT;

	if (geteuid() == 0) {
		ck_assert_int_eq(fchown(dir, 65534, 65534), 0);
		ck_assert_int_eq(setegid(65534), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	ck_assert_int_eq(mkdir_p_at(dir, "t/closed", 0755), 0);
	put(dir, "t/closed/f", "x");
	ck_assert_int_eq(fchmodat(dir, "t/closed", 0, 0), 0);
	ck_assert_msg(rm_tree_at(dir, "t", &e) == 0, "%s", e.text);
	ck_assert_int_eq(seteuid(getuid()), 0);
	suite_drop_dir(dir, path);
}
END_TEST

int main(void)
{
	return SUITE_RUN("fsat", resolution, resolution_without_openat2, resolution_with_openat2_refused,
			 walk_survives_a_swapped_link, mkdir_inside, mkdir_inside_without_openat2, mkdir_p,
			 replace_file, full_disk_keeps_the_old_file, read_only_regular_files, remove_tree,
			 remove_any_depth_with_few_descriptors, remove_never_enters_a_mount,
			 remove_as_an_ordinary_owner);
}
