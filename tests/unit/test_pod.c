/* pod: states, moves, races for one pod, prefixes, and what the files of a pod say. */
#include "tests/unit/datafix.h"
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/proc.h"
#include "base/strv.h"
#include "stage0/pod.h"
#include "stage0/podfacts.h"
#include "stage0/sweep.h"

/* A pod in prepared/, known by its UUID only. */
static void make_prepared(char uuid[UUID_LEN + 1])
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	OK(pod_create(&fx.d, &p, &e));
	memcpy(uuid, p.uuid, UUID_LEN + 1);
	OK(pod_to_prepared(&p, &e));
}

START_TEST(every_state_is_seen)
{
	auto_pod p = POD_INIT, q = POD_INIT;
	struct err e = ERR_INIT;
	char uuid[UUID_LEN + 1];

	OK(pod_create(&fx.d, &p, &e));
	memcpy(uuid, p.uuid, sizeof(uuid));
	ck_assert(p.locked && p.state == POD_PREPARING);
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_PREPARING);
	OK(pod_to_prepared(&p, &e));
	ck_assert(!p.locked);
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_PREPARED);
	OK(pod_to_run(&p, &e));
	ck_assert(p.locked);
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_RUNNING);
	OK(pod_refresh(&p, &e)); /* with our own lock in hand */
	ck_assert_int_eq(p.state, POD_RUNNING);
	ck_assert(p.locked);
	pod_done(&p);
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_EXITED);
	OK(pod_open(&fx.d, uuid, &q, &e));
	OK(pod_to_exited_garbage(&q, &e));
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_EXITED_GARBAGE);
	OK(pod_lock(&q, &e));
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_EXITED_DELETING);
	OK(pod_delete(&q, &e));
	ck_assert_int_eq(q.state, POD_GONE);
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_GONE);
}
END_TEST

START_TEST(an_aborted_prepare_becomes_garbage)
{
	auto_pod p = POD_INIT, q = POD_INIT;
	struct err e = ERR_INIT;
	char uuid[UUID_LEN + 1];

	OK(pod_create(&fx.d, &p, &e));
	memcpy(uuid, p.uuid, sizeof(uuid));
	pod_done(&p);
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_ABORTED_PREPARE);
	OK(pod_open(&fx.d, uuid, &q, &e));
	OK(pod_to_garbage(&q, &e));
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_DELETING);
	OK(pod_delete(&q, &e));
	ck_assert_int_eq(datafix_state(&fx, uuid), POD_GONE);
}
END_TEST

START_TEST(state_names_are_those_of_list)
{
	ck_assert_str_eq(pod_state_name(POD_ABORTED_PREPARE), "aborted prepare");
	ck_assert_str_eq(pod_state_name(POD_EXITED_GARBAGE), "exited garbage");
	ck_assert_str_eq(pod_state_name(POD_EXITED_DELETING), "exited deleting");
	ck_assert_str_eq(pod_state_name(POD_RUNNING), "running");
}
END_TEST

/* A start line and results that processes share. */
struct race {
	int ready; /* how many have opened the pod */
	int go;
	int results[4];
};

static struct race *race_new(void)
{
	struct race *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(r != MAP_FAILED);
	return r;
}

static void wait_for(int *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_SEQ_CST))
		(void)usleep(100);
}

/* Runner @i opens the pod, waits for the start, tries @act, and stays alive until killed. */
static pid_t runner(const char *uuid, struct race *race, int i, int (*act)(struct pod *p, struct err *e))
{
	pid_t pid = suite_fork();

	if (pid)
		return pid;
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;
	int r = pod_open(&fx.d, uuid, &p, &e);

	(void)__atomic_add_fetch(&race->ready, 1, __ATOMIC_SEQ_CST);
	wait_for(&race->go);
	if (r == 0)
		r = act(&p, &e);
	__atomic_store_n(&race->results[i], r == 0 ? 1 : r, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static void finish(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(one_of_two_runners_wins_and_the_other_does_not_hang)
{
	for (int round = 0; round < 10; round++) {
		struct race *race = race_new();
		char uuid[UUID_LEN + 1];
		pid_t a, b;
		int won;

		make_prepared(uuid);
		a = runner(uuid, race, 0, pod_to_run);
		b = runner(uuid, race, 1, pod_to_run);
		while (__atomic_load_n(&race->ready, __ATOMIC_SEQ_CST) < 2)
			(void)usleep(100);
		__atomic_store_n(&race->go, 1, __ATOMIC_SEQ_CST);
		wait_for(&race->results[0]);
		wait_for(&race->results[1]);
		won = (race->results[0] == 1) + (race->results[1] == 1);
		ck_assert_msg(won == 1, "%d and %d", race->results[0], race->results[1]);
		ck_assert_int_eq(race->results[0] == 1 ? race->results[1] : race->results[0], -EBUSY);
		ck_assert_int_eq(datafix_state(&fx, uuid), POD_RUNNING);
		finish(a);
		finish(b);
		ck_assert_int_eq(datafix_state(&fx, uuid), POD_EXITED);
		(void)munmap(race, sizeof(*race));
	}
}
END_TEST

START_TEST(gc_and_runner_cannot_both_have_a_prepared_pod)
{
	for (int round = 0; round < 10; round++) {
		struct race *race = race_new();
		char uuid[UUID_LEN + 1];
		enum pod_state state;
		pid_t a, b;

		make_prepared(uuid);
		a = runner(uuid, race, 0, round & 1 ? pod_to_run : pod_to_garbage);
		b = runner(uuid, race, 1, round & 1 ? pod_to_garbage : pod_to_run);
		while (__atomic_load_n(&race->ready, __ATOMIC_SEQ_CST) < 2)
			(void)usleep(100);
		__atomic_store_n(&race->go, 1, __ATOMIC_SEQ_CST);
		wait_for(&race->results[0]);
		wait_for(&race->results[1]);
		ck_assert_int_eq((race->results[0] == 1) + (race->results[1] == 1), 1);
		state = datafix_state(&fx, uuid);
		ck_assert(state == POD_RUNNING || state == POD_DELETING);
		ck_assert_int_eq(state == POD_RUNNING, race->results[round & 1 ? 0 : 1] == 1);
		finish(a);
		finish(b);
		(void)munmap(race, sizeof(*race));
	}
}
END_TEST

/* While a pod travels from embryo to exited-garbage, whoever looks always finds it. */
START_TEST(a_moving_pod_is_never_missed)
{
	struct race *race = race_new();
	char(*uuid)[UUID_LEN + 1] = (void *)race_new();
	pid_t mover = suite_fork();
	struct err e = ERR_INIT;

	if (mover == 0) {
		for (int k = 0; k < 300; k++) {
			auto_pod p = POD_INIT;

			if (pod_create(&fx.d, &p, &e) < 0)
				_exit(1);
			__atomic_store_n(&race->results[0], 0, __ATOMIC_SEQ_CST);
			memcpy(*uuid, p.uuid, sizeof(*uuid));
			__atomic_store_n(&race->results[0], k + 1, __ATOMIC_SEQ_CST);
			if (pod_to_prepared(&p, &e) < 0 || pod_to_run(&p, &e) < 0)
				_exit(2);
			pod_done(&p);
			if (pod_open(&fx.d, *uuid, &p, &e) < 0 || pod_to_exited_garbage(&p, &e) < 0)
				_exit(3);
		}
		__atomic_store_n(&race->go, 1, __ATOMIC_SEQ_CST);
		_exit(0);
	}
	while (!__atomic_load_n(&race->go, __ATOMIC_SEQ_CST)) {
		int before = __atomic_load_n(&race->results[0], __ATOMIC_SEQ_CST);
		char now[UUID_LEN + 1];
		auto_pod p = POD_INIT;

		memcpy(now, *uuid, sizeof(now));
		if (!before || __atomic_load_n(&race->results[0], __ATOMIC_SEQ_CST) != before)
			continue;
		OK(pod_open(&fx.d, now, &p, &e));
		ck_assert_int_ne(p.state, POD_ABORTED_PREPARE); /* it never was */
		OK(pod_refresh(&p, &e));
		ck_assert_int_ne(p.state, POD_GONE);
	}
	int status;
	ck_assert_int_eq(waitpid(mover, &status, 0), mover);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(gc_does_not_take_a_living_embryo)
{
	struct err e = ERR_INIT;
	pid_t sweeper = suite_fork();

	if (sweeper == 0)
		for (;;)
			(void)sweep(&fx.d, 0, &e);
	for (int k = 0; k < 500; k++) {
		auto_pod p = POD_INIT;

		OK(pod_create(&fx.d, &p, &e));
		datafix_put(&p, "pod", "x");
		ck_assert_int_eq(datafix_state(&fx, p.uuid), POD_PREPARING);
	}
	finish(sweeper);
	ck_assert_int_eq(mkdirat(fx.d.fd, DIR_EMBRYO "/01234567-89ab-4def-8123-456789abcdef", 0750), 0);
	OK(sweep(&fx.d, 0, &e));
	ck_assert_int_eq(unlinkat(fx.d.fd, DIR_EMBRYO, AT_REMOVEDIR), 0); /* empty: the dead one went */
}
END_TEST

START_TEST(a_locked_pod_is_busy)
{
	auto_pod p = POD_INIT, q = POD_INIT;
	struct err e = ERR_INIT;

	OK(pod_create(&fx.d, &p, &e));
	OK(pod_to_run(&p, &e));
	OK(pod_open(&fx.d, p.uuid, &q, &e));
	ck_assert_int_eq(pod_lock(&q, &e), -EBUSY);
	ck_assert_ptr_nonnull(strstr(e.text, p.uuid));
	pod_done(&p);
	OK(pod_lock(&q, &e));
}
END_TEST

START_TEST(a_pod_deleted_under_us_is_gone)
{
	auto_pod p = POD_INIT, q = POD_INIT;
	struct err e = ERR_INIT;
	char uuid[UUID_LEN + 1];

	make_prepared(uuid);
	OK(pod_open(&fx.d, uuid, &p, &e));
	OK(pod_open(&fx.d, uuid, &q, &e));
	OK(pod_to_garbage(&q, &e));
	OK(pod_delete(&q, &e));
	ck_assert_int_eq(pod_to_run(&p, &e), -ENOENT);
	OK(pod_refresh(&p, &e));
	ck_assert_int_eq(p.state, POD_GONE);
	ck_assert_int_lt(p.fd, 0);
	OK(pod_refresh(&p, &e));
}
END_TEST

/* ---- names ---- */

static void place(const char *dir, const char *uuid)
{
	auto_free char *path = xasprintf("%s/%s", dir, uuid);

	ck_assert_int_eq(mkdirat(fx.d.fd, path, 0750), 0);
}

#define U1 "aaaa0000-0000-4000-8000-000000000001"
#define U2 "aaaa0000-0000-4000-8000-000000000002"
#define U3 "bbbb0000-0000-4000-8000-000000000003"
#define U4 "cccc0000-0000-4000-8000-000000000004"

static int open_prefix(const char *prefix, const char *want, struct err *e)
{
	auto_pod p = POD_INIT;
	int r = pod_open_prefix(&fx.d, prefix, &p, e);

	if (r == 0)
		ck_assert_str_eq(p.uuid, want);
	return r;
}

START_TEST(prefixes)
{
	struct err e = ERR_INIT;

	place(DIR_RUN, U1);
	place(DIR_PREPARED, U2);
	place(DIR_EXITED_GARBAGE, U3);
	place(DIR_GARBAGE, U4);
	place(DIR_RUN, "not-a-pod");
	OK(open_prefix("b", U3, &e));
	OK(open_prefix("BBBB0000-", U3, &e));
	OK(open_prefix(U1, U1, &e));
	OK(open_prefix("AAAA0000-0000-4000-8000-000000000002", U2, &e));
	ck_assert_int_eq(open_prefix("", NULL, &e), -EINVAL);
	ck_assert_str_eq(e.text, "UUID cannot be empty");
	ck_assert_int_eq(open_prefix("aaaa", NULL, &e), -ENOTUNIQ);
	ck_assert_ptr_nonnull(strstr(e.text, "ambiguous UUID \"aaaa\""));
	ck_assert_int_eq(open_prefix("ffff", NULL, &e), -ENOENT);
	ck_assert_str_eq(e.text, "no matches found for \"ffff\"");
	ck_assert_int_eq(open_prefix("not", NULL, &e), -ENOENT);
	ck_assert_int_eq(open_prefix("../run", NULL, &e), -ENOENT);
	ck_assert_int_eq(open_prefix(U4, NULL, &e), -ENOENT);
	ck_assert_int_eq(open_prefix("cccc", NULL, &e), -ENOENT);
}
END_TEST

START_TEST(lists_are_sorted_and_unique)
{
	struct err e = ERR_INIT;
	auto_strv most = NULL;
	auto_strv none = NULL;
	auto_strv all = NULL;

	place(DIR_RUN, U3);
	place(DIR_PREPARED, U1);
	place(DIR_PREPARE, U1); /* seen twice while it moved */
	place(DIR_GARBAGE, U4);
	OK(pods_list(&fx.d, PODS_MOST, &most, &e));
	ck_assert_uint_eq(strv_len(most), 2);
	ck_assert_str_eq(most[0], U1);
	ck_assert_str_eq(most[1], U3);
	OK(pods_list(&fx.d, PODS_EMBRYO, &none, &e));
	ck_assert_uint_eq(strv_len(none), 0);
	OK(pods_list(&fx.d, PODS_ALL, &all, &e));
	ck_assert_uint_eq(strv_len(all), 3);
}
END_TEST

/* ---- facts ---- */

START_TEST(pids)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;
	struct timespec t;
	pid_t pid;

	OK(pod_create(&fx.d, &p, &e));
	ck_assert_int_eq(pod_pid(&p, &pid), -ENOENT);
	ck_assert_int_eq(pod_started(&p, &t), -ENOENT);
	ck_assert_int_eq(pod_init_pid(&p, &pid, &e), -ENOENT);
	datafix_put(&p, "ppid", "12\n");
	ck_assert_int_eq(pod_pid(&p, &pid), 0);
	ck_assert_int_eq(pid, 12);
	ck_assert_int_eq(pod_started(&p, &t), 0);
	datafix_put(&p, "pid", "13\n");
	ck_assert_int_eq(pod_pid(&p, &pid), 0);
	ck_assert_int_eq(pid, 13);
	OK(pod_init_pid(&p, &pid, &e));
	ck_assert_int_eq(pid, 13);
	datafix_put(&p, "pid", "-1\n");
	ck_assert_int_eq(pod_pid(&p, &pid), -EINVAL);
	datafix_put(&p, "pid", "99999999999\n");
	ck_assert_int_eq(pod_pid(&p, &pid), -EINVAL);
}
END_TEST

START_TEST(a_reused_pid_is_not_believed)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;
	unsigned long long start;
	char boot[37];
	pid_t child = suite_fork(), pid;

	if (child == 0)
		for (;;)
			pause();
	OK(pod_create(&fx.d, &p, &e));
	ck_assert_int_eq(proc_start_time(getpid(), &start), 0);
	ck_assert_int_eq(proc_boot_id(boot), 0);
	auto_free char *mine = xasprintf("%d\n", getpid());
	auto_free char *good = xasprintf("%d %llu %s\n", getpid(), start, boot);
	auto_free char *later = xasprintf("%d %llu %s\n", getpid(), start + 1, boot);
	auto_free char *reboot = xasprintf("%d %llu 00000000-0000-0000-0000-000000000000\n", getpid(), start);
	datafix_put(&p, "ppid", mine);
	datafix_put(&p, "pid-start", good);
	OK(pod_init_pid(&p, &pid, &e)); /* the only child */
	ck_assert_int_eq(pid, child);
	ck_assert_int_eq(pod_supervisor(&p, &pid), 0);
	ck_assert_int_eq(pid, getpid());
	datafix_put(&p, "pid-start", later);
	ck_assert_int_eq(pod_init_pid(&p, &pid, &e), -ESRCH);
	ck_assert_int_eq(pod_supervisor(&p, &pid), -ESRCH);
	datafix_put(&p, "pid-start", reboot);
	ck_assert_int_eq(pod_init_pid(&p, &pid, &e), -ESRCH);
	datafix_put(&p, "pid-start", "nonsense\n");
	ck_assert_int_eq(pod_init_pid(&p, &pid, &e), -EINVAL);
	datafix_put(&p, "pid-start", good);
	finish(child);
	ck_assert_int_eq(pod_init_pid(&p, &pid, &e), -ENOENT); /* no child (yet) */
}
END_TEST

START_TEST(status_and_readiness)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;
	int code;

	OK(pod_create(&fx.d, &p, &e));
	ck_assert_int_eq(pod_app_status(&p, "app", &code), -ENOENT);
	ck_assert(!pod_ready(&p));
	ck_assert_int_eq(mkdir_p_at(p.fd, "stage1/rootfs/rkt/status", 0750), 0);
	ck_assert_int_eq(pod_app_status(&p, "app", &code), -ENOENT);
	datafix_put(&p, "stage1/rootfs/rkt/status/app", "7\n");
	datafix_put(&p, "stage1/rootfs/rkt/status/half", "");
	ck_assert_int_eq(pod_app_status(&p, "app", &code), 0);
	ck_assert_int_eq(code, 7);
	ck_assert_int_eq(pod_app_status(&p, "half", &code), -ENOENT);
	ck_assert_int_eq(symlinkat("reading", p.fd, "stage1/rootfs/rkt/supervisor-status"), 0);
	ck_assert(!pod_ready(&p));
	ck_assert_int_eq(unlinkat(p.fd, "stage1/rootfs/rkt/supervisor-status", 0), 0);
	ck_assert_int_eq(symlinkat("ready", p.fd, "stage1/rootfs/rkt/supervisor-status"), 0);
	ck_assert(pod_ready(&p));
}
END_TEST

/* A classic stage1 with overlay: the status is in the upper directory, the mount may be gone. */
START_TEST(classic_status_is_in_the_upper_directory)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;
	int code;

	OK(pod_create(&fx.d, &p, &e));
	datafix_put(&p, POD_FILE_STAGE1_TREE, "sha512-x\n");
	ck_assert_int_eq(mkdir_p_at(p.fd, "overlay/sha512-x/upper/rkt/status", 0750), 0);
	ck_assert_int_eq(mkdir_p_at(p.fd, "stage1/rootfs/rkt/status", 0750), 0);
	datafix_put(&p, "overlay/sha512-x/upper/rkt/status/app", "3");
	ck_assert_int_eq(pod_app_status(&p, "app", &code), 0);
	ck_assert_int_eq(code, 3);
}
END_TEST

START_TEST(links_made_by_the_pod_lead_nowhere)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;
	int code;

	OK(pod_create(&fx.d, &p, &e));
	ck_assert_int_eq(write_file_at(fx.fd, "secret", "42\n", 3, 0600, 0), 0);
	ck_assert_int_eq(mkdir_p_at(p.fd, "stage1/rootfs/rkt/status", 0750), 0);
	ck_assert_int_eq(symlinkat("../../../../../../../secret", p.fd, "stage1/rootfs/rkt/status/app"), 0);
	ck_assert_int_ne(pod_app_status(&p, "app", &code), 0);
	ck_assert_int_eq(unlinkat(p.fd, "stage1/rootfs/rkt/status/app", 0), 0);
	ck_assert_int_eq(unlinkat(p.fd, "stage1/rootfs/rkt/status", AT_REMOVEDIR), 0);
	ck_assert_int_eq(mkdirat(fx.fd, "elsewhere", 0700), 0);
	ck_assert_int_eq(write_file_at(fx.fd, "elsewhere/app", "42\n", 3, 0600, 0), 0);
	ck_assert_int_eq(symlinkat("../../../../../../elsewhere", p.fd, "stage1/rootfs/rkt/status"), 0);
	ck_assert_int_eq(faccessat(p.fd, "stage1/rootfs/rkt/status/app", F_OK, 0), 0); /* the trap works */
	ck_assert_int_ne(pod_app_status(&p, "app", &code), 0);
	ck_assert_int_eq(mkfifoat(p.fd, "pid", 0600), 0);
	pid_t pid;
	ck_assert_int_ne(pod_pid(&p, &pid), 0); /* and does not hang */
}
END_TEST

START_TEST(a_bad_manifest_is_an_error)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	OK(pod_create(&fx.d, &p, &e));
	ck_assert_ptr_null(pod_manifest_load(&p, &e));
	ck_assert_int_eq(e.code, ENOENT);
	datafix_put(&p, "pod", "{\"acKind\":");
	ck_assert_ptr_null(pod_manifest_load(&p, &e));
	ck_assert_ptr_nonnull(strstr(e.text, p.uuid));
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN(
		"pod", datafix_before, datafix_after, every_state_is_seen, an_aborted_prepare_becomes_garbage,
		state_names_are_those_of_list, one_of_two_runners_wins_and_the_other_does_not_hang,
		gc_and_runner_cannot_both_have_a_prepared_pod, a_moving_pod_is_never_missed,
		gc_does_not_take_a_living_embryo, a_locked_pod_is_busy, a_pod_deleted_under_us_is_gone,
		prefixes, lists_are_sorted_and_unique, pids, a_reused_pid_is_not_believed,
		status_and_readiness, classic_status_is_in_the_upper_directory,
		links_made_by_the_pod_lead_nowhere, a_bad_manifest_is_an_error);
}
