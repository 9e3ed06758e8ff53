/* alloc: copies, and death instead of a short block. */
#include "tests/unit/suite.h"

#include <signal.h>
#include <stdint.h>

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

START_TEST(overflow_of_a_product_aborts)
{
	volatile size_t big = SIZE_MAX / 2;
	void *p = xreallocarray(NULL, big, 4);

	free(p);
}
END_TEST

START_TEST(overflow_of_a_zeroed_product_aborts)
{
	volatile size_t big = SIZE_MAX / 2;
	void *p = xcalloc(big, 4);

	free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alloc");
	TCase *good = tcase_create("good"), *bad = tcase_create("bad");
	SRunner *sr;
	int failed;

	tcase_add_test(good, copies);
	tcase_add_test(good, nothing_is_a_block_too);
	suite_add_tcase(s, good);
#if !defined(__SANITIZE_ADDRESS__)
	/* A sanitizer ends the program in its own way. */
	tcase_add_test_raise_signal(bad, overflow_of_a_product_aborts, SIGABRT);
	tcase_add_test_raise_signal(bad, overflow_of_a_zeroed_product_aborts, SIGABRT);
	suite_add_tcase(s, bad);
#else
	(void)bad;
	(void)overflow_of_a_product_aborts;
	(void)overflow_of_a_zeroed_product_aborts;
#endif
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
