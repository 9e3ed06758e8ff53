/* gc: what moves, what waits, what goes, and that ten thousand pods need no more descriptors than one. */
#include "tests/unit/datafix.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "stage0/classic.h"
#include "stage0/gc.h"
#include "stage0/mounts.h"
#include "stage1/contract.h"

#define HOUR   3600000000000
#define EVENTS 6

struct fix {
	struct datafix in;
	int seen[EVENTS];
	char last[UUID_LEN + 1];
};

static struct fix setup(void)
{
	return (struct fix){ .in = datafix_new() };
}

static void teardown(struct fix *f)
{
	datafix_done(&f->in);
}

static void note(void *arg, enum gc_event ev, const char *uuid, const struct err *e)
{
	struct fix *f = arg;

	ck_assert((ev == GC_FAILED) == (e != NULL));
	f->seen[ev]++;
	memcpy(f->last, uuid, sizeof(f->last));
}

static void run_gc(struct fix *f, int64_t grace, int64_t expire, bool mark_only)
{
	struct gc_options o = { .grace_ns = grace,
				.expire_prepared_ns = expire,
				.mark_only = mark_only,
				.report = note,
				.arg = f };
	struct err e = ERR_INIT;

	memset(f->seen, 0, sizeof(f->seen));
	OK(gc_run(&f->in.d, &o, &e));
}

/* Leaves an unlocked pod in the state named by how far it goes. */
static void make(struct fix *f, enum pod_state to, char uuid[UUID_LEN + 1])
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	OK(pod_create(&f->in.d, &p, &e));
	memcpy(uuid, p.uuid, UUID_LEN + 1);
	ck_assert_int_eq(write_file_at(p.fd, "pod", "{}", 2, 0640, 0), 0);
	ck_assert_int_eq(mkdir_p_at(p.fd, "stage1/rootfs/a/b", 0750), 0);
	if (to == POD_PREPARED)
		OK(pod_to_prepared(&p, &e));
	else if (to == POD_EXITED)
		OK(pod_to_run(&p, &e));
}

START_TEST(one_pass_over_everything)
{
	struct fix f = setup();
	auto_pod running = POD_INIT;
	struct err e = ERR_INIT;
	char exited[UUID_LEN + 1], aborted[UUID_LEN + 1], prepared[UUID_LEN + 1];

	make(&f, POD_EXITED, exited);
	make(&f, POD_ABORTED_PREPARE, aborted);
	make(&f, POD_PREPARED, prepared);
	OK(pod_create(&f.in.d, &running, &e));
	OK(pod_to_run(&running, &e));

	run_gc(&f, HOUR, HOUR, true);
	ck_assert_int_eq(f.seen[GC_MARKED], 1);
	ck_assert_int_eq(f.seen[GC_ABORTED], 1);
	ck_assert_int_eq(f.seen[GC_DELETING] + f.seen[GC_IN_GRACE], 0);
	ck_assert_int_eq(datafix_state(&f.in, exited), POD_EXITED_GARBAGE);
	ck_assert_int_eq(datafix_state(&f.in, aborted), POD_GARBAGE);

	run_gc(&f, HOUR, HOUR, false);
	ck_assert_int_eq(f.seen[GC_IN_GRACE], 1);
	ck_assert_int_eq(f.seen[GC_DELETING], 1); /* garbage has no grace */
	ck_assert_int_eq(f.seen[GC_EXPIRED], 0);
	ck_assert_int_eq(datafix_state(&f.in, aborted), POD_GONE);
	ck_assert_int_eq(datafix_state(&f.in, exited), POD_EXITED_GARBAGE);
	ck_assert_int_eq(datafix_state(&f.in, prepared), POD_PREPARED);

	run_gc(&f, 0, 0, false);
	ck_assert_int_eq(f.seen[GC_EXPIRED], 1);
	ck_assert_int_eq(f.seen[GC_DELETING], 2);
	ck_assert_int_eq(f.seen[GC_FAILED], 0);
	ck_assert_int_eq(datafix_state(&f.in, exited), POD_GONE);
	ck_assert_int_eq(datafix_state(&f.in, prepared), POD_GONE);
	ck_assert_int_eq(datafix_state(&f.in, running.uuid), POD_RUNNING);
	teardown(&f);
}
END_TEST

START_TEST(zero_grace_deletes_in_the_same_pass)
{
	struct fix f = setup();
	char uuid[UUID_LEN + 1];

	make(&f, POD_EXITED, uuid);
	run_gc(&f, 0, HOUR, false);
	ck_assert_int_eq(f.seen[GC_MARKED], 1);
	ck_assert_int_eq(f.seen[GC_DELETING], 1);
	ck_assert_int_eq(datafix_state(&f.in, uuid), POD_GONE);
	teardown(&f);
}
END_TEST

START_TEST(a_pod_in_use_is_passed_over)
{
	struct fix f = setup();
	char uuid[UUID_LEN + 1];
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	make(&f, POD_EXITED, uuid);
	run_gc(&f, HOUR, HOUR, false);
	OK(pod_open(&f.in.d, uuid, &p, &e));
	OK(pod_lock(&p, &e)); /* another gc at work */
	run_gc(&f, 0, 0, false);
	ck_assert_int_eq(f.seen[GC_DELETING] + f.seen[GC_FAILED], 0);
	pod_done(&p);
	run_gc(&f, 0, 0, false);
	ck_assert_int_eq(f.seen[GC_DELETING], 1);
	teardown(&f);
}
END_TEST

START_TEST(rm_takes_what_has_ended_and_refuses_the_rest)
{
	struct fix f = setup();
	char uuid[3][UUID_LEN + 1];
	auto_pod p = POD_INIT, running = POD_INIT, preparing = POD_INIT;
	struct err e = ERR_INIT;

	make(&f, POD_EXITED, uuid[0]);
	make(&f, POD_ABORTED_PREPARE, uuid[1]);
	make(&f, POD_PREPARED, uuid[2]);
	for (int i = 0; i < 3; i++) {
		auto_pod q = POD_INIT;

		OK(pod_open(&f.in.d, uuid[i], &q, &e));
		OK(gc_remove_pod(&q, false, NULL, &e));
		ck_assert_int_eq(datafix_state(&f.in, uuid[i]), POD_GONE);
	}
	OK(pod_create(&f.in.d, &running, &e));
	OK(pod_to_run(&running, &e));
	OK(pod_open(&f.in.d, running.uuid, &p, &e));
	ck_assert_int_eq(gc_remove_pod(&p, false, NULL, &e), -EBUSY);
	ck_assert_ptr_nonnull(strstr(e.text, "running"));
	pod_done(&p);
	OK(pod_create(&f.in.d, &preparing, &e));
	OK(pod_open(&f.in.d, preparing.uuid, &p, &e));
	ck_assert_int_eq(gc_remove_pod(&p, false, NULL, &e), -EBUSY);
	ck_assert_ptr_nonnull(strstr(e.text, "preparing"));
	teardown(&f);
}
END_TEST

/* An exited pod whose stage1 is @script. */
static void make_with_stage1(struct fix *f, const char *script, char uuid[UUID_LEN + 1])
{
	static const char manifest[] = "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a/"
				       "stage1-x\",\"annotations\":["
				       "{\"name\":\"" CONTRACT_RUN
				       "\",\"value\":\"/run\"},{\"name\":\"" CONTRACT_GC
				       "\",\"value\":\"/gc\"},"
				       "{\"name\":\"" CONTRACT_NATIVE "\",\"value\":\"true\"}]}";
	auto_free char *dir = xasprintf("%s/flavor\n", f->in.path);
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	ck_assert_int_eq(mkdir_p_at(f->in.fd, "flavor/rootfs", 0755), 0);
	ck_assert_int_eq(write_file_at(f->in.fd, "flavor/rootfs/gc", script, strlen(script), 0755, 0), 0);
	OK(pod_create(&f->in.d, &p, &e));
	memcpy(uuid, p.uuid, UUID_LEN + 1);
	ck_assert_int_eq(mkdir_p_at(p.fd, "stage1/rootfs", 0750), 0);
	ck_assert_int_eq(write_file_at(p.fd, "stage1/manifest", manifest, strlen(manifest), 0640, 0), 0);
	ck_assert_int_eq(write_file_at(p.fd, "stage1-path", dir, strlen(dir), 0640, 0), 0);
	OK(pod_to_run(&p, &e));
}

START_TEST(stage1_cleans_up_before_the_pod_goes)
{
	struct fix f = setup();
	char uuid[UUID_LEN + 1];
	auto_free char *out = xasprintf("#!/bin/sh\n{ echo \"$@\"; pwd; ls stage1/manifest; } >%s/gc.out\n",
					f.in.path);
	auto_free char *want = NULL;
	auto_buf b = BUF_INIT;

	make_with_stage1(&f, out, uuid);
	run_gc(&f, 0, HOUR, false);
	ck_assert_int_eq(read_file_at(f.in.fd, "gc.out", 4096, &b), 0);
	want = xasprintf("%s\n%s/pods/exited-garbage/%s\nstage1/manifest\n", uuid, f.in.path, uuid);
	ck_assert_str_eq(buf_str(&b), want);
	ck_assert_int_eq(datafix_state(&f.in, uuid), POD_GONE);
	teardown(&f);
}
END_TEST

START_TEST(a_failing_stage1_does_not_keep_the_pod)
{
	struct fix f = setup();
	char uuid[UUID_LEN + 1];
	auto_free char *err = xasprintf("%s/stderr", f.in.path);

	ck_assert_ptr_nonnull(freopen(err, "w", stderr));
	make_with_stage1(&f, "#!/bin/sh\nexit 9\n", uuid);
	run_gc(&f, 0, HOUR, false);
	ck_assert_int_eq(datafix_state(&f.in, uuid), POD_GONE);
	make_with_stage1(&f, "not a program", uuid);
	run_gc(&f, 0, HOUR, false);
	ck_assert_int_eq(datafix_state(&f.in, uuid), POD_GONE);
	auto_buf b = BUF_INIT;
	ck_assert_int_eq(fflush(stderr), 0);
	ck_assert_int_eq(read_file_at(f.in.fd, "stderr", 4096, &b), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "status 9"));
	teardown(&f);
}
END_TEST

START_TEST(two_collectors_do_not_quarrel)
{
	struct fix f = setup();
	char uuid[UUID_LEN + 1];
	pid_t others[2];
	int status;

	for (int i = 0; i < 200; i++)
		make(&f, i % 3 ? POD_EXITED : POD_ABORTED_PREPARE, uuid);
	for (int i = 0; i < 2; i++) {
		others[i] = fork();
		if (others[i] == 0) {
			run_gc(&f, 0, 0, false);
			_exit(f.seen[GC_FAILED] ? 1 : 0);
		}
	}
	run_gc(&f, 0, 0, false);
	ck_assert_int_eq(f.seen[GC_FAILED], 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(waitpid(others[i], &status, 0), others[i]);
		ck_assert_int_eq(status, 0);
	}
	auto_strv left = NULL;
	struct err e = ERR_INIT;
	run_gc(&f, 0, 0, false); /* what one had locked while another looked */
	OK(pods_list(&f.in.d, PODS_ALL, &left, &e));
	ck_assert_uint_eq(strv_len(left), 0);
	teardown(&f);
}
END_TEST

START_TEST(two_thousand_pods_and_few_descriptors)
{
	struct fix f = setup();
	struct rlimit few = { 0, 0 };
	struct err e = ERR_INIT;
	auto_strv all = NULL;
	int next = open("/dev/null", O_RDONLY);

	for (int i = 0; i < 2000; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), DIR_RUN "/00000000-0000-4000-8000-%012d", i);
		ck_assert_int_eq(mkdirat(f.in.d.fd, path, 0750), 0);
	}
	few.rlim_cur = few.rlim_max = (rlim_t)next + 10;
	ck_assert_int_eq(close(next), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	OK(pods_list(&f.in.d, PODS_MOST, &all, &e));
	ck_assert_uint_eq(strv_len(all), 2000);
	for (char **u = all; *u; u++)
		ck_assert_int_eq(datafix_state(&f.in, *u), POD_EXITED);
	run_gc(&f, 0, 0, false);
	ck_assert_int_eq(f.seen[GC_MARKED], 2000);
	ck_assert_int_eq(f.seen[GC_DELETING], 2000);
	ck_assert_int_eq(f.seen[GC_FAILED], 0);
	teardown(&f);
}
END_TEST

/* In a mount namespace of our own: mounts below the pod go, those that merely look so stay. */
START_TEST(mounts_below_the_pod_are_undone)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return; /* not root: nothing here can be tried */
	struct fix f = setup();
	auto_pod p = POD_INIT;
	auto_strv left = NULL;
	auto_free char *outside = xasprintf("%s/outside", f.in.path), *inner = NULL, *pod = NULL,
		       *peer = NULL;
	struct err e = ERR_INIT;

	OK(pod_create(&f.in.d, &p, &e));
	pod = xasprintf("%s/pods/prepare/%s", f.in.path, p.uuid);
	inner = xasprintf("%s/stage1/root fs", pod);
	peer = xasprintf("%s/peer", outside);
	ck_assert_int_eq(mkdirat(f.in.fd, "outside", 0755), 0);
	ck_assert_int_eq(mount("none", outside, "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mount(NULL, outside, NULL, MS_SHARED, NULL), 0);
	ck_assert_int_eq(mkdir(peer, 0755), 0);
	ck_assert_int_eq(mount("none", peer, "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mkdir_p_at(p.fd, "stage1/root fs", 0755), 0);
	/* A shared bind: what is unmounted below it would be unmounted outside too. */
	ck_assert_int_eq(mount(outside, inner, NULL, MS_BIND | MS_REC, NULL), 0);
	auto_close int busy = openat(p.fd, "stage1/root fs/peer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(busy, 0);
	ck_assert_int_eq(mounts_below(pod, &left), 0);
	ck_assert_uint_eq(strv_len(left), 2);
	OK(pod_unmount_all(&p, &e));
	strv_free(left);
	left = NULL;
	ck_assert_int_eq(mounts_below(pod, &left), 0);
	ck_assert_uint_eq(strv_len(left), 0);
	ck_assert_int_eq(mounts_below(outside, &left), 0);
	ck_assert_uint_eq(strv_len(left), 1);
	ck_assert_int_eq(umount2(peer, MNT_DETACH), 0);
	ck_assert_int_eq(umount2(outside, MNT_DETACH), 0);
	teardown(&f);
}
END_TEST

int main(void)
{
	return SUITE_RUN("gc", one_pass_over_everything, zero_grace_deletes_in_the_same_pass,
			 a_pod_in_use_is_passed_over, rm_takes_what_has_ended_and_refuses_the_rest,
			 stage1_cleans_up_before_the_pod_goes, a_failing_stage1_does_not_keep_the_pod,
			 two_collectors_do_not_quarrel, two_thousand_pods_and_few_descriptors,
			 mounts_below_the_pod_are_undone);
}
