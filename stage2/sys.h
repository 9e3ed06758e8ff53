/*
 * sys — what libc does not wrap, and the few lines of text work that stage2 needs.
 *
 * Every wrapper returns >= 0 or -errno.  No heap, no stdio.
 */
#pragma once

#include <errno.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/close_range.h, Linux 5.11 */
#define SYS_CLOSE_RANGE_CLOEXEC 4u

static inline int sys_ret(long r)
{
	return r < 0 ? -errno : (int)r;
}

static inline int sys_clone3(struct clone_args *a)
{
	return sys_ret(syscall(SYS_clone3, a, sizeof(*a)));
}

/* Open @path with @dirfd as "/"; magic links are refused (Linux 5.6). */
static inline int sys_open_in_root(int dirfd, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return sys_ret(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
}

static inline int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return sys_ret(syscall(SYS_close_range, first, last, flags));
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return sys_ret(syscall(SYS_pivot_root, new_root, put_old));
}

/* Put @caps into the three sets of this thread. */
static inline int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};

	return sys_ret(syscall(SYS_capset, &h, d));
}

/* Copy @s to @at of @dst, cut to fit, always NUL-terminated; returns the new length (< size). */
static inline size_t text_put(char *dst, size_t size, size_t at, const char *s)
{
	size_t n = strlen(s);

	if (n > size - 1 - at)
		n = size - 1 - at;
	memcpy(dst + at, s, n);
	dst[at + n] = '\0';
	return at + n;
}

/* Decimal form of @v at @at; as text_put. */
static inline size_t text_put_uint(char *dst, size_t size, size_t at, uint64_t v)
{
	char digits[24];
	size_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return text_put(dst, size, at, digits + i);
}

/* One line on standard error, for callers that did not keep to the contract. */
static inline void say(const char *program, const char *text)
{
	char line[256];
	size_t n = text_put(line, sizeof(line) - 1, 0, program);

	n = text_put(line, sizeof(line) - 1, n, ": ");
	n = text_put(line, sizeof(line) - 1, n, text);
	line[n++] = '\n';
	if (write(2, line, n) < 0)
		return; /* nobody listens */
}

/* Close every descriptor from 3 up that is not among @keep[0..n), which is sorted in place.
 * @proc_fd: a procfs, for kernels without close_range(2) (Linux 5.9).  0 or -errno. */
int fds_close_but(int proc_fd, int *keep, size_t n);
