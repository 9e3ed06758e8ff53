/* test_sysctl — which kernel parameters belong to which namespace. */
#include "suite.h"

#include <sched.h>

#include "base/alloc.h"
#include "stage1/lib/sysctl.h"

static struct pod_manifest *manifest;
static struct podctx ctx;

/* -errno for one parameter of a pod with the namespaces @ns. */
static int check_one(const char *name, uint64_t ns, struct err *e)
{
	err_clear(e);
	manifest = pod_manifest_new();
	ctx = (struct podctx){ .manifest = manifest };
	ck_assert_int_eq(
		isolators_add(&manifest->isolators, "os/unix/sysctl", json_pack("{s:s}", name, "1"), e), 0);
	int r = sysctl_check(&ctx, ns, e);
	pod_manifest_free(manifest);
	return r;
}

#define NET CLONE_NEWNET
#define IPC CLONE_NEWIPC

static const struct {
	const char *name;
	uint64_t ns; /* 0: no namespace makes it a pod's */
} rows[] = {
	{ "net.ipv4.ip_forward", NET },
	{ "net/ipv4/conf/eth0.1/forwarding", NET },
	{ "net.ipv4.conf.eth0/1.forwarding", NET },
	{ "kernel.shmmax", IPC },
	{ "kernel.shm_rmid_forced", IPC },
	{ "kernel.sem", IPC },
	{ "kernel.msgmnb", IPC },
	{ "fs.mqueue.queues_max", IPC },
	{ "kernel.hostname", 0 },
	{ "kernel.domainname", 0 },
	{ "kernel.shm", 0 },
	{ "kernel.semaphore", 0 },
	{ "kernel.core_pattern", 0 },
	{ "kernel/modprobe", 0 },
	{ "vm.overcommit_memory", 0 },
	{ "fs.file-max", 0 },
	{ "fs.mqueue", 0 },
	{ "net", 0 },
	{ "net.", 0 },
	{ "network.x", 0 },
	{ "", 0 },
	{ ".", 0 },
	{ "/kernel/shmmax", 0 },
	{ "net/../kernel/core_pattern", 0 },
	{ "net/./ipv4", 0 },
	{ "net//ipv4", 0 },
	{ "net/ipv4/", 0 },
	{ "net.ipv4./../x", 0 },
};

START_TEST(names_and_namespaces)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (uint64_t have = 0; have < 4; have++) {
			uint64_t ns = (have & 1 ? NET : 0) | (have & 2 ? IPC : 0) | CLONE_NEWUTS;
			bool good = rows[i].ns && rows[i].ns & ns;

			ck_assert_msg((check_one(rows[i].name, ns, &e) == 0) == good, "%s: %s", rows[i].name,
				      e.text);
		}
	}
}
END_TEST

/* An app's and the pod's value of one parameter, the names in two spellings. */
static int check_two(const char *of_app, const char *of_pod)
{
	struct err e = ERR_INIT;
	struct app *app = app_new();
	struct runtime_app rt = { .name = NULL };
	struct pod_app pa = { .rt = &rt, .app = app };

	manifest = pod_manifest_new();
	ctx = (struct podctx){ .manifest = manifest, .apps = &pa, .napps = 1 };
	OK(isolators_add(&manifest->isolators, "os/unix/sysctl", json_pack("{s:s}", "kernel.shmmni", of_pod),
			 &e));
	OK(isolators_add(&app->isolators, "os/unix/sysctl", json_pack("{s:s}", "kernel/shmmni", of_app), &e));
	int r = sysctl_check(&ctx, IPC, &e);
	app_free(app);
	pod_manifest_free(manifest);
	return r;
}

START_TEST(two_values_exclude_each_other)
{
	ck_assert_int_eq(check_two("5", "5"), 0);
	ck_assert_int_eq(check_two("5", "6"), -EINVAL);
}
END_TEST

START_TEST(without_any_nothing_is_opened)
{
	struct err e = ERR_INIT;

	manifest = pod_manifest_new();
	ctx = (struct podctx){ .manifest = manifest };
	ck_assert_int_eq(sysctl_check(&ctx, 0, &e), 0);
	ck_assert_int_eq(sysctl_apply(&ctx, -1, &e), 0); /* -1 would be EBADF */
	pod_manifest_free(manifest);
}
END_TEST

int main(void)
{
	return SUITE_RUN("sysctl", names_and_namespaces, two_values_exclude_each_other,
			 without_any_nothing_is_opened);
}
