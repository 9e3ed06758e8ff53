/* stage1: which one is chosen, what is recorded, and what crosses the contract by interface version. */
#include "tests/unit/suite.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "stage0/podfacts.h"
#include "stage0/stage1.h"
#include "stage1/contract.h"

struct fix {
	char *path, *lib, *data;
	int fd;
	struct datadir d;
	struct store s;
	struct config cfg;
	struct fetch_env fe;
};

/* Records what it was given in the pod directory, where it is started. */
static const char script[] =
	"#!/bin/sh\n"
	"me=$(basename \"$0\")\n"
	"for a; do echo \"$a\"; done >\"$me.argv\"\n"
	"echo \"$0\" >\"$me.self\"\n"
	"pwd >\"$me.cwd\"\n"
	"ls /proc/$$/fd >\"$me.fds\"\n"
	"echo \"$RKT_LOCK_FD ${RKT_SELINUX_CONTEXT-unset} ${RKT_SELINUX_MOUNT_CONTEXT-unset}\" "
	">\"$me.env\"\n"
	"echo noise\n"
	"exit $(cat \"$me.code\" 2>/dev/null || echo 0)\n";

static char *manifest(const char *name, int version, bool native, bool stop)
{
	auto_free char *v = version ? xasprintf(",{\"name\":\"" CONTRACT_VERSION "\",\"value\":\"%d\"}",
						version)
				    : xstrdup("");

	return xasprintf("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"%s\","
			 "\"labels\":[{\"name\":\"version\",\"value\":\"2.0.0\"},{\"name\":\"os\",\"value\":"
			 "\"linux\"},"
			 "{\"name\":\"arch\",\"value\":\"amd64\"}],"
			 "\"annotations\":[{\"name\":\"" CONTRACT_RUN "\",\"value\":\"/run\"},"
			 "{\"name\":\"" CONTRACT_ENTER "\",\"value\":\"/enter\"},"
			 "{\"name\":\"" CONTRACT_GC "\",\"value\":\"/gc\"}%s%s%s]}",
			 name, stop ? ",{\"name\":\"" CONTRACT_STOP "\",\"value\":\"/stop\"}" : "", v,
			 native ? ",{\"name\":\"" CONTRACT_NATIVE "\",\"value\":\"true\"}" : "");
}

static void put(int dirfd, const char *name, const char *text, mode_t mode)
{
	ck_assert_int_eq(write_file_at(dirfd, name, text, strlen(text), mode, 0), 0);
}

static void install_flavor(struct fix *f, const char *flavor, const char *text)
{
	static const char *const programs[] = { "run", "enter", "gc", "stop" };
	auto_free char *dir = xasprintf("lib/stage1/%s/rootfs", flavor);
	auto_free char *file = xasprintf("lib/stage1/%s/manifest", flavor);

	ck_assert_int_eq(mkdir_p_at(f->fd, dir, 0755), 0);
	put(f->fd, file, text, 0644);
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		auto_free char *program = xasprintf("%s/%s", dir, programs[i]);
		put(f->fd, program, script, 0755);
	}
}

static struct fix setup(void)
{
	struct fix f = { .fd = FD_NONE };
	struct err e = ERR_INIT;
	auto_free char *ns = manifest("coreos.com/rkt/stage1-ns", 6, true, true);
	auto_free char *fly = manifest("coreos.com/rkt/stage1-fly", 5, true, true);

	f.fd = suite_make_dir(&f.path);
	f.lib = xasprintf("%s/lib", f.path);
	f.data = xasprintf("%s/data", f.path);
	OK(datadir_open(f.data, true, &f.d, &e));
	OK(store_open(&f.d, &f.s, &e));
	install_flavor(&f, "ns", ns);
	install_flavor(&f, "fly", fly);
	f.fe.lib_dir = f.lib;
	f.fe.data_dir = f.data;
	f.fe.system_config = f.fe.local_config = f.path;
	return f;
}

static void teardown(struct fix *f)
{
	store_done(&f->s);
	datadir_done(&f->d);
	suite_drop_dir(f->fd, f->path);
	free(f->lib);
	free(f->data);
}

/* An image with a tree, as fetch would leave it. */
static void import(struct fix *f, char digit, const char *name, const char *text)
{
	struct image_info i = { .id = "" };
	struct err e = ERR_INIT;
	auto_free char *tree = NULL;

	(void)snprintf(i.id, sizeof(i.id), "sha512-%063d%c", 0, digit);
	tree = xasprintf(DIR_TREE "/%s/rootfs", i.id);
	i.digest = xstrdup("sha512-0");
	i.blob_algo = xstrdup("sha512");
	i.blob_digest = xasprintf("%0128d", 0);
	i.name = xstrdup(name);
	i.manifest = xstrdup(text);
	pairs_set(&i.labels, "version", "9.9.9");
	OK(store_publish_image(&f->s, &i, &e));
	ck_assert_int_eq(mkdir_p_at(f->d.fd, tree, 0755), 0);
	image_info_done(&i);
}

/* The images of this test were never verified. */
static int select_it(struct fix *f, struct stage1_choice c, struct stage1 *s, struct err *e)
{
	static const char *const words[] = { "image", NULL };
	struct fetch_env accept = f->fe;

	accept.insecure = (char *const *)words;
	return stage1_select(&c, &f->cfg, &f->s, &accept, s, e);
}

static void expect_dir(struct fix *f, struct stage1_choice c, const char *below)
{
	auto_free char *want = xasprintf("%s/%s", f->path, below);
	struct stage1 s;
	struct err e = ERR_INIT;

	OK(select_it(f, c, &s, &e));
	ck_assert_str_eq(s.dir, want);
	stage1_done(&s);
}

START_TEST(the_default_is_ns)
{
	struct fix f = setup();
	struct stage1 s;
	struct err e = ERR_INIT;

	OK(select_it(&f, (struct stage1_choice){ .name = NULL }, &s, &e));
	ck_assert(s.native);
	ck_assert_int_eq(s.interface_version, 6);
	ck_assert_ptr_null(s.tree_id);
	stage1_done(&s);
	expect_dir(&f, (struct stage1_choice){ .name = "" }, "lib/stage1/ns");
	teardown(&f);
}
END_TEST

START_TEST(names_of_installed_flavors)
{
	struct fix f = setup();
	struct stage1 s;
	struct err e = ERR_INIT;

	expect_dir(&f, (struct stage1_choice){ .name = "coreos.com/rkt/stage1-fly" }, "lib/stage1/fly");
	expect_dir(&f, (struct stage1_choice){ .name = "coreos.com/rkt/stage1-fly:2.0.0" }, "lib/stage1/fly");
	expect_dir(&f, (struct stage1_choice){ .name = "stage1-ns" }, "lib/stage1/ns");
	expect_dir(&f, (struct stage1_choice){ .from_dir = "stage1-fly.aci" }, "lib/stage1/fly");
	/* Not ours by name, not ours by version, not there at all. */
	ck_assert_int_eq(select_it(&f, (struct stage1_choice){ .name = "evil.com/stage1-fly" }, &s, &e),
			 -ENOENT);
	ck_assert_int_eq(
		select_it(&f, (struct stage1_choice){ .name = "coreos.com/rkt/stage1-fly:1.30.0" }, &s, &e),
		-ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, "fly, ns"));
	ck_assert_int_eq(select_it(&f, (struct stage1_choice){ .name = "coreos.com/rkt/stage1-kvm" }, &s, &e),
			 -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, "--stage1-name"));
	ck_assert_int_eq(select_it(&f, (struct stage1_choice){ .from_dir = "../x.aci" }, &s, &e), -EINVAL);
	ck_assert_int_eq(select_it(&f, (struct stage1_choice){ .from_dir = "absent.aci" }, &s, &e), -ENOENT);
	teardown(&f);
}
END_TEST

START_TEST(images_of_the_store)
{
	struct fix f = setup();
	auto_free char *text = manifest("example.com/stage1-x", 3, false, false);
	auto_free char *want = xasprintf("data/cas/tree/sha512-%063d1", 0);
	auto_free char *plain = xstrdup(
		"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a\"}");
	auto_free char *newer = manifest("example.com/stage1-y", 7, false, false);
	struct stage1 s;
	struct err e = ERR_INIT;

	import(&f, '1', "example.com/stage1-x", text);
	expect_dir(&f, (struct stage1_choice){ .name = "example.com/stage1-x" }, want);
	expect_dir(&f, (struct stage1_choice){ .name = "example.com/stage1-x:9.9.9" }, want);
	expect_dir(&f, (struct stage1_choice){ .hash = "sha512-00" }, want);
	OK(select_it(&f, (struct stage1_choice){ .hash = "sha512-00" }, &s, &e));
	ck_assert(!s.native);
	ck_assert_int_eq(s.interface_version, 3);
	ck_assert_ptr_nonnull(s.tree_id);
	stage1_done(&s);
	ck_assert_int_eq(
		stage1_select(&(struct stage1_choice){ .hash = "sha512-00" }, &f.cfg, &f.s, &f.fe, &s, &e),
		-EKEYREJECTED);
	import(&f, '2', "a", plain);
	ck_assert_int_eq(select_it(&f, (struct stage1_choice){ .name = "a" }, &s, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, CONTRACT_RUN));
	import(&f, '3', "example.com/stage1-y", newer);
	ck_assert_int_eq(select_it(&f, (struct stage1_choice){ .name = "example.com/stage1-y" }, &s, &e),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "interface version 7"));
	ck_assert_int_eq(select_it(&f, (struct stage1_choice){ .hash = "sha512-ff" }, &s, &e), -ENOENT);
	teardown(&f);
}
END_TEST

START_TEST(the_configured_default)
{
	struct fix f = setup();
	auto_free char *text = manifest("example.com/stage1-x", 3, false, false);
	auto_free char *want = xasprintf("data/cas/tree/sha512-%063d1", 0);
	struct stage1 s;
	struct err e = ERR_INIT;

	import(&f, '1', "example.com/stage1-x", text);
	f.cfg.stage1_name = (char[]){ "example.com/stage1-x" };
	f.cfg.stage1_version = (char[]){ "9.9.9" };
	expect_dir(&f, (struct stage1_choice){ .name = NULL }, want);
	expect_dir(&f, (struct stage1_choice){ .name = "stage1-ns" }, "lib/stage1/ns");
	f.cfg.stage1_version = (char[]){ "1.0.0" };
	ck_assert_int_eq(select_it(&f, (struct stage1_choice){ .name = NULL }, &s, &e), -ENOENT);
	f.cfg.stage1_location = (char[]){ "some/where.aci" };
	ck_assert_int_lt(select_it(&f, (struct stage1_choice){ .name = NULL }, &s, &e), 0);
	ck_assert_ptr_nonnull(strstr(
		e.text, "default stage1 image location is either a relative path or a URL without scheme"));
	f.cfg.stage1_name = (char[]){ "coreos.com/rkt/stage1-fly" };
	f.cfg.stage1_version = (char[]){ "2.0.0" };
	expect_dir(&f, (struct stage1_choice){ .name = NULL }, "lib/stage1/fly");
	teardown(&f);
}
END_TEST

START_TEST(the_record_comes_back)
{
	struct fix f = setup();
	auto_free char *text = manifest("example.com/stage1-x", 3, false, false);
	struct err e = ERR_INIT;
	struct stage1 s, back;

	import(&f, '1', "example.com/stage1-x", text);
	for (int classic = 0; classic < 2; classic++) {
		auto_pod p = POD_INIT;

		OK(select_it(&f, (struct stage1_choice){ .hash = classic ? "sha512-00" : NULL }, &s, &e));
		OK(pod_create(&f.d, &p, &e));
		ck_assert_int_eq(stage1_of_pod(&p, &back, &e), -ENOENT);
		OK(stage1_install(&s, &p, &e));
		OK(stage1_of_pod(&p, &back, &e));
		ck_assert_str_eq(back.dir, s.dir);
		ck_assert_str_eq(back.manifest, s.manifest);
		ck_assert_int_eq(back.native, s.native);
		ck_assert_int_eq(back.tree_id != NULL, classic);
		/* our flavors need no directory there */
		ck_assert_int_eq(faccessat(p.fd, POD_STAGE1_ROOTFS, F_OK, 0) == 0, classic);
		stage1_done(&back);
		stage1_done(&s);
	}
	teardown(&f);
}
END_TEST

/* ---- calls ---- */

static char *recorded(const struct pod *p, const char *name)
{
	struct buf b = BUF_INIT;

	ck_assert_msg(read_file_at(p->fd, name, 65536, &b) == 0, "%s was not written", name);
	return buf_steal(&b);
}

/* In a child: what it says goes to a file of the pod. */
static void redirect(const struct pod *p)
{
	int out = openat(p->fd, "stdout", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int err = openat(p->fd, "stderr", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	(void)dup2(out, 1);
	(void)dup2(err, 2);
}

static void run_it(struct fix *f, struct pod *p, int version, const struct run_options *o)
{
	auto_free char *text = manifest("coreos.com/rkt/stage1-ns", version, true, true);
	struct stage1 s;
	struct err e = ERR_INIT;
	int status;
	pid_t pid;

	install_flavor(f, "ns", text);
	OK(select_it(f, (struct stage1_choice){ .name = NULL }, &s, &e));
	OK(pod_create(&f->d, p, &e));
	OK(stage1_install(&s, p, &e));
	OK(pod_to_run(p, &e));
	pid = fork();
	if (pid == 0) {
		redirect(p);
		int r = stage1_exec_run(&s, p, o, &e);
		_exit(r == -ENOTSUP ? 95 : 100);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		put(p->fd, "run.argv", WEXITSTATUS(status) == 95 ? "not supported" : "failed", 0644);
	stage1_done(&s);
}

static void expect_args(int version, const struct run_options *o, const char *want)
{
	struct fix f = setup();
	auto_pod p = POD_INIT;
	auto_free char *got = NULL, *full = NULL;

	run_it(&f, &p, version, o);
	got = recorded(&p, "run.argv");
	full = xasprintf("%s%s\n", want, p.uuid);
	ck_assert_str_eq(got, full);
	teardown(&f);
}

START_TEST(run_arguments_by_version)
{
	char *net[] = { (char[]){ "a:k=v" }, (char[]){ "b" }, NULL };
	const struct run_options all = {
		.debug = true,
		.interactive = true,
		.net = net,
		.local_config = "/etc/rkt",
		.private_users = (char *)(uintptr_t) "65536:65536",
		.hostname = "host",
		.dns_mode = "resolv=host,hosts=host",
		.ipc = "parent",
		.insecure_caps = true,
		.insecure_paths = true,
		.insecure_seccomp = true,
	};
	const char *v1 = "--debug\n--net=a:k=v,b\n--interactive\n--local-config=/etc/"
			 "rkt\n--private-users=65536:65536\n";
	const char *insecure = "--disable-capabilities-restriction\n--disable-paths\n--disable-seccomp\n";
	const char *dns = "--dns-conf-mode=resolv=host,hosts=host\n";
	auto_free char *v2 = xasprintf("%s--hostname=host\n", v1), *v3 = xasprintf("%s%s", v2, insecure);
	auto_free char *v4 = xasprintf("%s%s", v3, dns), *v6 = xasprintf("%s--ipc=parent\n", v4);

	struct fix f = setup();
	auto_pod p = POD_INIT;
	run_it(&f, &p, 3, &all);
	auto_free char *said = recorded(&p, "stderr");
	ck_assert_ptr_null(strstr(said, "--hostname"));
	ck_assert_ptr_nonnull(strstr(said, "does not know --dns"));
	ck_assert_ptr_nonnull(strstr(said, "does not know --ipc (version 6): ignored"));
	teardown(&f);
	expect_args(0, &all, v1); /* no annotation: version 1 */
	expect_args(1, &all, v1);
	expect_args(2, &all, v2);
	expect_args(3, &all, v3);
	expect_args(4, &all, v4);
	expect_args(5, &all, v4);
	expect_args(6, &all, v6);
	expect_args(6, &(struct run_options){ .debug = false }, "--net=default\n");
	expect_args(1, &(struct run_options){ .debug = false }, "--net=default\n");
}
END_TEST

START_TEST(mutable_pods_need_version_5)
{
	struct fix f = setup();
	auto_pod p = POD_INIT;
	auto_free char *got = NULL;

	run_it(&f, &p, 4, &(struct run_options){ .mutable_pod = true });
	got = recorded(&p, "run.argv");
	ck_assert_str_eq(got, "not supported");
	expect_args(5, &(struct run_options){ .mutable_pod = true }, "--net=default\n--mutable\n");
	teardown(&f);
}
END_TEST

START_TEST(run_gets_the_lock_the_directory_and_nothing_else)
{
	struct fix f = setup();
	auto_pod p = POD_INIT;
	auto_free char *env = NULL, *cwd = NULL, *self = NULL, *fds = NULL, *want = NULL, *me = NULL,
		       *list = NULL;
	auto_free char *entry = xasprintf("%s/stage1/ns/rootfs/run\n", f.lib);

	run_it(&f, &p, 6, &(struct run_options){ .debug = false });
	env = recorded(&p, "run.env");
	want = xasprintf("%d  \n", p.fd);
	ck_assert_str_eq(env, want);
	cwd = recorded(&p, "run.cwd");
	me = xasprintf("%s/pods/run/%s\n", f.data, p.uuid);
	ck_assert_str_eq(cwd, me);
	self = recorded(&p, "run.self");
	ck_assert_str_eq(self, entry);
	fds = recorded(&p, "run.fds");
	list = xasprintf("\n%d\n", p.fd);
	ck_assert_ptr_nonnull(strstr(fds, list));
	free(list);
	list = xasprintf("\n%d\n", f.fd); /* an open directory of ours that closes on exec */
	ck_assert_ptr_null(strstr(fds, list));
	teardown(&f);
}
END_TEST

/* The default stage1, and a pod that is being prepared. */
static void select_and_create(struct fix *f, struct stage1 *s, struct pod *p)
{
	struct err e = ERR_INIT;

	OK(select_it(f, (struct stage1_choice){ .name = NULL }, s, &e));
	OK(pod_create(&f->d, p, &e));
}

START_TEST(enter_replaces_us)
{
	struct fix f = setup();
	auto_pod p = POD_INIT;
	struct stage1 s;
	struct err e = ERR_INIT;
	auto_free char *argv = NULL, *self = NULL;
	char *cmd[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "" }, NULL };
	pid_t pid;

	select_and_create(&f, &s, &p);
	pid = fork();
	if (pid == 0) {
		redirect(&p);
		(void)stage1_exec_enter(&s, &p, 77, "app", cmd, &e);
		_exit(100);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	argv = recorded(&p, "enter.argv");
	ck_assert_str_eq(argv, "--pid=77\n--appname=app\n--\nsh\n-c\n\n");
	self = recorded(&p, "enter.self");
	ck_assert_ptr_nonnull(strstr(self, "/lib/stage1/ns/rootfs/enter"));
	stage1_done(&s);
	teardown(&f);
}
END_TEST

START_TEST(gc_and_stop_are_waited_for)
{
	struct fix f = setup();
	auto_pod p = POD_INIT;
	struct stage1 s;
	struct err e = ERR_INIT;
	auto_free char *gc = NULL, *stop = NULL, *want = NULL, *want_stop = NULL, *fds = NULL, *lock = NULL;

	select_and_create(&f, &s, &p);
	OK(stage1_call_gc(&s, &p, true, "/etc/rkt", &e));
	gc = recorded(&p, "gc.argv");
	want = xasprintf("--debug\n--local-config\n/etc/rkt\n%s\n", p.uuid);
	ck_assert_str_eq(gc, want);
	fds = recorded(&p, "gc.fds");
	lock = xasprintf("\n%d\n", p.fd);
	ck_assert_ptr_null(strstr(fds, lock)); /* or a hanging gc would keep the pod locked */
	OK(stage1_call_stop(&s, &p, true, &e));
	stop = recorded(&p, "stop.argv");
	want_stop = xasprintf("--force\n%s\n", p.uuid);
	ck_assert_str_eq(stop, want_stop);
	put(p.fd, "stop.code", "5", 0644);
	ck_assert_int_eq(stage1_call_stop(&s, &p, false, &e), -EIO);
	ck_assert_ptr_nonnull(strstr(e.text, "status 5"));
	stage1_done(&s);
	/* Below version 5 gc knows no --local-config; stop is optional. */
	auto_free char *old = manifest("coreos.com/rkt/stage1-ns", 4, true, false);
	install_flavor(&f, "ns", old);
	OK(select_it(&f, (struct stage1_choice){ .name = NULL }, &s, &e));
	OK(stage1_call_gc(&s, &p, false, "/etc/rkt", &e));
	free(gc);
	gc = recorded(&p, "gc.argv");
	free(want);
	want = xasprintf("%s\n", p.uuid);
	ck_assert_str_eq(gc, want);
	ck_assert_int_eq(stage1_call_stop(&s, &p, false, &e), -ENOSYS);
	stage1_done(&s);
	teardown(&f);
}
END_TEST

START_TEST(an_entrypoint_stays_in_its_root)
{
	struct fix f = setup();
	auto_pod p = POD_INIT;
	struct stage1 s;
	struct err e = ERR_INIT;
	auto_free char *text = manifest("coreos.com/rkt/stage1-ns", 6, true, true);
	char *at = strstr(text, "\"/gc\"");

	memcpy(at, "\"..\" ", 5);
	install_flavor(&f, "ns", text);
	select_and_create(&f, &s, &p);
	ck_assert_int_eq(stage1_call_gc(&s, &p, false, NULL, &e), -EINVAL);
	stage1_done(&s);
	teardown(&f);
}
END_TEST

int main(void)
{
	return SUITE_RUN("stage1", the_default_is_ns, names_of_installed_flavors, images_of_the_store,
			 the_configured_default, the_record_comes_back, run_arguments_by_version,
			 mutable_pods_need_version_5, run_gets_the_lock_the_directory_and_nothing_else,
			 enter_replaces_us, gc_and_stop_are_waited_for, an_entrypoint_stays_in_its_root);
}
