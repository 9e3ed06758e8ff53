/*
 * podbox_launch — what the launcher makes of a process: identity, capabilities, filter, descriptors,
 * root, working directory, limits; the same through the program launch.
 */
#include "tests/functional/podbox.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define CAPS       (1ull << CAP_CHOWN | 1ull << CAP_KILL | 1ull << CAP_NET_BIND_SERVICE)
#define EACCES_RET (0x00050000u | EACCES) /* SECCOMP_RET_ERRNO */

static struct plan_maker plan;
static struct box box;

#define STATUS "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:|SigIgn|SigBlk|Umask)' /proc/self/status; "

/* Has @text the line "@key:\t@value" (trailing space allowed)? */
static void has(const char *text, const char *key, const char *value)
{
	char want[128];
	const char *at;
	size_t n = (size_t)snprintf(want, sizeof(want), "%s:\t%s", key, value);

	at = strstr(text, want);
	ck_assert_msg(at && (at[n] == '\n' || at[n] == ' '), "no \"%s\" in:\n%s", want, text);
}

static void one(const char *script, uint32_t flags, uint32_t id, uint64_t caps)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0, script);
	pm_app(&plan, 0)->flags = flags;
	pm_app(&plan, 0)->uid = id;
	pm_app(&plan, 0)->gid = id;
	pm_app(&plan, 0)->caps = caps;
}

START_TEST(root_gets_the_planned_set)
{
	for (uint32_t flags = 0; flags <= PLAN_APP_NNP; flags++) {
		const char *out;

		one(STATUS, flags, 0, CAPS);
		out = box_run(&plan, 0);
		has(out, "CapInh", "0000000000000000");
		has(out, "CapPrm", "0000000000000421");
		has(out, "CapEff", "0000000000000421");
		has(out, "CapBnd", "0000000000000421");
		has(out, "CapAmb", "0000000000000000");
		has(out, "NoNewPrivs", flags ? "1" : "0");
		has(out, "Seccomp", "0");
		has(out, "Groups", "");
	}
}
END_TEST

START_TEST(user_gets_no_capability)
{
	static const uint32_t groups[] = { 7, 4711 };
	const char *out;

	one(STATUS, PLAN_APP_NNP, 1000, CAPS);
	pm_app(&plan, 0)->gid = 1001;
	pm_app(&plan, 0)->ngroups = 2;
	pm_app(&plan, 0)->groups_off = pm_bytes(&plan, groups, sizeof(groups));
	pm_app(&plan, 0)->umask = 027;
	out = box_run(&plan, 0);
	has(out, "Uid", "1000\t1000\t1000\t1000");
	has(out, "Gid", "1001\t1001\t1001\t1001");
	has(out, "Groups", "7 4711");
	has(out, "CapInh", "0000000000000000");
	has(out, "CapPrm", "0000000000000000");
	has(out, "CapBnd", "0000000000000421");
	has(out, "Umask", "0027");
	has(out, "SigIgn", "0000000000000000");
	has(out, "SigBlk", "0000000000000000");
}
END_TEST

START_TEST(ambient_set_reaches_a_user)
{
	const char *out;

	one(STATUS, PLAN_APP_NNP, 1000, CAPS);
	pm_app(&plan, 0)->ambient = 1ull << CAP_NET_BIND_SERVICE;
	out = box_run(&plan, 0);
	has(out, "CapAmb", "0000000000000400");
	has(out, "CapEff", "0000000000000400");
	has(out, "CapPrm", "0000000000000400");
}
END_TEST

START_TEST(filter_is_loaded_for_everybody)
{
	for (int i = 0; i < 4; i++) {
		const char *out;

		one(STATUS "mkdir /tmp/x 2>&1", i & 1 ? PLAN_APP_NNP : 0, i & 2 ? 1000 : 0, CAPS);
		pm_filter(&plan, 0, SYS_mkdir, EACCES_RET);
		out = box_run(&plan, 1);
		has(out, "Seccomp", "2");
		has(out, "CapEff",
		    i & 2 ? "0000000000000000" : "0000000000000421"); /* no CAP_SYS_ADMIN left */
		has(out, "CapPrm", i & 2 ? "0000000000000000" : "0000000000000421");
		has(out, "CapBnd", "0000000000000421");
		has(out, "NoNewPrivs", i & 1 ? "1" : "0");
		ck_assert_ptr_nonnull(strstr(out, "Permission denied"));
	}
}
END_TEST

START_TEST(setuid_program_gains_nothing_with_nnp)
{
	one("/tmp/id -u", 0, 1000, CAPS);
	ck_assert_str_eq(box_run(&plan, 0), "0\n"); /* the bait works */
	one("/tmp/id -u", PLAN_APP_NNP, 1000, CAPS);
	ck_assert_str_eq(box_run(&plan, 0), "1000\n");
}
END_TEST

static const int *missing; /* system calls, for box.missing */

static void cwd_is_refused(const char *cwd)
{
	struct plan_msg m;

	one("pwd", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->cwd = pm_str(&plan, cwd);
	box = box_new();
	box.missing = missing;
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
	m = box_expect(&box, MSG_FAILED, 0);
	ck_assert_int_eq(m.value, LAUNCH_CWD);
	ck_assert_str_eq(m.text, cwd);
	ck_assert_int_eq(box_expect(&box, MSG_EXITED, 0).value, 254 << 8);
	box_done(&box, 254);
}

START_TEST(working_directory_stays_inside)
{
	cwd_is_refused("/proc/self/fd/7");
	cwd_is_refused("/proc/self/cwd");
	cwd_is_refused("/proc/1/cwd");
	cwd_is_refused("/proc/1/root");
	cwd_is_refused("/tmp/link");
	cwd_is_refused("/tmp/link/../..");
	cwd_is_refused("/tmp/script");
	cwd_is_refused("/tmp/absent");
	one("pwd", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->cwd = pm_str(&plan, "/tmp/../../usr/lib");
	ck_assert_str_eq(box_run(&plan, 0), "/usr/lib\n");
	one("pwd -P", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->cwd = pm_str(&plan, "/tmp/in");
	ck_assert_str_eq(box_run(&plan, 0), "/usr/bin\n");
}
END_TEST

START_TEST(old_kernel_is_good_enough)
{
	static const int calls[] = { SYS_clone3, SYS_openat2, SYS_close_range, SYS_pidfd_open, 0 };

	one("pwd; ls /proc/self/fd", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->cwd = pm_str(&plan, "//usr/./lib/");
	box = box_new();
	box.missing = calls;
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
	ck_assert_str_eq(box_output(&box), "/usr/lib\n0\n1\n2\n3\n");
	box_done(&box, 0);
	missing = calls;
	cwd_is_refused("/proc/self/cwd");
	cwd_is_refused("/tmp/in");
	cwd_is_refused("/tmp/..");
	cwd_is_refused("/tmp/absent");
}
END_TEST

START_TEST(root_is_the_apps_and_nothing_else_is_mounted)
{
	one("[ -e /a00 ] && echo a00; [ -e /tmp/script ] && echo tmp; grep -c podbox /proc/self/mountinfo; "
	    "grep -c ' - tmpfs box' /proc/self/mountinfo; exit 0",
	    PLAN_APP_NNP, 0, CAPS);
	/* Only its own /tmp is left of the boxes' tmpfs. */
	ck_assert_str_eq(box_run(&plan, 0), "tmp\n0\n1\n");
}
END_TEST

static void exec_fails(const char *const *argv, int errnum, const char *what)
{
	struct plan_msg m;

	one("exit 0", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->argv = pm_vec(&plan, argv);
	box = box_new();
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
	m = box_expect(&box, MSG_FAILED, 0);
	ck_assert_int_eq(m.value, LAUNCH_EXEC);
	ck_assert_int_eq(m.code, errnum);
	ck_assert_str_eq(m.text, what);
	ck_assert_int_eq(box_expect(&box, MSG_EXITED, 0).value, 254 << 8);
	box_done(&box, 254);
}

START_TEST(missing_programs_are_named)
{
	exec_fails((const char *const[]){ "/no/such", NULL }, ENOENT, "/no/such");
	exec_fails((const char *const[]){ "nosuch", NULL }, ENOENT, "nosuch");
	exec_fails((const char *const[]){ "", NULL }, ENOENT, "");
	exec_fails((const char *const[]){ "/tmp/script", NULL }, ENOENT, "/no/interp");
	exec_fails((const char *const[]){ "/etc/passwd", NULL }, EACCES, "/etc/passwd");
	exec_fails((const char *const[]){ "/tmp", NULL }, EACCES, "/tmp");
	exec_fails((const char *const[]){ "passwd/x", NULL }, ENOENT, "passwd/x");
}
END_TEST

START_TEST(missing_elf_interpreter_is_named)
{
	static const char *const pre[] = {
		"/bin/sh", "-c",
		"sed s,/lib64/ld-linux,/libXX/ld-linux, /bin/true > /tmp/t; chmod 755 /tmp/t", NULL
	};
	static const char *const argv[] = { "/tmp/t", NULL };
	struct plan_msg m;

	one("exit 0", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->pre_start = pm_vec(&plan, pre);
	pm_app(&plan, 0)->argv = pm_vec(&plan, argv);
	box = box_new();
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
	m = box_expect(&box, MSG_FAILED, 0);
	ck_assert_int_eq(m.code, ENOENT);
	ck_assert_str_eq(m.text, "/libXX/ld-linux-x86-64.so.2");
	box_done(&box, 254);
}
END_TEST

START_TEST(bare_names_are_searched)
{
	static const char *const argv[] = { "printf", "%s\\n", "found", NULL };

	one("exit 0", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->argv = pm_vec(&plan, argv);
	ck_assert_str_eq(box_run(&plan, 0), "found\n");
}
END_TEST

START_TEST(only_three_descriptors_are_open)
{
	static const char *const argv[] = { "ls", "/proc/self/fd", NULL };

	one("exit 0", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->argv = pm_vec(&plan, argv);
	ck_assert_str_eq(box_run(&plan, 0), "0\n1\n2\n3\n"); /* 3 is the directory that ls reads */
}
END_TEST

START_TEST(init_cannot_be_looked_into)
{
	one("exec 2>/dev/null; for f in cwd/ root/ map_files; do ls /proc/1/$f && echo open $f; done; "
	    "for f in exe fd/1 fd/3 fd/5; do readlink /proc/1/$f && echo open $f; done; "
	    "for f in maps environ mem auxv; do head -c 1 /proc/1/$f && echo open $f; done; "
	    "kill -0 1 && echo alive",
	    PLAN_APP_NNP, 0, CAPS);
	ck_assert_str_eq(box_run(&plan, 0), "alive\n");
}
END_TEST

START_TEST(standard_descriptors_may_be_permuted)
{
	one("echo to $1; echo err >&2; read x; echo $x", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->stdio[0] = BOX_STDIN;
	pm_app(&plan, 0)->stdio[1] = 1;
	pm_app(&plan, 0)->stdio[2] = 0;
	box = box_new();
	int p[2], saved[2] = { dup(0), dup(1) };

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(dup2(p[1], 0), 0);
	ck_assert_int_eq(dup2(p[1], 1), 1);
	box_start(&box, &plan);
	(void)dup2(saved[0], 0);
	(void)dup2(saved[1], 1);
	(void)close(p[1]);
	box_send(&box, MSG_GO, 0);
	ck_assert_int_eq(write(box.in, "in\n", 3), 3);
	(void)close(box.out);
	box.out = p[0];
	ck_assert_str_eq(box_output(&box), "to\nerr\nin\n");
	box_done(&box, 0);
}
END_TEST

START_TEST(limits_and_oom_score_are_set)
{
	struct plan_rlimit lim[] = { { RLIMIT_NOFILE, 0, 64, 128 }, { RLIMIT_CORE, 0, 0, 0 } };

	one("ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj", PLAN_APP_NNP, 1000, CAPS);
	pm_app(&plan, 0)->nrlimits = 2;
	pm_app(&plan, 0)->rlimits_off = pm_bytes(&plan, lim, sizeof(lim));
	pm_app(&plan, 0)->has_oom = 1;
	pm_app(&plan, 0)->oom_score_adj = 321;
	ck_assert_str_eq(box_run(&plan, 0), "64\n128\n0\n321\n");
}
END_TEST

START_TEST(limit_that_cannot_be_set_fails_the_app)
{
	struct plan_rlimit lim = { RLIMIT_NOFILE, 0, 10, 5 };
	struct plan_msg m;

	one("exit 0", PLAN_APP_NNP, 0, CAPS);
	pm_app(&plan, 0)->nrlimits = 1;
	pm_app(&plan, 0)->rlimits_off = pm_bytes(&plan, &lim, sizeof(lim));
	box = box_new();
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
	m = box_expect(&box, MSG_FAILED, 0);
	ck_assert_int_eq(m.value, LAUNCH_RLIMIT);
	ck_assert_int_eq(m.code, EINVAL);
	box_done(&box, 254);
}
END_TEST

START_TEST(terminal_becomes_the_controlling_one)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	const char *at;

	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	one("echo ok > /dev/tty && read x < /dev/tty && exit 5", PLAN_APP_NNP | PLAN_APP_TTY, 0, CAPS);
	for (int i = 0; i < 3; i++)
		pm_app(&plan, 0)->stdio[i] = 0;
	box = box_new();
	int saved = dup(0);

	(void)dup2(slave, 0);
	box_start(&box, &plan);
	(void)dup2(saved, 0);
	(void)close(slave);
	box_send(&box, MSG_GO, 0);
	(void)close(box.out);
	box.out = master;
	at = box_line(&box);
	ck_assert_str_eq(at, "ok\r");
	ck_assert_int_eq(write(master, "\n", 1), 1);
	box_done(&box, 5);
}
END_TEST

/* ---- the program launch --------------------------------------------------------------------- */

/* Run launch on the plan's app 0 with @cmd in a root of its own; output, and failure if it reports one. */
static const char *enter(const char *const *cmd, int *status, struct launch_failure *f)
{
	int out[2], err[2], fd = box_memfd(plan.data, plan.len, true);
	char args[4][32];
	const char *argv[16] = { "launch", args[0], "--app=0", args[1], "--procs-fds=", args[2], "--", NULL };
	const char *const env[] = { "TERM=xterm-42", "SECRET=1", NULL };
	int launch = open(box_program("launch"), O_RDONLY | O_CLOEXEC), proc = open("/proc", O_PATH);
	pid_t pid;

	for (size_t i = 0; cmd[i]; i++)
		argv[7 + i] = cmd[i], argv[8 + i] = NULL;
	ck_assert_int_eq(pipe(out), 0);
	ck_assert_int_eq(pipe(err), 0);
	(void)snprintf(args[0], sizeof(args[0]), "--plan-fd=%d", fd);
	(void)snprintf(args[1], sizeof(args[1]), "--err-fd=%d", err[1]);
	(void)snprintf(args[2], sizeof(args[2]), "--proc-fd=%d", proc);
	pid = fork();
	if (pid == 0) {
		(void)fcntl(fd, F_SETFD, 0);
		(void)dup2(out[1], 1);
		(void)dup2(out[1], 2);
		(void)syscall(SYS_execveat, launch, "", argv, env, AT_EMPTY_PATH);
		_exit(98);
	}
	(void)close(out[1]);
	(void)close(err[1]);
	memset(f, 0, sizeof(*f));
	ck_assert_msg(box_ready(err[0], BOX_MS), "launch neither executes nor fails");
	ck_assert_int_ge(read(err[0], f, sizeof(*f)), 0);
	box.out = out[0];
	ck_assert_int_eq(waitpid(pid, status, 0), pid);
	return box_output(&box);
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

START_TEST(entered_process_has_the_apps_credentials)
{
	static const char *const cmd[] = { "sh", "-c", STATUS, NULL };
	struct launch_failure f;
	char *run;
	int status;

	one(STATUS, PLAN_APP_NNP, 1000, CAPS);
	pm_filter(&plan, 0, SYS_mkdir, EACCES_RET);
	run = strdup(box_run(&plan, 0));
	ck_assert_str_eq(enter(cmd, &status, &f), run);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(f.step, 0);
	free(run);
}
END_TEST

START_TEST(entered_process_has_the_apps_environment_and_term)
{
	static const char *const cmd[] = { "env", NULL };
	struct launch_failure f;
	char *lines[8];
	size_t n = 0;
	int status;
	char *out;

	one("exit 0", PLAN_APP_NNP, 0, CAPS);
	pm_done(&plan);
	out = strdup(enter(cmd, &status, &f));
	for (char *at = out, *nl; (nl = strchr(at, '\n')) && n < 8; at = nl + 1) {
		*nl = '\0';
		lines[n++] = at;
	}
	qsort(lines, n, sizeof(lines[0]), by_line);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(lines[0], "A=b");
	ck_assert_str_eq(lines[1], "PATH=/bin:/usr/bin");
	ck_assert_str_eq(lines[2], "TERM=xterm-42");
	free(out);
}
END_TEST

START_TEST(enter_reports_failures)
{
	static const char *const absent[] = { "absent", NULL };
	struct launch_failure f;
	int status;

	one("exit 0", PLAN_APP_NNP, 0, CAPS);
	pm_done(&plan);
	(void)enter(absent, &status, &f);
	ck_assert_int_eq(status, 254 << 8);
	ck_assert_int_eq(f.step, LAUNCH_EXEC);
	ck_assert_int_eq(f.errnum, ENOENT);
	ck_assert_str_eq(f.what, "absent");
	pm_app(&plan, 0)->cwd = pm_str(&plan, "/proc/self/cwd");
	pm_done(&plan);
	(void)enter((const char *const[]){ "true", NULL }, &status, &f);
	ck_assert_int_eq(f.step, LAUNCH_CWD);
	pm_head(&plan)->magic++;
	ck_assert_str_eq(enter(absent, &status, &f), "launch: the plan is damaged\n");
	ck_assert_int_eq(status, 254 << 8);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		root_gets_the_planned_set,
		user_gets_no_capability,
		ambient_set_reaches_a_user,
		filter_is_loaded_for_everybody,
		setuid_program_gains_nothing_with_nnp,
		working_directory_stays_inside,
		old_kernel_is_good_enough,
		root_is_the_apps_and_nothing_else_is_mounted,
		missing_programs_are_named,
		missing_elf_interpreter_is_named,
		bare_names_are_searched,
		only_three_descriptors_are_open,
		init_cannot_be_looked_into,
		standard_descriptors_may_be_permuted,
		limits_and_oom_score_are_set,
		limit_that_cannot_be_set_fails_the_app,
		terminal_becomes_the_controlling_one,
		entered_process_has_the_apps_credentials,
		entered_process_has_the_apps_environment_and_term,
		enter_reports_failures,
	};

	return suite_run("launch", tests, sizeof(tests) / sizeof(tests[0]));
}
