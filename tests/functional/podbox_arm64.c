/*
 * podbox_arm64 — stage2 as it was built for arm64, under an emulator of user programs, on this machine's kernel: init and its socket,
 * and launch up to execve.
 *
 *	RKT_ARM64=DIR podbox_arm64		DIR/init, DIR/launch
 *
 * The plan is this machine's: both have the same layout.  The emulator makes no namespaces (clone fails with EINVAL) and loads no
 * filter, so no app is started by init here, and what launch executes is this machine's program.
 */
#include "tests/functional/podbox.h"
#include <sys/resource.h>

#define EMULATOR "/usr/bin/qemu-aarch64"

static struct plan_maker pod, plan;
static struct box box;

/* In place of this process. */
static _Noreturn void emulate(const char *program, const char *const *args)
{
	const char *argv[16] = { EMULATOR };
	char path[4096];
	size_t n = 1;

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("RKT_ARM64"), program);
	argv[n++] = path;
	while (*args && n < 15)
		argv[n++] = *args++;
	(void)execv(EMULATOR, (char *const *)(uintptr_t)argv);
	_exit(99);
}

/* First process of a pid namespace, with its procfs. */
static _Noreturn void first(int ctl, int fd)
{
	int high = fcntl(fd, F_DUPFD, 60);

	BOX_TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	BOX_TRY(mount("proc", "/proc", "proc", 0, NULL));
	BOX_TRY(ctl = fcntl(ctl, F_DUPFD, 60));
	BOX_TRY(dup2(ctl, PLAN_FD_CONTROL));
	BOX_TRY(dup2(high, PLAN_FD_PLAN));
	(void)signal(SIGUSR2, SIG_IGN);
	emulate("init", (const char *const[]){ NULL });
}

static void start_init(struct plan_maker *m)
{
	int ctl[2], fd;

	pm_done(m);
	fd = box_memfd(m->data, m->len, true);
	box = box_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl), 0);
	box.pid = (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	ck_assert_int_ge(box.pid, 0);
	if (box.pid == 0)
		first(ctl[1], fd);
	box.ctl = ctl[0];
	(void)close(ctl[1]);
	(void)close(fd);
}

static void pod_without_apps(void)
{
	pm_init(&pod, 0);
	pm_head(&pod)->flags |= PLAN_MUTABLE;
}

START_TEST(init_is_ready_and_stops_when_it_is_told)
{
	pod_without_apps();
	start_init(&pod);
	box_send(&box, MSG_GO, 0);
	(void)box_expect(&box, MSG_READY, -1);
	box_send(&box, MSG_STOP, 0);
	box_done(&box, 0);
}
END_TEST

START_TEST(init_ends_with_its_supervisor)
{
	pod_without_apps();
	start_init(&pod);
	box_send(&box, MSG_GO, 0);
	(void)box_expect(&box, MSG_READY, -1);
	(void)close(box.ctl);
	int status = box_wait(&box);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 254);
}
END_TEST

/* Its plan comes with the message and is taken; the process is not. */
START_TEST(init_takes_the_plan_of_an_app)
{
	struct plan_msg m = { .type = MSG_APP_START };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec v = { &m, sizeof(m) };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };

	pod_without_apps();
	start_init(&pod);
	box_send(&box, MSG_GO, 0);
	(void)box_expect(&box, MSG_READY, -1);
	pm_init(&plan, 1);
	pm_head(&plan)->flags |= PLAN_MUTABLE;
	pm_app(&plan, 0)->root = pm_str(&plan, "/a0");
	pm_sh(&plan, 0, "exit 0");
	pm_done(&plan);
	int fd = box_memfd(plan.data, plan.len, true);
	memcpy(CMSG_DATA(&c.head), &fd, sizeof(fd));
	ck_assert_int_eq(sendmsg(box.ctl, &h, MSG_NOSIGNAL), sizeof(m));
	struct plan_msg said = box_expect(&box, MSG_FAILED, 0);
	ck_assert_int_eq(said.code, EINVAL);
	ck_assert_int_eq(said.value, INIT_CLONE);
	box_send(&box, MSG_STOP, 0);
	box_done(&box, 0);
}
END_TEST

START_TEST(init_refuses_a_damaged_plan)
{
	pod_without_apps();
	pm_head(&pod)->uuid = PM_SIZE;
	start_init(&pod);
	struct plan_msg m = box_expect(&box, MSG_FAILED, -1);
	ck_assert_int_eq(m.value, INIT_PLAN);
	ck_assert_int_eq(m.code, EINVAL);
	ck_assert_str_eq(m.text, "read the plan");
	int status = box_wait(&box);
	ck_assert_int_eq(WEXITSTATUS(status), 254);
}
END_TEST

/* The program launch with @script, in the app's place already; its output. */
static const char *launched(const char *script, int *ret_status)
{
	static char text[4096];
	char plan_arg[32], err_arg[32], proc_arg[32];
	int out[2], err[2], proc = open("/proc", O_PATH | O_DIRECTORY);
	size_t n = 0;
	ssize_t got;

	pm_done(&plan);
	int fd = box_memfd(plan.data, plan.len, true);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	pid_t pid = suite_fork();
	if (pid == 0) {
		(void)snprintf(plan_arg, sizeof(plan_arg), "--plan-fd=%d", dup(fd));
		(void)snprintf(err_arg, sizeof(err_arg), "--err-fd=%d", dup(err[1]));
		(void)snprintf(proc_arg, sizeof(proc_arg), "--proc-fd=%d", proc);
		BOX_TRY(dup2(out[1], 1));
		emulate("launch", (const char *const[]){ plan_arg, "--app=0", err_arg, proc_arg,
							 "--procs-fds=", "--", "sh", "-c", script, NULL });
	}
	(void)close(out[1]);
	(void)close(err[1]);
	while ((got = read(out[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	struct launch_failure f = { 0 };
	ck_assert_msg(read(err[0], &f, sizeof(f)) == 0, "step %d: %s %s", f.step, f.what, strerror(f.errnum));
	ck_assert_int_eq(waitpid(pid, ret_status, 0), pid);
	return text;
}

START_TEST(launch_executes_what_it_was_told_as_the_plan_says)
{
	static const uint32_t groups[] = { 7, 4711 };
	struct plan_rlimit lim = { RLIMIT_NOFILE, 0, 64, 128 };
	int status = -1;

	pm_init(&plan, 1);
	pm_sh(&plan, 0, "exit 1");
	pm_app(&plan, 0)->flags = PLAN_APP_NNP;
	pm_app(&plan, 0)->uid = 1000;
	pm_app(&plan, 0)->gid = 1001;
	pm_app(&plan, 0)->ngroups = 2;
	pm_app(&plan, 0)->groups_off = pm_bytes(&plan, groups, sizeof(groups));
	pm_app(&plan, 0)->nrlimits = 1;
	pm_app(&plan, 0)->rlimits_off = pm_bytes(&plan, &lim, sizeof(lim));
	pm_app(&plan, 0)->umask = 027;
	pm_app(&plan, 0)->cwd = pm_str(&plan, "/usr/bin");
	ck_assert_str_eq(launched("id -u; id -g; id -G; umask; pwd; echo $A; ulimit -n; ls /proc/self/fd; "
				  "grep -E '^(CapBnd|CapEff|NoNewPrivs|SigBlk)' /proc/self/status; exit 7",
				  &status),
			 "1000\n1001\n1001 7 4711\n0027\n/usr/bin\nb\n64\n0\n1\n2\n3\n"
			 "SigBlk:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
			 "NoNewPrivs:\t1\n");
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

int main(void)
{
	return SUITE_RUN("arm64", init_is_ready_and_stops_when_it_is_told, init_ends_with_its_supervisor,
			 init_takes_the_plan_of_an_app, init_refuses_a_damaged_plan,
			 launch_executes_what_it_was_told_as_the_plan_says);
}
