/* alloc: copies, and death instead of a short block. */
#include "tests/unit/suite.h"

#include <stdint.h>
#include <sys/wait.h>

#include "base/alloc.h"

START_TEST(copies)
{
	auto_free char *a = xstrdup("abc"), *b = xstrndup("abcdef", 3), *c = xstrndup("ab", 9);
	auto_free char *d = xmemdup("a\0b", 3), *f = xasprintf("%d-%s", 5, "x");

	ck_assert_str_eq(a, "abc");
	ck_assert_str_eq(b, "abc");
	ck_assert_str_eq(c, "ab");
	ck_assert_mem_eq(d, "a\0b", 3);
	ck_assert_str_eq(f, "5-x");
	ck_assert_ptr_null(xstrdup(NULL));
	ck_assert_ptr_null(xstrndup(NULL, 3));
	ck_assert_ptr_null(xmemdup(NULL, 3));
}
END_TEST

START_TEST(nothing_is_a_block_too)
{
	auto_free void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xreallocarray(NULL, 0, 8);

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_nonnull(c);
}
END_TEST

/* Status of a child that runs @f. */
static int in_child(void (*f)(size_t), size_t n)
{
	int status = -1, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = fork();

	if (pid == 0) {
		(void)dup2(null, STDERR_FILENO);
		f(n);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	(void)close(null);
	return status;
}

static void grow_to(size_t n)
{
	free(xreallocarray(NULL, n, 4));
}

static void zeroed(size_t n)
{
	free(xcalloc(n, 4));
}

/* By SIGABRT, or by the exit of a sanitizer, which looks at products itself. */
START_TEST(overflow_of_a_product_ends_the_program)
{
	ck_assert_int_ne(in_child(grow_to, SIZE_MAX / 2), 0);
	ck_assert_int_ne(in_child(zeroed, SIZE_MAX / 2), 0);
	ck_assert_int_eq(in_child(grow_to, 2), 0);
	ck_assert_int_eq(in_child(zeroed, 2), 0);
}
END_TEST

int main(void)
{
	return SUITE_RUN("alloc", copies, nothing_is_a_block_too, overflow_of_a_product_ends_the_program);
}
