/* fd: whole transfers, keep-lists (with and without close_range), descriptors over sockets. */
#include "tests/unit/suite.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(read_and_write_whole)
{
	char out[10];
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write_full(p[1], "hello", 5), 0);
	ck_assert_int_eq(write_full(p[1], " you", 4), 0);
	ck_assert_int_eq(close(p[1]), 0);
	ck_assert_int_eq((int)read_full(p[0], out, 10), 9);
	ck_assert_mem_eq(out, "hello you", 9);
	ck_assert_int_eq((int)read_full(p[0], out, 10), 0);
	ck_assert_int_eq((int)read_full(FD_NONE, out, 10), -EBADF);
	ck_assert_int_eq(write_full(FD_NONE, out, 10), -EBADF);
}
END_TEST

START_TEST(read_all_has_a_limit)
{
	int fd = memfd_new("t");
	auto_buf b = BUF_INIT;
	char block[5000];

	memset(block, 'x', sizeof(block));
	ck_assert_int_eq(write_full(fd, block, sizeof(block)), 0);
	ck_assert_int_eq((int)lseek(fd, 0, SEEK_SET), 0);
	buf_adds(&b, "before:");
	ck_assert_int_eq(fd_read_all(fd, 5000, &b), 0);
	ck_assert_uint_eq(b.len, 5007);
	ck_assert_int_eq(b.data[b.len], 0);
	ck_assert_int_eq((int)lseek(fd, 0, SEEK_SET), 0);
	buf_clear(&b);
	ck_assert_int_eq(fd_read_all(fd, 4999, &b), -EFBIG);
	ck_assert_int_eq((int)lseek(fd, 0, SEEK_END), 5000);
	ck_assert_int_eq(fd_read_all(fd, 0, &b), 0);
	ck_assert_int_eq((int)lseek(fd, 0, SEEK_SET), 0);
	buf_clear(&b);
	ck_assert_int_eq(fd_read_all(fd, SIZE_MAX, &b), 0);
	ck_assert_uint_eq(b.len, 5000);
}
END_TEST

START_TEST(cloexec)
{
	int fd = memfd_new("t");

	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fd_set_cloexec(fd, false), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fd_set_cloexec(fd, true), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fd_set_cloexec(FD_NONE, true), -EBADF);
}
END_TEST

/* Numbers 10..20 are open, 12 and 15 are to stay. */
static void keep_two(void)
{
	const int keep[] = { 15, FD_NONE, 12, 12, 1 };

	for (int fd = 10; fd <= 20; fd++)
		ck_assert_int_eq(dup2(2, fd), fd);
	ck_assert_int_eq(fd_close_all_but(keep, ARRAY_LEN(keep)), 0);
	for (int fd = 3; fd <= 30; fd++)
		ck_assert_msg(is_open(fd) == (fd == 12 || fd == 15), "%d", fd);
	ck_assert(is_open(0) && is_open(1) && is_open(2));
}

/* In a process of its own: Check's descriptor for results is closed too. */
static int in_child(void (*f)(void), int blocked)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (blocked >= 0)
			suite_block_call(blocked, ENOSYS);
		f();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(keep_list)
{
	ck_assert_int_eq(in_child(keep_two, -1), 0);
}
END_TEST

START_TEST(keep_list_without_close_range)
{
	ck_assert_int_eq(in_child(keep_two, SYS_close_range), 0);
}
END_TEST

static void standard_ones(void)
{
	(void)close(0);
	(void)close(2);
	if (fd_ensure_std() != 0 || !is_open(0) || !is_open(2))
		_exit(1);
	if (write_full(2, "x", 1) != 0) /* writable */
		_exit(2);
}

START_TEST(ensure_std)
{
	ck_assert_int_eq(in_child(standard_ones, -1), 0);
}
END_TEST

START_TEST(sealed_memfd_does_not_change)
{
	int fd = memfd_new("t");

	ck_assert_int_eq(write_full(fd, "abc", 3), 0);
	ck_assert_int_eq(memfd_seal(fd), 0);
	ck_assert_int_eq(write_full(fd, "d", 1), -EPERM);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ck_assert_int_lt(memfd_seal(FD_NONE), 0);
}
END_TEST

START_TEST(descriptors_travel)
{
	int s[2], sent[2] = { memfd_new("a"), memfd_new("b") }, got[2] = { FD_NONE, FD_NONE };
	size_t n = 2;
	char msg[8];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	ck_assert_int_eq(write_full(sent[1], "xyz", 3), 0);
	ck_assert_int_eq(fd_send(s[0], "ab", 2, sent, 2), 0);
	ck_assert_int_eq((int)fd_recv(s[1], msg, sizeof(msg), got, &n), 2);
	ck_assert_mem_eq(msg, "ab", 2);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq((int)lseek(got[1], 0, SEEK_END), 3);
	ck_assert_int_eq(fd_send(s[0], "c", 1, NULL, 0), 0);
	n = 2;
	ck_assert_int_eq((int)fd_recv(s[1], msg, sizeof(msg), got, &n), 1);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(close(s[0]), 0);
	ck_assert_int_eq((int)fd_recv(s[1], msg, sizeof(msg), NULL, NULL), 0);
	ck_assert_int_eq(fd_send(s[1], "c", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
}
END_TEST

START_TEST(unwanted_descriptors_are_not_leaked)
{
	int s[2], fds[3] = { 0, 0, 0 }, got[1], lowest;
	size_t n = 1;
	char msg[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	lowest = dup(0);
	ck_assert_int_eq(close(lowest), 0);
	ck_assert_int_eq(fd_send(s[0], "a", 1, fds, 3), 0);
	ck_assert_int_eq((int)fd_recv(s[1], msg, sizeof(msg), got, &n), -EMSGSIZE);
	ck_assert_uint_eq(n, 0);
	ck_assert(!is_open(lowest));
	ck_assert_int_eq(fd_send(s[0], "abc", 3, fds, 1), 0);
	n = 1;
	ck_assert_int_eq((int)fd_recv(s[1], msg, sizeof(msg), got, &n), -EMSGSIZE);
	ck_assert(!is_open(lowest));
	ck_assert_int_eq(fd_send(s[0], "a", 1, fds, 254), -EINVAL); /* refused before it is read */
}
END_TEST

int main(void)
{
	return SUITE_RUN("fd", read_and_write_whole, read_all_has_a_limit, cloexec, keep_list,
			 keep_list_without_close_range, ensure_std, sealed_memfd_does_not_change,
			 descriptors_travel, unwanted_descriptors_are_not_leaked);
}
