/* log: lines on standard error. */
#include "tests/unit/suite.h"

#include "base/fd.h"
#include "base/log.h"

/* Standard error of @f under @level. */
static char *captured(enum log_level level, void (*f)(void))
{
	struct buf out = BUF_INIT;
	int p[2], err_fd = dup(2);

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(dup2(p[1], 2), 2);
	log_setup("rkt: run", level);
	f();
	ck_assert_int_eq(dup2(err_fd, 2), 2);
	ck_assert_int_eq(close(p[1]) | close(err_fd), 0);
	ck_assert_int_eq(fd_read_all(p[0], 65536, &out), 0);
	ck_assert_int_eq(close(p[0]), 0);
	return buf_steal(&out);
}

static void all(void)
{
	log_error("e %d", 1);
	log_warn("w");
	log_info("i");
	log_debug("d");
}

static void hostile(void)
{
	log_error("pod \"%s\"", "a\x1b]0;title\x07\nrkt: fake: line");
}

static void keeps_errno(void)
{
	errno = EXDEV;
	log_error("x");
	ck_assert_int_eq(errno, EXDEV);
}

START_TEST(levels)
{
	auto_free char *quiet = captured(LOG_QUIET, all), *normal = captured(LOG_NORMAL, all);
	auto_free char *verbose = captured(LOG_VERBOSE, all);

	ck_assert_str_eq(quiet, "rkt: run: e 1\n");
	ck_assert_str_eq(normal, "rkt: run: e 1\nrkt: run: warning: w\nrkt: run: i\n");
	ck_assert_str_eq(verbose, "rkt: run: e 1\nrkt: run: warning: w\nrkt: run: i\nrkt: run: d\n");
	ck_assert_int_eq(log_get_level(), LOG_VERBOSE);
	ck_assert_str_eq(log_get_prefix(), "rkt: run");
}
END_TEST

START_TEST(one_record_is_one_line)
{
	auto_free char *s = captured(LOG_NORMAL, hostile), *t = captured(LOG_NORMAL, keeps_errno);

	ck_assert_str_eq(s, "rkt: run: pod \"a\\x1b]0;title\\x07\\x0arkt: fake: line\"\n");
	ck_assert_str_eq(t, "rkt: run: x\n");
}
END_TEST

int main(void)
{
	return SUITE_RUN("log", levels, one_record_is_one_line);
}
