/* lock: exclusion, probing, and lock files that are deleted under us. */
#include "tests/unit/suite.h"

#include <sched.h>
#include <sys/wait.h>

#include "base/lock.h"

START_TEST(exclusive_excludes)
{
	char *path;
	int dir = suite_make_dir(&path), other = open(path, O_RDONLY | O_DIRECTORY),
	    third = open(path, O_RDONLY);

	ck_assert_int_eq(lock_probe(other), 0);
	ck_assert_int_eq(lock_fd(dir, LOCK_EXCL, 0), 0);
	ck_assert_int_eq(lock_probe(other), 1);
	ck_assert_int_eq(lock_fd(other, LOCK_EXCL, 0), -EWOULDBLOCK);
	ck_assert_int_eq(lock_fd(other, LOCK_SHARED, 0), -EWOULDBLOCK);
	ck_assert_int_eq(unlock_fd(dir), 0);
	ck_assert_int_eq(lock_probe(other), 0);
	ck_assert_int_eq(lock_fd(other, LOCK_SHARED, 0), 0);
	ck_assert_int_eq(lock_fd(third, LOCK_SHARED, 0), 0);
	ck_assert_int_eq(lock_probe(dir), 0); /* shared ones are not exclusive ones */
	ck_assert_int_eq(lock_fd(dir, LOCK_EXCL, 0), -EWOULDBLOCK);
	ck_assert_int_eq(close(other) | close(third), 0);
	ck_assert_int_eq(lock_fd(dir, LOCK_EXCL, 1), 0);
	suite_drop_dir(dir, path);
}
END_TEST

START_TEST(bad_descriptor)
{
	ck_assert_int_eq(lock_fd(FD_NONE, LOCK_EXCL, 1), -EBADF);
	ck_assert_int_eq(lock_probe(FD_NONE), -EBADF);
}
END_TEST

START_TEST(lock_survives_fork_until_the_last_copy_closes)
{
	char *path;
	int dir = suite_make_dir(&path), other = open(path, O_RDONLY), p[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(lock_fd(dir, LOCK_EXCL, 0), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(p[1]);
		_exit(read(p[0], &c, 1) != 0);
	}
	ck_assert_int_eq(close(dir), 0);
	ck_assert_int_eq(lock_probe(other), 1);
	ck_assert_int_eq(close(p[1]), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(lock_probe(other), 0);
	suite_drop_dir(other, path);
}
END_TEST

START_TEST(lock_file)
{
	char *path;
	int dir = suite_make_dir(&path), a = lock_file_at(dir, "l", LOCK_EXCL, 0), b;

	ck_assert_int_ge(a, 0);
	ck_assert_int_eq(lock_file_at(dir, "l", LOCK_EXCL, 0), -EWOULDBLOCK);
	/* Deleted while locked: a newcomer makes a new file and gets a lock at once. */
	ck_assert_int_eq(unlinkat(dir, "l", 0), 0);
	b = lock_file_at(dir, "l", LOCK_EXCL, 0);
	ck_assert_int_ge(b, 0);
	ck_assert_int_eq(close(a) | close(b), 0);
	ck_assert_int_eq(symlinkat("elsewhere", dir, "s"), 0);
	ck_assert_int_eq(lock_file_at(dir, "s", LOCK_EXCL, 0), -ELOOP);
	ck_assert_int_eq(lock_file_at(dir, "no/l", LOCK_EXCL, 0), -ENOENT);
	suite_drop_dir(dir, path);
}
END_TEST

/* Has process @pid a file of this path open? */
static bool has_open(pid_t pid, const char *path)
{
	char dir[64], text[4096];
	struct dirent *ent;

	(void)snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	auto_closedir DIR *d = opendir(dir);

	while (d && (ent = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), ent->d_name, text, sizeof(text) - 1);

		text[n < 0 ? 0 : n] = '\0';
		if (strcmp(text, path) == 0)
			return true;
	}
	return false;
}

START_TEST(waiter_notices_that_the_file_was_replaced)
{
	char *path;
	int dir = suite_make_dir(&path), a = lock_file_at(dir, "l", LOCK_EXCL, 0), status, told[2];
	auto_free char *file = NULL;
	char c;
	pid_t pid;

	ck_assert_int_ge(asprintf(&file, "%s/l", path), 0);
	ck_assert_int_eq(pipe(told), 0);
	pid = fork();

	if (pid == 0) {
		int mine;

		(void)close(a);
		if (write(told[1], "", 1) != 1)
			_exit(2);
		mine = lock_file_at(dir, "l", LOCK_EXCL, 1);
		/* What we hold must be what has the name now. */
		_exit(mine >= 0 && lock_file_at(dir, "l", LOCK_EXCL, 0) == -EWOULDBLOCK ? 0 : 1);
	}
	ck_assert_int_eq((int)read(told[0], &c, 1), 1);
	while (!has_open(pid, file)) /* it holds nothing of this name but what it opens now */
		(void)sched_yield();
	ck_assert_int_eq(write_file_at(dir, "l", "", 0, 0600, 0), 0); /* another file of that name */
	ck_assert_int_eq(close(a), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	suite_drop_dir(dir, path);
}
END_TEST

int main(void)
{
	return SUITE_RUN("lock", exclusive_excludes, bad_descriptor,
			 lock_survives_fork_until_the_last_copy_closes, lock_file,
			 waiter_notices_that_the_file_was_replaced);
}
