/* requests: who asks the supervisor of a mutable pod gets exactly one answer, and nobody can confuse it. */
#include "tests/unit/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "stage1/contract.h"
#include "stage1/lib/podctx.h"
#include "stage1/lib/relay.h"
#include "stage1/lib/requests.h"
#include "stage1/lib/sandbox.h"

static char *dir_path;
static int dir = FD_NONE, control[2];
static struct requests q;
static struct podctx ctx = { .mutable_pod = true };
static struct sandbox box = { .ctx = &ctx };

/* Of app "web": what its last run, under our stage0 or another one, has left. */
static const char *const old_facts[] = { CONTRACT_DIR_STATUS "/web", CONTRACT_DIR_PIDS "/web",
					 CONTRACT_DIR_APPS "/web/" CONTRACT_APP_STATUS,
					 CONTRACT_DIR_APPS "/web/" CONTRACT_APP_PID };

static void before(void)
{
	struct err e = ERR_INIT;

	dir = suite_make_dir(&dir_path);
	ck_assert_int_eq(fchdir(dir), 0);
	for (size_t i = 0; i < ARRAY_LEN(old_facts); i++) {
		auto_free char *parent = xstrdup(old_facts[i]);

		*strrchr(parent, '/') = '\0';
		ck_assert_int_eq(mkdir_p_at(dir, parent, 0750), 0);
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	q = (struct requests)REQUESTS_INIT;
	OK(requests_open(&q, &e));
	q.relay = relay_new(&box, &e);
	ck_assert_ptr_nonnull(q.relay);
}

static void after(void)
{
	requests_close(&q);
	relay_free(q.relay);
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

/* Ask with @mode of the three streams and @fd; what init gets: the number of descriptors, into @fds. */
static size_t start_with(const enum stream_mode mode[3], uint32_t slot, int *fds, int *ret_client)
{
	struct app_call c = { .op = APP_START, .slot = slot, .name = "web" };
	struct pollfd p = { .fd = control[1], .events = POLLIN };
	struct plan_msg m;
	size_t n = 8;
	int fd = client();

	for (int i = 0; i < 3; i++)
		c.mode[i] = (uint8_t)mode[i];
	ck_assert_int_eq(fd_send(fd, &c, sizeof(c), &fd, 1), 0);
	turn();
	*ret_client = fd;
	if (poll(&p, 1, 0) == 0)
		return 0;
	ck_assert_int_eq(fd_recv(control[1], &m, sizeof(m), fds, &n), sizeof(m));
	ck_assert_uint_eq(m.type, MSG_APP_START);
	return n;
}

static void init_says(uint32_t type, int slot)
{
	struct plan_msg m = { .type = type, .app = slot };

	requests_tell(&q, &m);
}

START_TEST(a_life)
{
	struct plan_msg m;

	for (size_t i = 0; i < ARRAY_LEN(old_facts); i++)
		ck_assert_int_eq(write_file_at(dir, old_facts[i], "3\n", 2, 0644, 0), 0);
	auto_close int start = ask(APP_START, 5, "web", true);
	ck_assert_uint_eq(told(), MSG_APP_START);
	ck_assert_str_eq(requests_name(&q, 5), "web");
	for (size_t i = 0; i < ARRAY_LEN(old_facts); i++)
		ck_assert_int_lt(faccessat(dir, old_facts[i], F_OK, 0), 0);
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

	/* who hears of it may look at the records and remove the app at once */
	init_says(MSG_FAILED, 0);
	init_says(MSG_EXITED, 0);
	ck_assert_int_eq(answer(failed, &m), 0);
	init_says(MSG_OVER, 0);
	ck_assert_int_eq(answer(failed, &m), MSG_FAILED);
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

static unsigned int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static void close_all(int *fds, size_t n)
{
	while (n > 0)
		fd_close(&fds[--n]);
}

static bool is_pipe(int fd, int mode)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) == mode;
}

START_TEST(streams_go_with_the_plan)
{
	static const enum stream_mode log[] = { STREAM_PASS, STREAM_LOG, STREAM_LOG },
				      some[] = { STREAM_NULL, STREAM_PASS, STREAM_NULL },
				      attach[] = { STREAM_ATTACH, STREAM_ATTACH, STREAM_LOG };
	unsigned int before_it = open_fds();
	int fds[8], fd;

	ck_assert_uint_eq(start_with(log, 2, fds, &fd), 3);
	ck_assert(is_pipe(fds[1], O_WRONLY) && is_pipe(fds[2], O_WRONLY));
	relay_over(q.relay, 2); /* whoever may still hold the other ends */
	/* those three, and both ends of the connection */
	ck_assert_uint_eq(open_fds(), before_it + 5);
	close_all(fds, 3);
	fd_close(&fd);
	init_says(MSG_OVER, 2);
	ck_assert_uint_eq(start_with(some, 2, fds, &fd), 3);
	ck_assert_int_eq(fcntl(fds[1], F_GETFL) & O_ACCMODE, O_RDONLY);
	ck_assert_int_eq(fcntl(fds[2], F_GETFL) & O_ACCMODE, O_WRONLY);
	close_all(fds, 3);
	fd_close(&fd);
	relay_over(q.relay, 2);
	init_says(MSG_OVER, 2);
	ck_assert_int_lt(access(CONTRACT_FILE_ATTACH, F_OK), 0);
	ck_assert_uint_eq(start_with(attach, 2, fds, &fd), 4);
	ck_assert(is_pipe(fds[1], O_RDONLY) && is_pipe(fds[2], O_WRONLY) && is_pipe(fds[3], O_WRONLY));
	ck_assert_int_eq(access(CONTRACT_FILE_ATTACH, F_OK), 0);
	close_all(fds, 4);
	fd_close(&fd);
	relay_over(q.relay, 2);
	init_says(MSG_OVER, 2);
	turn();
	ck_assert_uint_eq(open_fds(), before_it + 1); /* where clients attach */
}
END_TEST

START_TEST(what_is_no_stream_is_refused)
{
	static const enum stream_mode bad[][3] = { { STREAM_LOG, STREAM_LOG, STREAM_LOG },
						   { STREAM_PASS, STREAM_TTY + 1, STREAM_LOG },
						   /* nobody has told of its devpts */
						   { STREAM_TTY, STREAM_TTY, STREAM_TTY } };
	unsigned int before_it = open_fds();
	struct plan_msg m;
	int fds[8], fd;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_uint_eq(start_with(bad[i], 1, fds, &fd), 0);
		ck_assert_int_eq(answer(fd, &m), MSG_FAILED);
		fd_close(&fd);
	}
	turn();
	ck_assert_uint_eq(open_fds(), before_it);
}
END_TEST

/* Whatever comes for a devpts must be one. */
START_TEST(terminals_are_looked_at)
{
	struct plan_msg m;
	auto_close int bare = ask(APP_TERMINALS, 3, "web", false), odd = ask(APP_TERMINALS, 3, "web", true);

	ck_assert_int_eq(answer(bare, &m), MSG_FAILED);
	ck_assert_int_eq(answer(odd, &m), MSG_FAILED);
	ck_assert_int_eq(q.pts[3], 0);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("requests", before, after, a_life, a_start_that_fails,
				 nonsense_ends_the_connection, more_clients_than_places,
				 streams_go_with_the_plan, what_is_no_stream_is_refused,
				 terminals_are_looked_at);
}
