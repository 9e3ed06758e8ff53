/* status: snapshots of every state, their JSON, and waiting. */
#include "tests/unit/datafix.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/proc.h"
#include "base/when.h"
#include "stage0/status.h"

#define MS 1000000
#define ID "sha512-0000000000000000000000000000000000000000000000000000000000000000"

static const char pod_text[] =
	"{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":["
	"{\"name\":\"one\",\"image\":{\"id\":\"" ID "\"},"
	"\"app\":{\"exec\":[\"/bin/true\"],\"user\":\"0\",\"group\":\"0\",\"userLabels\":{\"k\":\"v\"}},"
	"\"mounts\":[{\"volume\":\"data\",\"path\":\"/data\"}]},"
	"{\"name\":\"two\",\"image\":{\"id\":\"" ID "\"}}],"
	"\"volumes\":[{\"name\":\"data\",\"kind\":\"host\",\"source\":\"/srv\",\"readOnly\":true}],"
	"\"userAnnotations\":{\"a\":\"b\"}}";

static const char image_text[] =
	"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/one\","
	"\"labels\":[{\"name\":\"version\",\"value\":\"1.2\"}]}";

static const char net_text[] =
	"[{\"netName\":\"default\",\"ip\":\"172.16.28.2\"},{\"netName\":\"b\",\"ip\":\"10.0.0.1\"}]";

/* A pod of two apps in prepare/, locked by us. */
static void make_pod(struct pod *p)
{
	struct err e = ERR_INIT;

	OK(pod_create(&fx.d, p, &e));
	datafix_put(p, "pod", pod_text);
	datafix_put(p, "pod-created", "");
	ck_assert_int_eq(mkdir_p_at(p->fd, "appsinfo/one", 0750), 0);
	ck_assert_int_eq(mkdir_p_at(p->fd, "stage1/rootfs/rkt/status", 0750), 0);
	datafix_put(p, "appsinfo/one/manifest", image_text);
}

/* While it is made and when it is prepared: @mine holds the lock, @p looks. */
static void before_it_runs(struct pod *mine, struct pod *p)
{
	struct pod_snapshot s;
	struct err e = ERR_INIT;

	OK(pod_refresh(p, &e));
	pod_snapshot_take(p, &s);
	ck_assert_int_eq(s.state, POD_PREPARING);
	ck_assert(!s.has_created && !s.has_started && !s.manifest);
	pod_snapshot_done(&s);

	OK(pod_to_prepared(mine, &e));
	OK(pod_refresh(p, &e));
	pod_snapshot_take(p, &s);
	ck_assert_int_eq(s.state, POD_PREPARED);
	ck_assert(s.has_created && !s.has_started);
	ck_assert_uint_eq(s.napps, 2);
	ck_assert_str_eq(s.apps[0].state, "created");
	ck_assert_str_eq(s.apps[0].image_title, "example.com/one:1.2");
	ck_assert_ptr_null(s.apps[1].image_title);
	pod_snapshot_done(&s);
}

START_TEST(a_pod_through_its_life)
{
	auto_pod mine = POD_INIT, p = POD_INIT;
	struct pod_snapshot s;
	struct err e = ERR_INIT;

	make_pod(&mine);
	OK(pod_open(&fx.d, mine.uuid, &p, &e));
	before_it_runs(&mine, &p);

	OK(pod_to_run(&mine, &e));
	datafix_put(&mine, "ppid", "42\n");
	datafix_put(&mine, "net-info.json", net_text);
	datafix_put(&mine, "stage1/rootfs/rkt/status/two", "3\n");
	OK(pod_refresh(&p, &e));
	pod_snapshot_take(&p, &s);
	ck_assert_int_eq(s.state, POD_RUNNING);
	ck_assert(s.has_started);
	ck_assert_str_eq(s.apps[0].state, "running");
	ck_assert(!s.apps[0].has_exit);
	ck_assert_str_eq(s.apps[1].state, "exited");
	ck_assert_int_eq(s.apps[1].exit_code, 3);
	ck_assert_str_eq(s.networks, "default:ip4=172.16.28.2, b:ip4=10.0.0.1");
	pod_snapshot_done(&s);

	pod_done(&mine);
	OK(pod_refresh(&p, &e));
	pod_snapshot_take(&p, &s);
	ck_assert_int_eq(s.state, POD_EXITED);
	ck_assert_str_eq(s.apps[0].state, "exited");
	ck_assert(!s.apps[0].has_exit); /* killed: no status was written */
	ck_assert_int_eq(s.finished.tv_sec, 0);
	pod_snapshot_done(&s);

	OK(pod_to_exited_garbage(&p, &e));
	OK(pod_refresh(&p, &e));
	pod_snapshot_take(&p, &s);
	ck_assert_int_eq(s.state, POD_EXITED_GARBAGE);
	ck_assert_int_gt(s.finished.tv_sec, 0);
	ck_assert_str_eq(s.networks, "");
	pod_snapshot_done(&s);

	OK(pod_lock(&p, &e));
	OK(pod_delete(&p, &e));
	OK(pod_refresh(&p, &e));
	pod_snapshot_take(&p, &s);
	ck_assert_int_eq(s.state, POD_GONE);
	pod_snapshot_done(&s);
}
END_TEST

START_TEST(a_broken_pod_still_has_a_state)
{
	auto_pod p = POD_INIT;
	struct pod_snapshot s;
	struct err e = ERR_INIT;

	OK(pod_create(&fx.d, &p, &e));
	datafix_put(&p, "pod", "{");
	datafix_put(&p, "net-info.json", "[5, {\"netName\":7}]");
	OK(pod_to_run(&p, &e));
	OK(pod_refresh(&p, &e));
	pod_snapshot_take(&p, &s);
	ck_assert_int_eq(s.state, POD_RUNNING);
	ck_assert_ptr_null(s.manifest);
	ck_assert_uint_eq(s.napps, 0);
	ck_assert_str_eq(s.networks, "");
	pod_snapshot_done(&s);
}
END_TEST

START_TEST(json_has_the_members_of_1_30)
{
	auto_pod p = POD_INIT;
	struct pod_snapshot s;
	struct err e = ERR_INIT;

	make_pod(&p);
	OK(pod_to_run(&p, &e));
	datafix_put(&p, "ppid", "42\n");
	datafix_put(&p, "stage1/rootfs/rkt/status/two", "3\n");
	OK(pod_refresh(&p, &e));
	pod_snapshot_take(&p, &s);
	s.created = (struct timespec){ 100, 5 };
	s.started = (struct timespec){ 200, 7 };
	for (size_t i = 0; i < s.napps; i++) {
		s.apps[i].created = s.created;
		s.apps[i].started = s.started;
	}
	auto_json doc = pod_snapshot_json(&s);
	auto_free char *got = json_text(doc, JSON_LINE);
	auto_free char *want = xasprintf(
		"{\"name\":\"%s\",\"state\":\"running\",\"app_names\":[\"one\",\"two\"],\"apps\":["
		"{\"name\":\"one\",\"state\":\"running\",\"created_at\":100000000005,\"started_at\":"
		"200000000007,"
		"\"image_id\":\"" ID "\",\"mounts\":[{\"name\":\"data\",\"container_path\":\"/data\","
		"\"host_path\":\"/srv\",\"read_only\":true}],\"user_labels\":{\"k\":\"v\"}},"
		"{\"name\":\"two\",\"state\":\"exited\",\"created_at\":100000000005,\"started_at\":"
		"200000000007,"
		"\"exit_code\":3,\"image_id\":\"" ID "\"}],"
		"\"created_at\":100,\"started_at\":200,\"user_annotations\":{\"a\":\"b\"}}",
		p.uuid);
	ck_assert_str_eq(got, want);
	pod_snapshot_done(&s);
}
END_TEST

/* Every step of an app leaves a file, and the files say where it is. */
START_TEST(apps_of_a_mutable_pod_have_times_of_their_own)
{
	static const char mutable_text[] =
		"{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"one\",\"image\":{"
		"\"id\":\"" ID
		"\"}}],\"annotations\":[{\"name\":\"coreos.com/rkt/stage1/mutable\",\"value\":\"true\"}]}";
	static const struct {
		const char *file, *state;
	} steps[] = {
		{ "ppid", "unknown" },
		{ "appsinfo/one/added", "created" },
		{ "appsinfo/one/pid", "running" },
		{ "appsinfo/one/status", "exited" },
	};
	auto_pod p = POD_INIT;
	struct pod_snapshot s;
	struct err e = ERR_INIT;

	make_pod(&p);
	datafix_put(&p, "pod", mutable_text);
	datafix_put(&p, "pod.lck", "");
	OK(pod_to_run(&p, &e));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		datafix_put(&p, steps[i].file, "7\n");
		OK(pod_refresh(&p, &e));
		pod_snapshot_take(&p, &s);
		ck_assert_str_eq(s.apps[0].state, steps[i].state);
		ck_assert_int_eq(s.apps[0].has_created, i >= 1);
		ck_assert_int_eq(s.apps[0].has_started, i >= 2);
		ck_assert_int_eq(s.apps[0].has_finished, i >= 3);
		ck_assert_int_eq(s.apps[0].has_exit, i >= 3);
		pod_snapshot_done(&s);
	}
}
END_TEST

/* A supervisor: holds the lock, says who it is, becomes ready if told, ends after a line on @go. */
static pid_t supervisor(struct pod *p, bool ready, int go)
{
	pid_t pid = fork();

	if (pid == 0) {
		unsigned long long start;
		char boot[37], c;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		ck_assert_int_eq(proc_start_time(getpid(), &start), 0);
		ck_assert_int_eq(proc_boot_id(boot), 0);
		auto_free char *line = xasprintf("%d\n", getpid());
		auto_free char *full = xasprintf("%d %llu %s\n", getpid(), start, boot);
		datafix_put(p, "pid-start", full);
		datafix_put(p, "ppid", line);
		(void)!read(go, &c, 1);
		if (ready) {
			(void)!symlinkat("ready", p->fd, "stage1/rootfs/rkt/supervisor-status");
			(void)!read(go, &c, 1);
		}
		_exit(0);
	}
	pod_done(p);
	return pid;
}

static pid_t poke_later(int to, int ms)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)usleep((useconds_t)ms * 1000);
		(void)!write(to, "x", 1);
		_exit(0);
	}
	return pid;
}

static int64_t now_ms(void)
{
	return when_ns(when_now()) / MS;
}

/* A running pod, as somebody sees it who waits for it. */
struct waited {
	struct pod p;
	int go[2]; /* the supervisor moves on by a byte in here */
	pid_t sup;
};

/* @with: a child that has the pod's lock too and ends by a byte in there, or NULL. */
static struct waited wait_start(bool ready, int with[2], pid_t *holder)
{
	struct waited w = { .p = POD_INIT };
	auto_pod mine = POD_INIT;
	struct err e = ERR_INIT;
	char c;

	ck_assert_int_eq(pipe(w.go), 0);
	make_pod(&mine);
	OK(pod_to_run(&mine, &e));
	OK(pod_open(&fx.d, mine.uuid, &w.p, &e));
	if (with) {
		*holder = suite_fork();
		if (*holder == 0) {
			(void)!read(with[0], &c, 1);
			_exit(0);
		}
	}
	w.sup = supervisor(&mine, ready, w.go[0]);
	return w;
}

static void wait_done(struct waited *w)
{
	suite_ended(w->sup);
	pod_done(&w->p);
}

START_TEST(waiting_ends_with_the_pod)
{
	struct waited w = wait_start(false, NULL, NULL);
	struct err e = ERR_INIT;
	int64_t start = now_ms();
	pid_t poker;

	ck_assert_int_eq(pod_wait(&w.p, false, 0, &e), -ETIMEDOUT);
	ck_assert_int_eq(pod_wait(&w.p, false, 30 * MS, &e), -ETIMEDOUT);
	ck_assert_int_ge(now_ms() - start, 30);
	ck_assert_ptr_nonnull(strstr(e.text, "running"));
	poker = poke_later(w.go[1], 50);
	OK(pod_wait(&w.p, false, -1, &e));
	ck_assert_int_eq(w.p.state, POD_EXITED);
	OK(pod_wait(&w.p, false, 0, &e)); /* and at once from now on */
	suite_ended(poker);
	wait_done(&w);
}
END_TEST

START_TEST(a_child_that_inherited_the_lock_is_waited_for)
{
	int hold[2];
	ck_assert_int_eq(pipe(hold), 0);
	pid_t holder;
	struct waited w = wait_start(false, hold, &holder);
	struct err e = ERR_INIT;

	ck_assert_int_eq(write(w.go[1], "x", 1), 1);
	ck_assert_int_eq(pod_wait(&w.p, false, 150 * MS, &e), -ETIMEDOUT);
	ck_assert_int_eq(write(hold[1], "x", 1), 1);
	OK(pod_wait(&w.p, false, -1, &e));
	suite_ended(holder);
	wait_done(&w);
}
END_TEST

START_TEST(waiting_for_ready)
{
	struct waited w = wait_start(true, NULL, NULL);
	struct err e = ERR_INIT;
	pid_t poker;

	ck_assert_int_eq(pod_wait(&w.p, true, 0, &e), -ETIMEDOUT);
	poker = poke_later(w.go[1], 50);
	OK(pod_wait(&w.p, true, -1, &e));
	ck_assert_int_eq(w.p.state == POD_RUNNING || w.p.state == POD_EXITED, 1);
	ck_assert_int_eq(write(w.go[1], "x", 1), 1);
	suite_ended(poker);
	OK(pod_wait(&w.p, false, -1, &e));
	wait_done(&w);
}
END_TEST

START_TEST(a_pod_that_ended_early_is_never_ready)
{
	struct waited w = wait_start(false, NULL, NULL);
	struct err e = ERR_INIT;
	pid_t poker = poke_later(w.go[1], 50);

	ck_assert_int_eq(pod_wait(&w.p, true, -1, &e), -ESRCH);
	ck_assert_ptr_nonnull(strstr(e.text, "exited"));
	suite_ended(poker);
	wait_done(&w);
}
END_TEST

START_TEST(a_prepared_pod_keeps_waiting)
{
	auto_pod mine = POD_INIT, p = POD_INIT;
	struct err e = ERR_INIT;

	make_pod(&mine);
	OK(pod_to_prepared(&mine, &e));
	OK(pod_open(&fx.d, mine.uuid, &p, &e));
	ck_assert_int_eq(pod_wait(&p, false, 10 * MS, &e), -ETIMEDOUT);
	ck_assert_int_eq(pod_wait(&p, true, 10 * MS, &e), -ETIMEDOUT);
	OK(pod_to_garbage(&mine, &e));
	OK(pod_delete(&mine, &e));
	OK(pod_wait(&p, false, -1, &e));
	ck_assert_int_eq(p.state, POD_GONE);
	ck_assert_int_eq(pod_wait(&p, true, -1, &e), -ESRCH);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("status", datafix_before, datafix_after, a_pod_through_its_life,
				 a_broken_pod_still_has_a_state, json_has_the_members_of_1_30,
				 apps_of_a_mutable_pod_have_times_of_their_own, waiting_ends_with_the_pod,
				 a_child_that_inherited_the_lock_is_waited_for, waiting_for_ready,
				 a_pod_that_ended_early_is_never_ready, a_prepared_pod_keeps_waiting);
}
