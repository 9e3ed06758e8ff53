/* requests: who asks the supervisor of a mutable pod gets exactly one answer, and nobody can confuse it. */
#include "tests/unit/suite.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fd.h"
#include "stage1/contract.h"
#include "stage1/lib/requests.h"

static char *dir_path;
static int dir = FD_NONE, control[2];
static struct requests q;

static void before(void)
{
	struct err e = ERR_INIT;

	dir = suite_make_dir(&dir_path);
	ck_assert_int_eq(fchdir(dir), 0);
	ck_assert_int_eq(mkdir_p_at(dir, CONTRACT_DIR_STATUS, 0750), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	q = (struct requests)REQUESTS_INIT;
	OK(requests_open(&q, &e));
}

static void after(void)
{
	requests_close(&q);
	ck_assert_int_lt(access(CONTRACT_FILE_SOCKET, F_OK), 0);
	suite_drop_dir(dir, dir_path);
}

/* The supervisor's loop, until nothing is left to do. */
static void turn(void)
{
	struct pollfd p[REQUESTS_FDS];
	nfds_t n;

	while (n = requests_poll(&q, p), poll(p, n, 0) > 0)
		requests_react(&q, p, n, control[0], dir);
}

static int client(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = CONTRACT_FILE_SOCKET };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static int ask(uint32_t op, uint32_t slot, const char *name, bool with_plan)
{
	struct app_call c = { .op = op, .slot = slot };
	int fd = client();

	(void)snprintf(c.name, sizeof(c.name), "%s", name);
	ck_assert_int_eq(fd_send(fd, &c, sizeof(c), &fd, with_plan ? 1 : 0), 0);
	turn();
	return fd;
}

/* The answer: its type; 0: none yet; -1: the connection ended. */
static int answer(int fd, struct plan_msg *m)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, 0) == 0)
		return 0;
	return recv(fd, m, sizeof(*m), 0) == (ssize_t)sizeof(*m) ? (int)m->type : -1;
}

/* What init was told, 0: nothing. */
static uint32_t told(void)
{
	struct plan_msg m = { .type = 0 };
	struct pollfd p = { .fd = control[1], .events = POLLIN };
	int fd = FD_NONE;
	size_t n = 1;

	if (poll(&p, 1, 0) == 0)
		return 0;
	ck_assert_int_eq(fd_recv(control[1], &m, sizeof(m), &fd, &n), sizeof(m));
	fd_close(&fd);
	return m.type;
}

static void init_says(uint32_t type, int slot)
{
	struct plan_msg m = { .type = type, .app = slot };

	requests_tell(&q, &m);
}

START_TEST(a_life)
{
	struct plan_msg m;

	ck_assert_int_eq(write_file_at(dir, CONTRACT_DIR_STATUS "/web", "3\n", 2, 0644, 0), 0);
	auto_close int start = ask(APP_START, 5, "web", true);
	ck_assert_uint_eq(told(), MSG_APP_START);
	ck_assert_str_eq(requests_name(&q, 5), "web");
	ck_assert_int_lt(faccessat(dir, CONTRACT_DIR_STATUS "/web", F_OK, 0), 0);
	ck_assert_int_eq(answer(start, &m), 0);
	auto_close int again = ask(APP_START, 5, "web", true);
	ck_assert_int_eq(answer(again, &m), MSG_FAILED);
	ck_assert_int_eq(m.code, EBUSY);
	init_says(MSG_STARTED, 5);
	ck_assert_int_eq(answer(start, &m), MSG_STARTED);
	auto_close int rm = ask(APP_FORGET, 5, "web", false);
	ck_assert_int_eq(answer(rm, &m), MSG_FAILED);
	auto_close int one = ask(APP_STOP, 5, "web", false), two = ask(APP_STOP, 5, "web", false);
	ck_assert_uint_eq(told(), MSG_APP_STOP);
	init_says(MSG_EXITED, 5);
	ck_assert_int_eq(answer(one, &m), 0); /* a post-stop handler may still run */
	init_says(MSG_OVER, 5);
	ck_assert_int_eq(answer(one, &m), MSG_OVER);
	ck_assert_int_eq(answer(two, &m), MSG_OVER);
	ck_assert_int_eq(m.value, 0);
	auto_close int idle = ask(APP_STOP, 5, "web", false);
	ck_assert_int_eq(answer(idle, &m), MSG_OVER);
	ck_assert_int_eq(m.value, 1);
	auto_close int gone = ask(APP_FORGET, 5, "web", false);
	ck_assert_int_eq(answer(gone, &m), MSG_OVER);
	ck_assert_ptr_null(requests_name(&q, 5));
}
END_TEST

START_TEST(a_start_that_fails)
{
	struct plan_msg m;
	auto_close int failed = ask(APP_START, 0, "a", true);
	auto_close int ended = ask(APP_START, 1, "b", true);

	init_says(MSG_FAILED, 0);
	ck_assert_int_eq(answer(failed, &m), MSG_FAILED);
	init_says(MSG_OVER, 0);
	init_says(MSG_OVER, 1);
	ck_assert_int_eq(answer(ended, &m), MSG_FAILED);
	ck_assert_int_eq(m.code, ECANCELED);
	auto_close int bare = ask(APP_START, 0, "a", false);
	ck_assert_int_eq(answer(bare, &m), MSG_FAILED);
	auto_close int odd = ask(77, 0, "a", false);
	ck_assert_int_eq(answer(odd, &m), MSG_FAILED);
}
END_TEST

START_TEST(nonsense_ends_the_connection)
{
	static const struct {
		uint32_t slot;
		const char *name;
	} bad[] = { { PLAN_APPS_MAX, "a" }, { UINT32_MAX, "a" }, { 0, "" }, { 0, "a/b" } };
	struct plan_msg m;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_close int fd = ask(APP_START, bad[i].slot, bad[i].name, true);
		ck_assert_int_eq(answer(fd, &m), -1);
	}
	auto_close int shorter = client();
	ck_assert_int_eq(send(shorter, "x", 1, 0), 1);
	turn();
	ck_assert_int_eq(answer(shorter, &m), -1);
	ck_assert_uint_eq(told(), 0);
	init_says(MSG_STARTED, -1); /* nor does an answer that nobody waits for */
	init_says(MSG_OVER, 63);
}
END_TEST

START_TEST(more_clients_than_places)
{
	int fds[REQUESTS_MAX + 1];
	struct plan_msg m;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = client();
	turn();
	ck_assert_int_eq(answer(fds[REQUESTS_MAX], &m), -1);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fd_close(&fds[i]);
	turn();
	auto_close int later = ask(APP_STOP, 0, "a", false);
	ck_assert_int_eq(answer(later, &m), MSG_OVER);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("requests", before, after, a_life, a_start_that_fails,
				 nonsense_ends_the_connection, more_clients_than_places);
}
