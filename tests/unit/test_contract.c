/* test_contract — every name of stage1/contract.h stands in its prose twin, stage1/CONTRACT.md. */
#include "suite.h"

#include "base/buf.h"
#include "base/fd.h"

static void load(const char *path, struct buf *b)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s (tests run from the top of the tree)", path);
	ck_assert_int_eq(fd_read_all(fd, 1 << 20, b), 0);
}

START_TEST(every_name_has_its_prose)
{
	auto_buf header = BUF_INIT;
	auto_buf prose = BUF_INIT;
	int names = 0;

	load("stage1/contract.h", &header);
	load("stage1/CONTRACT.md", &prose);
	for (char *p = header.data; (p = strstr(p, "#define CONTRACT_")); p++) {
		char name[64];

		ck_assert_int_eq(sscanf(p, "#define %63[A-Z0-9_]", name), 1);
		ck_assert_msg(strstr(prose.data, name) != NULL, "%s is not in stage1/CONTRACT.md", name);
		names++;
	}
	ck_assert_int_gt(names, 15);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { every_name_has_its_prose };

	return suite_run("contract", tests, ARRAY_LEN(tests));
}
