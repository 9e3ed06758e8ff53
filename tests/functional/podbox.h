/*
 * podbox — a pod without stage1: clones stage2/init with a hand-made plan, so that its behaviour can be
 * seen message by message.
 *
 * The machine's root is bound into every app's tree (with procfs, /dev and an own /tmp), so apps are
 * the machine's /bin/sh.  All mounts are made in the child's own mount namespace.
 */
#pragma once

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "stage2/launch.h"
#include "tests/unit/planmake.h"
#include "tests/unit/suite.h"

#define BOX_MS 120000 /* nothing here takes long; the machine may */

/* Numbers of the descriptors in init. */
enum { BOX_STDIN = 5, BOX_STDOUT, BOX_CGROUP, BOX_CGROUP_1 };

struct box {
	pid_t pid;
	int ctl;     /* the supervisor's end */
	int in, out; /* the apps' standard input and output */
	char dir[64];
	int cgroup[2];                       /* parents for the plan; -1 = none */
	unsigned int sndbuf;                 /* of init's end of the socket, 0 = as it is */
	const int *missing;                  /* system calls that answer ENOSYS, 0 = end; NULL = none */
	bool closed_std;                     /* start init with 0, 1 and 2 closed */
	bool place;                          /* a tree for an app that comes later, at "/a0" */
	struct plan_msg said[PLAN_MSGS_MAX]; /* the last datagram, of which @next is the next message */
	size_t nsaid, next;
};

static inline const char *box_program(const char *name)
{
	static char path[4096];
	const char *build = getenv("RKT_BUILD");

	(void)snprintf(path, sizeof(path), "%s/stage2/%s", build ? build : "build", name);
	return path;
}

static inline int box_memfd(const void *p, size_t n, bool sealed)
{
	int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	if (sealed)
		ck_assert_int_eq(
			fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	return fd;
}

#define BOX_TRY(call)                                                                                        \
	do {                                                                                                 \
		if ((call) < 0) {                                                                            \
			perror(#call);                                                                       \
			_exit(99);                                                                           \
		}                                                                                            \
	} while (0)

/* A setuid copy of /usr/bin/id, for those who want to become root. */
static inline void box_setuid_bait(const char *path)
{
	int from = open("/usr/bin/id", O_RDONLY), to = open(path, O_CREAT | O_WRONLY, 0755);
	ssize_t n;

	BOX_TRY(from);
	BOX_TRY(to);
	while ((n = copy_file_range(from, NULL, to, NULL, 1 << 20, 0)) > 0)
		;
	if (n < 0)
		BOX_TRY(syscall(SYS_sendfile, to, from, NULL, 1 << 20));
	BOX_TRY(fchmod(to, 04755));
	BOX_TRY(close(to));
	BOX_TRY(close(from));
}

static inline void box_tree(const char *dir, uint32_t napps)
{
	char at[128];

	BOX_TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	BOX_TRY(mount("box", dir, "tmpfs", 0, NULL));
	(void)snprintf(at, sizeof(at), "%s/proc", dir);
	BOX_TRY(mkdir(at, 0755));
	BOX_TRY(mount("proc", at, "proc", 0, NULL));
	for (uint32_t i = 0; i < napps; i++) {
		size_t n = (size_t)snprintf(at, sizeof(at), "%s/a%u%u", dir, i / 10, i % 10);

		BOX_TRY(mkdir(at, 0755));
		BOX_TRY(mount("/", at, NULL, MS_BIND, NULL));
		(void)snprintf(at + n, sizeof(at) - n, "/dev");
		BOX_TRY(mount("/dev", at, NULL, MS_BIND, NULL));
		(void)snprintf(at + n, sizeof(at) - n, "/proc");
		BOX_TRY(mount("proc", at, "proc", 0, NULL));
		(void)snprintf(at + n, sizeof(at) - n, "/tmp");
		BOX_TRY(mount("box", at, "tmpfs", 0, NULL));
		(void)snprintf(at + n, sizeof(at) - n, "/tmp/link");
		BOX_TRY(symlink("/proc/1/cwd", at));
		(void)snprintf(at + n, sizeof(at) - n, "/tmp/in");
		BOX_TRY(symlink("/usr/../../../bin", at));
		(void)snprintf(at + n, sizeof(at) - n, "/tmp/script");
		int fd = open(at, O_CREAT | O_WRONLY, 0755);
		BOX_TRY(fd);
		BOX_TRY(write(fd, "#!  /no/interp -x\n", 18));
		BOX_TRY(close(fd));
		(void)snprintf(at + n, sizeof(at) - n, "/tmp/id");
		box_setuid_bait(at);
	}
}

static inline void box_enter(const char *dir)
{
	BOX_TRY(chdir(dir));
	BOX_TRY(syscall(SYS_pivot_root, ".", "."));
	BOX_TRY(umount2(".", MNT_DETACH));
	BOX_TRY(chdir("/"));
}

/* Instead of those of the plan's apps: one tree where a mutable pod has its first place. */
static inline void box_place(const char *dir)
{
	char from[128], to[128];

	box_tree(dir, 1);
	(void)snprintf(from, sizeof(from), "%s/a00", dir);
	(void)snprintf(to, sizeof(to), "%s/a0", dir);
	BOX_TRY(mkdir(to, 0755));
	BOX_TRY(mount(from, to, NULL, MS_BIND | MS_REC, NULL));
}

/* From here on system call @nr does not exist. */
static inline void box_remove_call(int nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0x00050000u | ENOSYS), /* SECCOMP_RET_ERRNO */
		BPF_STMT(BPF_RET | BPF_K, 0x7fff0000u),
	};
	struct sock_fprog prog = { .len = 4, .filter = code };

	BOX_TRY(syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, &prog));
}

static inline _Noreturn void box_child(const struct box *b, uint32_t napps, const int from[6])
{
	static const char *const argv[] = { "init", NULL };
	int init = open(box_program("init"), O_RDONLY | O_CLOEXEC);
	int high[6];

	BOX_TRY(init);
	init = fcntl(init, F_DUPFD_CLOEXEC, 60);
	if (b->place)
		box_place(b->dir);
	else
		box_tree(b->dir, napps);
	box_enter(b->dir);
	for (int i = 0; i < 6; i++)
		high[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD_CLOEXEC, 60);
	for (int i = 0; i < 6; i++) {
		if (high[i] >= 0)
			BOX_TRY(dup2(high[i], PLAN_FD_CONTROL + i));
	}
	/* What init must not leave to the apps. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	(void)dup2(2, 40);
	if (b->closed_std)
		(void)syscall(SYS_close_range, 0, 2, 0);
	for (const int *nr = b->missing; nr && *nr; nr++)
		box_remove_call(*nr);
	(void)syscall(SYS_execveat, init, "", argv, argv + 1, AT_EMPTY_PATH);
	_exit(98);
}

/* Finish @m and start init on it; MSG_GO is not sent. */
static inline void box_start(struct box *b, struct plan_maker *m)
{
	struct plan_header *h = pm_head(m);
	int ctl[2], in[2], out[2], plan;

	for (uint32_t i = 0; i < h->napps; i++) {
		struct plan_app *a = pm_app(m, i);

		if (a->stdio[0] == 0 && a->stdio[1] == 1) {
			a->stdio[0] = BOX_STDIN;
			a->stdio[1] = a->stdio[2] = BOX_STDOUT;
		}
	}
	if (m->len % 8 || !h->size)
		pm_done(m);
	plan = box_memfd(m->data, m->len, true);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl), 0);
	if (b->sndbuf)
		(void)setsockopt(ctl[1], SOL_SOCKET, SO_SNDBUF, &b->sndbuf, sizeof(b->sndbuf));
	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/podbox.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	b->pid = (pid_t)syscall(SYS_clone, CLONE_NEWNS | (h->flags & PLAN_PIDNS ? CLONE_NEWPID : 0) | SIGCHLD,
				NULL, NULL, NULL, NULL);
	ck_assert_int_ge(b->pid, 0);
	if (b->pid == 0) {
		const int from[6] = { ctl[1], plan, in[0], out[1], b->cgroup[0], b->cgroup[1] };

		box_child(b, h->napps, from);
	}
	b->ctl = ctl[0];
	b->in = in[1];
	b->out = out[0];
	(void)close(ctl[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	(void)close(plan);
}

static inline struct box box_new(void)
{
	return (struct box){ .pid = -1, .ctl = -1, .in = -1, .out = -1, .cgroup = { -1, -1 } };
}

static inline void box_send(struct box *b, uint32_t type, int32_t value)
{
	struct plan_msg m = { .type = type, .value = value };

	ck_assert_int_eq(send(b->ctl, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
}

/* Is something readable on @fd within @ms? */
static inline bool box_ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

static inline struct plan_msg box_recv(struct box *b)
{
	if (b->next == b->nsaid) {
		ck_assert_msg(box_ready(b->ctl, BOX_MS), "init says nothing");
		ssize_t n = recv(b->ctl, b->said, sizeof(b->said), 0);

		ck_assert_int_gt(n, 0);
		ck_assert_int_eq(n % (ssize_t)sizeof(b->said[0]), 0);
		b->nsaid = (size_t)n / sizeof(b->said[0]);
		b->next = 0;
	}
	return b->said[b->next++];
}

/* The next message must be of @type; @app -2 = any. */
static inline struct plan_msg box_expect(struct box *b, uint32_t type, int32_t app)
{
	struct plan_msg m = box_recv(b);

	ck_assert_msg(m.type == type && (app == -2 || m.app == app),
		      "message %u of app %d value %d code %d \"%s\", expected %u of app %d", m.type, m.app,
		      m.value, m.code, m.text, type, app);
	return m;
}

/* Skip messages until one of @type comes. */
static inline struct plan_msg box_until(struct box *b, uint32_t type)
{
	for (;;) {
		struct plan_msg m = box_recv(b);

		if (m.type == type)
			return m;
	}
}

/* Until every app runs. */
static inline void box_until_ready(struct box *b)
{
	while (box_until(b, MSG_STARTED).code == 0)
		;
}

/* Everything the apps write up to the end of file, which comes when no process holds the pipe. */
static inline const char *box_output(struct box *b)
{
	static char text[65536];
	size_t n = 0;

	for (;;) {
		ssize_t got;

		ck_assert_msg(box_ready(b->out, BOX_MS), "standard output stays open after: %.*s", (int)n,
			      text);
		got = read(b->out, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return text;
}

/* One line of output, without its newline. */
static inline const char *box_line(struct box *b)
{
	static char line[4096];
	size_t n = 0;

	while (n < sizeof(line) - 1) {
		ck_assert_msg(box_ready(b->out, BOX_MS), "no line of output");
		if (read(b->out, line + n, 1) != 1 || line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	return line;
}

/* Wait for init to be gone; its wait status. */
static inline int box_wait(struct box *b)
{
	int status = -1, pidfd = (int)syscall(SYS_pidfd_open, b->pid, 0);

	ck_assert_msg(box_ready(pidfd, BOX_MS), "init stays");
	ck_assert_int_eq(waitpid(b->pid, &status, 0), b->pid);
	b->pid = -1;
	(void)close(pidfd);
	(void)rmdir(b->dir);
	return status;
}

/* MSG_DONE with @status, and init exits with it. */
static inline void box_done(struct box *b, int status)
{
	struct plan_msg m = box_until(b, MSG_DONE);

	ck_assert_int_eq(m.value, status);
	status = box_wait(b);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), m.value);
}

/* Run @m to its end: the output; the exit status is checked. */
static inline const char *box_run(struct plan_maker *m, int status)
{
	struct box b = box_new();
	const char *out;

	box_start(&b, m);
	box_send(&b, MSG_GO, 0);
	out = box_output(&b);
	box_done(&b, status);
	return out;
}
