/*
 * podbox_added — init of a mutable pod and what comes with MSG_APP_START: the plan of one app and its streams, each
 * of them what the plan says, and nothing else.
 */
#include "tests/functional/podbox.h"

#include <dirent.h>
#include <pty.h>

static struct plan_maker pod, plan;
static struct box box;

static void before(void)
{
	pm_init(&pod, 0);
	pm_head(&pod)->flags |= PLAN_MUTABLE;
	box = box_new();
	box.place = true;
	box_start(&box, &pod);
	box_send(&box, MSG_GO, 0);
	(void)box_expect(&box, MSG_READY, -1);
}

static void after(void)
{
	box_send(&box, MSG_STOP, 0);
	box_done(&box, 0);
	(void)close(box.ctl);
	(void)close(box.in);
	(void)close(box.out);
}

/* An app whose streams are init's own, for the first place. */
static void app(const char *script)
{
	pm_init(&plan, 1);
	pm_head(&plan)->flags |= PLAN_MUTABLE;
	pm_app(&plan, 0)->root = pm_str(&plan, "/a0");
	pm_sh(&plan, 0, script);
}

static void order(const int *fds, size_t n)
{
	struct plan_msg m = { .type = MSG_APP_START };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} c = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec v = { &m, sizeof(m) };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };

	if (n) {
		c.head.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&c.head), fds, n * sizeof(int));
		h.msg_control = &c;
		h.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(box.ctl, &h, MSG_NOSIGNAL), sizeof(m));
}

/* @streams go with the plan and are closed here. */
static void start(const int *streams, size_t n)
{
	int fds[8];

	pm_done(&plan);
	fds[0] = box_memfd(plan.data, plan.len, true);
	if (n)
		memcpy(fds + 1, streams, n * sizeof(int));
	order(fds, n + 1);
	for (size_t i = 0; i <= n; i++)
		(void)close(fds[i]);
}

/* How many descriptors init has. */
static unsigned int descriptors(void)
{
	unsigned int n = 0;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", box.pid);
	DIR *d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static void refused(const int *streams, size_t n, const char *what)
{
	unsigned int had = descriptors();

	start(streams, n);
	struct plan_msg m = box_recv(&box);
	ck_assert_msg(m.type == MSG_FAILED && m.value == INIT_PLAN && m.code == EINVAL,
		      "%s: message %u, %d, %d", what, m.type, m.value, m.code);
	(void)box_expect(&box, MSG_OVER, 0);
	ck_assert_msg(descriptors() == had, "%s: init keeps something", what);
}

static void sent(int n)
{
	pm_app(&plan, 0)->stdio[n] = PLAN_FD_SENT;
}

/* The pipe's end that stream @n of an app is; *ours: the other one. */
static int pipe_for(int n, int *ours)
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	*ours = p[n ? 0 : 1];
	return p[n ? 1 : 0];
}

static void said(int fd, const char *text)
{
	char b[64];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(b) - 1 && box_ready(fd, BOX_MS) && (got = read(fd, b + n, sizeof(b) - 1 - n)) > 0)
		n += (size_t)got;
	b[n] = '\0';
	ck_assert_str_eq(b, text);
}

START_TEST(streams_come_with_the_plan_and_go_with_the_app)
{
	unsigned int had = descriptors();

	for (int i = 0; i < 2; i++) { /* a place can be had again */
		int theirs[3], ours[3];

		app("read x; echo out $x; echo err $x >&2; ls /proc/self/fd | wc -l");
		for (int n = 0; n < 3; n++) {
			sent(n);
			theirs[n] = pipe_for(n, &ours[n]);
		}
		start(theirs, 3);
		(void)box_expect(&box, MSG_STARTED, 0);
		ck_assert_int_eq(write(ours[0], "word\n", 5), 5);
		/* three and the one of ls: nothing else of init's */
		said(ours[1], "out word\n4\n");
		said(ours[2], "err word\n");
		(void)box_until(&box, MSG_OVER);
		ck_assert_uint_eq(descriptors(), had);
		for (int n = 0; n < 3; n++)
			(void)close(ours[n]);
	}
}
END_TEST

START_TEST(some_streams_are_inits_own)
{
	int ours, theirs = pipe_for(1, &ours);

	app("echo here");
	sent(1);
	start(&theirs, 1);
	said(ours, "here\n");
	(void)box_until(&box, MSG_OVER);
	(void)close(ours);
}
END_TEST

START_TEST(a_terminal_becomes_the_controlling_one)
{
	int master, slave, three[3];

	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	app("exec 3<>/dev/tty && echo mine >&3");
	pm_app(&plan, 0)->flags |= PLAN_APP_TTY;
	for (int n = 0; n < 3; n++) {
		sent(n);
		three[n] = dup(slave);
	}
	(void)close(slave);
	start(three, 3);
	said(master, "mine\r\n");
	(void)box_until(&box, MSG_OVER);
	(void)close(master);
}
END_TEST

START_TEST(numbers_of_descriptors_are_refused)
{
	static const int32_t bad[][3] = { { PLAN_FD_CONTROL, 1, 2 },
					  { 0, PLAN_FD_PLAN, 2 },
					  { 0, 1, 5 },
					  { 1, 1, 2 },
					  { 0, 0, 2 },
					  { 0, 1, 1 },
					  { 0, 1, PLAN_FD_SENT - 1 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		app("exit 0");
		memcpy(pm_app(&plan, 0)->stdio, bad[i], sizeof(bad[i]));
		refused(NULL, 0, "a number");
	}
	app("exit 0");
	pm_app(&plan, 0)->flags |= PLAN_APP_TTY;
	refused(NULL, 0, "init's own as a terminal");
}
END_TEST

START_TEST(streams_and_plan_must_agree)
{
	int ours, fds[4];

	for (int n = 0; n < 3; n++) {
		app("exit 0");
		sent(1);
		for (int i = 0; i < n; i++)
			fds[i] = pipe_for(1, &ours);
		if (n != 1)
			refused(fds, (size_t)n, "another number of descriptors");
	}
	app("exit 0");
	fds[0] = pipe_for(0, &ours);
	refused(fds, 1, "one that nobody has asked for");
	order(NULL, 0);
	ck_assert_int_eq(box_expect(&box, MSG_FAILED, 0).code, EBADF);
	(void)box_expect(&box, MSG_OVER, 0);
	/* more than a start can have: not a message of ours at all */
	unsigned int had = descriptors();
	app("exit 0");
	for (int i = 0; i < 4; i++)
		fds[i] = pipe_for(1, &ours);
	start(fds, 4);
	ck_assert(!box_ready(box.ctl, 300));
	ck_assert_uint_eq(descriptors(), had);
}
END_TEST

static int a_socket(void)
{
	int p[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	return p[0];
}

START_TEST(only_what_a_stream_can_be)
{
	int ours;
	const struct {
		const char *what;
		int stream, fd;
	} bad[] = {
		{ "a directory", 0, open("/", O_RDONLY | O_DIRECTORY) },
		{ "a path", 1, open("/dev/null", O_PATH) },
		{ "a file", 1, open("/tmp", O_RDWR | O_TMPFILE, 0600) },
		{ "a socket", 1, a_socket() },
		{ "the wrong end", 1, pipe_for(0, &ours) },
		{ "the other wrong end", 0, pipe_for(1, &ours) },
		{ "a device that cannot be written", 1, open("/dev/null", O_RDONLY) },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(bad[i].fd >= 0, "%s", bad[i].what);
		app("exit 0");
		sent(bad[i].stream);
		refused(&bad[i].fd, 1, bad[i].what);
	}
	app("exit 0");
	sent(0);
	pm_app(&plan, 0)->flags |= PLAN_APP_TTY;
	int null = open("/dev/null", O_RDWR);
	refused(&null, 1, "a terminal that is none");
}
END_TEST

/* What was checked must be what is used. */
START_TEST(a_plan_that_can_still_change_is_refused)
{
	unsigned int had = descriptors();

	app("exit 0");
	pm_done(&plan);
	int fd = box_memfd(plan.data, plan.len, false);
	order(&fd, 1);
	(void)close(fd);
	struct plan_msg m = box_recv(&box);
	ck_assert_uint_eq(m.type, MSG_FAILED);
	ck_assert_int_eq(m.value, INIT_PLAN);
	ck_assert_int_eq(m.code, EPERM);
	(void)box_expect(&box, MSG_OVER, 0);
	ck_assert_uint_eq(descriptors(), had);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("added", before, after, streams_come_with_the_plan_and_go_with_the_app,
				 some_streams_are_inits_own, a_terminal_becomes_the_controlling_one,
				 numbers_of_descriptors_are_refused, streams_and_plan_must_agree,
				 only_what_a_stream_can_be, a_plan_that_can_still_change_is_refused);
}
