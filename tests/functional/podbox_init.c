/*
 * podbox_init — init seen from the supervisor: ends, fates, signals, grace, death, handlers.
 */
#include "tests/functional/podbox.h"

static struct plan_maker plan;
static struct box box;

static void go(void)
{
	box = box_new();
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
}

START_TEST(exit_status_is_the_apps)
{
	struct plan_msg m;

	pm_init(&plan, 1);
	pm_sh(&plan, 0, "exit 7");
	go();
	m = box_expect(&box, MSG_STARTED, 0);
	ck_assert_int_gt(m.value, 1);
	ck_assert_int_eq(m.code, 1); /* the only one, so that is all */
	m = box_expect(&box, MSG_EXITED, 0);
	ck_assert_int_eq(m.value, 7 << 8);
	(void)box_expect(&box, MSG_DONE, -1);
	ck_assert_int_eq(box_wait(&box), 7 << 8);
}
END_TEST

START_TEST(signal_is_128_and_its_number)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0, "kill -9 $$");
	go();
	ck_assert_int_eq(box_until(&box, MSG_EXITED).value, SIGKILL);
	box_done(&box, 137);
}
END_TEST

START_TEST(pid_is_that_of_the_pod)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0, "echo $$");
	go();
	ck_assert_int_eq(box_expect(&box, MSG_STARTED, 0).value, (int)strtol(box_line(&box), NULL, 10));
	box_done(&box, 0);
}
END_TEST

START_TEST(exit_0_leaves_the_others_alone)
{
	pm_init(&plan, 2);
	pm_sh(&plan, 0, "exit 0");
	pm_sh(&plan, 1, "read x; echo $x; exit 0");
	go();
	ck_assert_int_eq(box_until(&box, MSG_EXITED).app, 0);
	while (box_ready(box.ctl, 200))
		ck_assert_int_ne(box_recv(&box).type, MSG_EXITED);
	ck_assert_int_eq(write(box.in, "still\n", 6), 6);
	ck_assert_str_eq(box_line(&box), "still");
	ck_assert_int_eq(box_until(&box, MSG_EXITED).value, 0);
	box_done(&box, 0);
}
END_TEST

START_TEST(failure_ends_the_others_by_sigterm)
{
	struct plan_msg m;

	pm_init(&plan, 3);
	pm_sh(&plan, 0, "read x; exit 3");
	pm_sh(&plan, 1, "exec sleep 1000");
	pm_sh(&plan, 2, "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done");
	go();
	box_until_ready(&box);
	ck_assert_str_eq(box_line(&box), "up");
	ck_assert_int_eq(write(box.in, "\n", 1), 1);
	m = box_until(&box, MSG_EXITED);
	ck_assert_int_eq(m.app, 0);
	ck_assert_int_eq(m.value, 3 << 8);
	for (int i = 0; i < 2; i++) {
		m = box_until(&box, MSG_EXITED);
		ck_assert_int_eq(m.value, m.app == 1 ? SIGTERM : 9 << 8);
	}
	box_done(&box, 3); /* the first failure counts */
}
END_TEST

static void deaf_app(const char *script)
{
	pm_init(&plan, 1);
	pm_head(&plan)->grace_ms = 300;
	pm_sh(&plan, 0, script);
	go();
	ck_assert_str_eq(box_line(&box), "up");
	box_send(&box, MSG_STOP, 0);
	box_send(&box, MSG_STOP, 0);
	ck_assert_int_eq(box_until(&box, MSG_EXITED).value, SIGKILL);
	box_done(&box, 137);
}

START_TEST(deaf_app_is_killed_after_the_grace_time)
{
	deaf_app("trap '' TERM; echo up; while :; do sleep 0.05; done");
}
END_TEST

START_TEST(stopped_app_is_killed_too)
{
	deaf_app("trap 'kill -STOP $$' TERM; echo up; kill -STOP $$; while :; do sleep 0.05; done");
}
END_TEST

START_TEST(stop_is_orderly)
{
	pm_init(&plan, 2);
	pm_sh(&plan, 0, "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done");
	pm_sh(&plan, 1, "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done");
	go();
	ck_assert_str_eq(box_line(&box), "up");
	ck_assert_str_eq(box_line(&box), "up");
	box_send(&box, MSG_STOP, 0);
	box_done(&box, 0);
}
END_TEST

START_TEST(stop_before_go_starts_nothing)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0, "echo no");
	box = box_new();
	box_start(&box, &plan);
	box_send(&box, MSG_STOP, 0);
	ck_assert_str_eq(box_output(&box), "");
	(void)box_expect(&box, MSG_DONE, -1);
	ck_assert_int_eq(box_wait(&box), 0);
}
END_TEST

START_TEST(signals_are_forwarded)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0, "trap 'exit 5' USR1; echo up; while :; do sleep 0.05; done");
	go();
	ck_assert_str_eq(box_line(&box), "up");
	box_send(&box, MSG_SIGNAL, 0);
	box_send(&box, MSG_SIGNAL, 4711);
	box_send(&box, MSG_SIGNAL, -1);
	box_send(&box, MSG_SIGNAL, SIGUSR1);
	ck_assert_int_eq(box_until(&box, MSG_EXITED).value, 5 << 8);
	box_done(&box, 5);
}
END_TEST

START_TEST(odd_messages_are_ignored)
{
	char big[500] = "x";

	pm_init(&plan, 1);
	pm_sh(&plan, 0, "read x; exit 4");
	go();
	box_until_ready(&box);
	ck_assert_int_eq(send(box.ctl, "x", 1, 0), 1);
	ck_assert_int_eq(send(box.ctl, "", 0, 0), 0);
	ck_assert_int_eq(send(box.ctl, big, sizeof(big), 0), sizeof(big));
	box_send(&box, 4711, 0);
	box_send(&box, MSG_GO, 0);
	box_send(&box, MSG_DONE, 0);
	ck_assert(!box_ready(box.ctl, 100));
	ck_assert_int_eq(write(box.in, "\n", 1), 1);
	box_done(&box, 4);
}
END_TEST

/* An app with a child that left its session and its parent. */
#define DAEMON                                                                                               \
	"(setsid sh -c 'trap \"\" TERM HUP; sleep 1000 & sleep 1000' </dev/null & ) ; sleep 0.1; echo up; "  \
	"trap '' TERM; while :; do sleep 0.05; done"

static void supervisor_dies(uint32_t flags, uint32_t napps)
{
	pm_init(&plan, napps);
	pm_head(&plan)->flags = flags;
	for (uint32_t i = 0; i < napps; i++)
		pm_sh(&plan, i, DAEMON);
	go();
	for (uint32_t i = 0; i < napps; i++)
		ck_assert_str_eq(box_line(&box), "up");
	ck_assert_int_eq(close(box.ctl), 0);
	(void)box_wait(&box);
	ck_assert_str_eq(box_output(&box), ""); /* end of file: no process of the pod is left */
}

START_TEST(supervisors_death_kills_all)
{
	supervisor_dies(PLAN_PIDNS, 2);
}
END_TEST

START_TEST(supervisors_death_kills_all_without_pid_namespace)
{
	supervisor_dies(0, 2);
}
END_TEST

START_TEST(supervisors_death_before_go_starts_nothing)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0, "echo no");
	go(); /* GO is on its way, and still too late */
	ck_assert_int_eq(close(box.ctl), 0);
	(void)box_wait(&box);
	(void)box_output(&box);
}
END_TEST

START_TEST(leftovers_die_with_the_last_app)
{
	for (uint32_t flags = 0; flags <= PLAN_PIDNS; flags++) {
		pm_init(&plan, 1);
		pm_head(&plan)->flags = flags;
		pm_sh(&plan, 0, "(setsid sleep 1000 &) ; (sleep 1000 &) ; exit 6");
		(void)box_run(&plan, 6);
	}
}
END_TEST

START_TEST(orphans_do_not_stay_zombies)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0,
	      "for i in 1 2 3 4 5; do (true &) ; done; n=0; "
	      "while cat /proc/[0-9]*/status 2>/dev/null | grep -q '^State:.Z'; do "
	      "n=$((n+1)); [ $n -lt 1000 ] || exit 1; sleep 0.05; done");
	(void)box_run(&plan, 0);
}
END_TEST

START_TEST(handlers_run_around_the_app)
{
	static const char *const pre[] = { "/bin/sh", "-c", "echo pre", NULL };
	static const char *const post[] = { "sh", "-c", "echo post $A; exit 3", NULL };

	pm_init(&plan, 1);
	pm_sh(&plan, 0, "echo main; exit 2");
	pm_app(&plan, 0)->pre_start = pm_vec(&plan, pre);
	pm_app(&plan, 0)->post_stop = pm_vec(&plan, post);
	go();
	ck_assert_str_eq(box_output(&box), "pre\nmain\npost b\n");
	(void)box_expect(&box, MSG_STARTED, 0);
	ck_assert_int_eq(box_expect(&box, MSG_EXITED, 0).value, 2 << 8);
	struct plan_msg m = box_expect(&box, MSG_FAILED, 0);
	ck_assert_int_eq(m.value, INIT_POST_STOP);
	ck_assert_str_eq(m.text, "exit status 3");
	box_done(&box, 2);
}
END_TEST

START_TEST(failed_pre_start_prevents_the_app)
{
	static const char *const pre[] = { "/bin/sh", "-c", "echo pre; exit 9", NULL };

	pm_init(&plan, 2);
	pm_sh(&plan, 0, "echo main");
	pm_sh(&plan, 1, "exec sleep 1000");
	pm_app(&plan, 0)->pre_start = pm_vec(&plan, pre);
	go();
	ck_assert_str_eq(box_output(&box), "pre\n");
	struct plan_msg m = box_until(&box, MSG_FAILED);
	ck_assert_int_eq(m.value, INIT_PRE_START);
	ck_assert_str_eq(m.text, "exit status 9");
	/* That the other app has started may be said before, between or not at all. */
	m = box_until(&box, MSG_EXITED);
	ck_assert_int_eq(m.app, 0);
	ck_assert_int_eq(m.value, 9 << 8);
	m = box_until(&box, MSG_EXITED);
	ck_assert_int_eq(m.app, 1);
	ck_assert_int_eq(m.value, SIGTERM);
	box_done(&box, 9);
}
END_TEST

START_TEST(post_stop_is_bounded)
{
	static const char *const post[] = { "/bin/sh", "-c", "trap '' TERM; echo post; sleep 1000", NULL };

	pm_init(&plan, 1);
	pm_head(&plan)->grace_ms = 3000;
	pm_sh(&plan, 0, "exit 0");
	pm_app(&plan, 0)->post_stop = pm_vec(&plan, post);
	go();
	ck_assert_str_eq(box_output(&box), "post\n");
	ck_assert_str_eq(box_until(&box, MSG_FAILED).text, "signal 9");
	box_done(&box, 0);
}
END_TEST

START_TEST(slow_supervisor_misses_nothing)
{
	int exited = 0, started = 0;
	uint32_t type = 0;

	pm_init(&plan, 40);
	for (uint32_t i = 0; i < 40; i++)
		pm_sh(&plan, i, "echo $$");
	box = box_new();
	box.sndbuf = 1;
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
	for (int i = 0; i < 40; i++)
		ck_assert_str_ne(box_line(&box), "");
	while (type != MSG_DONE) {
		type = box_recv(&box).type;
		exited += type == MSG_EXITED;
		started += type == MSG_STARTED;
	}
	ck_assert_int_eq(started, 40);
	ck_assert_int_eq(exited, 40);
	ck_assert_int_eq(box_wait(&box), 0);
}
END_TEST

START_TEST(sigterm_from_outside_is_a_stop)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0, "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done");
	go();
	ck_assert_str_eq(box_line(&box), "up");
	ck_assert_int_eq(kill(box.pid, SIGHUP), 0);
	ck_assert_int_eq(kill(box.pid, SIGTERM), 0);
	box_done(&box, 0);
}
END_TEST

START_TEST(damaged_plan_is_refused)
{
	for (int i = 0; i < 2; i++) {
		struct plan_msg m;

		pm_init(&plan, 1);
		pm_sh(&plan, 0, "exit 0");
		pm_done(&plan);
		box = box_new();
		if (i == 0)
			pm_head(&plan)->version++;
		else
			pm_app(&plan, 0)->cwd = plan.len;
		box_start(&box, &plan);
		m = box_expect(&box, MSG_FAILED, -1);
		ck_assert_int_eq(m.value, INIT_PLAN);
		ck_assert_str_eq(m.text, "read the plan");
		ck_assert_int_eq(box_wait(&box), 254 << 8);
	}
}
END_TEST

START_TEST(closed_standard_descriptors_do_no_harm)
{
	pm_init(&plan, 1);
	pm_sh(&plan, 0, "echo ok");
	box = box_new();
	box.closed_std = true;
	box_start(&box, &plan);
	box_send(&box, MSG_GO, 0);
	ck_assert_str_eq(box_output(&box), "ok\n");
	box_done(&box, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		exit_status_is_the_apps,
		signal_is_128_and_its_number,
		pid_is_that_of_the_pod,
		exit_0_leaves_the_others_alone,
		failure_ends_the_others_by_sigterm,
		deaf_app_is_killed_after_the_grace_time,
		stopped_app_is_killed_too,
		stop_is_orderly,
		stop_before_go_starts_nothing,
		signals_are_forwarded,
		odd_messages_are_ignored,
		supervisors_death_kills_all,
		supervisors_death_kills_all_without_pid_namespace,
		supervisors_death_before_go_starts_nothing,
		leftovers_die_with_the_last_app,
		orphans_do_not_stay_zombies,
		handlers_run_around_the_app,
		failed_pre_start_prevents_the_app,
		post_stop_is_bounded,
		slow_supervisor_misses_nothing,
		sigterm_from_outside_is_a_stop,
		damaged_plan_is_refused,
		closed_standard_descriptors_do_no_harm,
	};

	return suite_run("init", tests, sizeof(tests) / sizeof(tests[0]));
}
