/* test_seccomp — compiled filters are loaded into a child and asked, call by call. */
#include "suite.h"

#include <dirent.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "stage1/lib/seccomp.h"
#include "stage1/lib/seccomp_cache.h"
#include "stage1/lib/seccomp_named.h"
#include "stage1/lib/seccomp_sets.h"

/* errno of the call under the filter, 0 for success, -1 when it killed the child. */
static int ask(const struct bpf *b, long nr, long a, long c, long d)
{
	pid_t pid = fork();
	int st;

	if (pid == 0) {
		struct sock_fprog p = { .len = (unsigned short)b->n,
					.filter = (struct sock_filter *)(uintptr_t)b->insn };

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) < 0)
			_exit(255);
		long r = syscall(nr, a, c, d, 0, 0, 0);
		/* raw: a sanitizer's _exit makes calls of its own, which the filter would refuse */
		(void)syscall(SYS_exit_group, r < 0 ? errno : 0);
	}
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static struct bpf dflt(void)
{
	struct bpf b;
	struct err e = ERR_INIT;
	struct app *a = app_new();

	ck_assert_int_eq(seccomp_of_app(a, -1, &b, &e), 0);
	ck_assert_ptr_null(b.owned); /* built in, nothing compiled */
	ck_assert_uint_gt(b.n, 100);
	app_free(a);
	return b;
}

START_TEST(built_in_equals_a_fresh_compile)
{
	struct bpf a = dflt(), b = { NULL, 0, NULL };
	struct err e = ERR_INIT;

	ck_assert_int_eq(seccomp_compile_default(&b, &e), 0);
	ck_assert_uint_eq(a.n, b.n);
	ck_assert_int_eq(memcmp(a.insn, b.insn, a.n * sizeof(*a.insn)), 0);
	bpf_done(&b);
}
END_TEST

START_TEST(default_allows_ordinary_work)
{
	struct bpf b = dflt();

	ck_assert_int_eq(ask(&b, SYS_getpid, 0, 0, 0), 0);
	ck_assert_int_eq(ask(&b, SYS_statx, -1, 0, 0), EFAULT);
	ck_assert_int_eq(ask(&b, SYS_openat2, -1, 0, 0), EINVAL);
	ck_assert_int_eq(ask(&b, SYS_close_range, 1000, 1001, 0), 0);
	ck_assert_int_eq(ask(&b, 452, -1, 0, 0), EFAULT); /* fchmodat2, newer than libseccomp's table */
	ck_assert_int_eq(ask(&b, SYS_clone, SIGCHLD, 0, 0), 0);
}
END_TEST

START_TEST(default_denies_with_EPERM)
{
	static const long denied[] = {
		SYS_mount,      SYS_umount2, SYS_unshare,           SYS_setns,       SYS_ptrace,
		SYS_keyctl,     SYS_bpf,     SYS_perf_event_open,   SYS_kexec_load,  SYS_init_module,
		SYS_pivot_root, SYS_reboot,  SYS_open_by_handle_at, SYS_userfaultfd, SYS_io_uring_setup,
		SYS_open_tree,  SYS_fsopen
	};
	struct bpf b = dflt();

	for (size_t i = 0; i < ARRAY_LEN(denied); i++)
		ck_assert_msg(ask(&b, denied[i], 0, 0, 0) == EPERM, "call %ld", denied[i]);
}
END_TEST

START_TEST(clone3_and_the_unknown_give_ENOSYS)
{
	struct bpf b = dflt();

	ck_assert_int_eq(ask(&b, SYS_clone3, 0, 0, 0), ENOSYS);
	ck_assert_int_eq(ask(&b, 9999, 0, 0, 0), ENOSYS);
	ck_assert_int_eq(ask(&b, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0), EPERM);
	ck_assert_int_eq(ask(&b, SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0), EPERM);
}
END_TEST

START_TEST(T26_typing_into_the_terminal_is_refused_in_64_bits_too)
{
	struct bpf b = dflt();
	long high = (long)(UINT64_C(1) << 32);

	ck_assert_int_eq(ask(&b, SYS_ioctl, 0, TIOCSTI, 0), ENOSYS);
	ck_assert_int_eq(ask(&b, SYS_ioctl, 0, TIOCSTI | high, 0), ENOSYS);
	ck_assert_int_eq(ask(&b, SYS_ioctl, 0, TIOCLINUX, 0), ENOSYS);
	ck_assert_int_eq(ask(&b, SYS_ioctl, 0, TIOCLINUX | high, 0), ENOSYS);
	ck_assert_int_eq(ask(&b, SYS_ioctl, -1, TCGETS, 0), EBADF);
	ck_assert_int_eq(ask(&b, SYS_ioctl, -1, TIOCGWINSZ, 0), EBADF);
	ck_assert_int_eq(ask(&b, SYS_ioctl, -1, FIONREAD, 0), EBADF);
	ck_assert_int_eq(ask(&b, SYS_ioctl, -1, (long)0x80045430, 0), EBADF); /* TIOCGPTN */
}
END_TEST

static int of(const char *name, const char *json, struct bpf *b, struct err *e)
{
	struct app *a = app_new();

	ck_assert_int_eq(isolators_add(&a->isolators, name, json_parse(json, strlen(json), e), e), 0);
	int r = seccomp_of_app(a, -1, b, e);
	app_free(a);
	return r;
}

START_TEST(remove_set_takes_away_only_what_it_names)
{
	struct bpf b;
	struct err e = ERR_INIT;

	ck_assert_int_eq(
		of("os/linux/seccomp-remove-set", "{\"set\":[\"getppid\"],\"errno\":\"EACCES\"}", &b, &e), 0);
	ck_assert_int_eq(ask(&b, SYS_getppid, 0, 0, 0), EACCES);
	ck_assert_int_eq(ask(&b, SYS_getpid, 0, 0, 0), 0);
	bpf_done(&b);
	ck_assert_int_eq(of("os/linux/seccomp-remove-set", "{\"set\":[\"getppid\"]}", &b, &e), 0);
	ck_assert_int_eq(ask(&b, SYS_getppid, 0, 0, 0), -1);
	bpf_done(&b);
}
END_TEST

START_TEST(retain_set_allows_only_what_it_names)
{
	struct bpf b;
	struct err e = ERR_INIT;

	ck_assert_int_eq(of("os/linux/seccomp-retain-set",
			    "{\"set\":[\"getpid\",\"exit_group\"],\"errno\":\"EPERM\"}", &b, &e),
			 0);
	ck_assert_int_eq(ask(&b, SYS_getpid, 0, 0, 0), 0);
	ck_assert_int_eq(ask(&b, SYS_getppid, 0, 0, 0), EPERM);
	bpf_done(&b);
}
END_TEST

START_TEST(wildcards_of_the_specification)
{
	struct bpf b;
	struct err e = ERR_INIT;

	ck_assert_int_eq(of("os/linux/seccomp-retain-set", "{\"set\":[\"@appc.io/all\"]}", &b, &e), 0);
	ck_assert_uint_eq(b.n, 0);
	ck_assert_int_eq(of("os/linux/seccomp-remove-set", "{\"set\":[\"@appc.io/empty\"]}", &b, &e), 0);
	ck_assert_ptr_null(b.owned);
	ck_assert_uint_gt(b.n, 100);
}
END_TEST

START_TEST(unknown_names_and_errnos_are_refused)
{
	struct bpf b;
	struct err e = ERR_INIT;

	ck_assert_int_eq(of("os/linux/seccomp-retain-set", "{\"set\":[\"no_such_call\"]}", &b, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "no_such_call"));
	ck_assert_int_eq(of("os/linux/seccomp-remove-set", "{\"set\":[\"@made/up\"]}", &b, &e), -EINVAL);
	ck_assert_int_eq(
		of("os/linux/seccomp-remove-set", "{\"set\":[\"read\"],\"errno\":\"EWHAT\"}", &b, &e),
		-EINVAL);
}
END_TEST

/* errno of the call under "mode,errno=EXDEV" of @set, -1 when it killed. */
static int under(const char *mode, const char *set, long nr, long a, long c)
{
	struct bpf b;
	struct err e = ERR_INIT;
	auto_free char *name = xasprintf("os/linux/seccomp-%s-set", mode);
	auto_free char *json = xasprintf("{\"set\":[%s],\"errno\":\"EXDEV\"}", set);

	ck_assert_msg(of(name, json, &b, &e) == 0, "%s: %s", set, e.text);
	int r = ask(&b, nr, a, c, 0);
	bpf_done(&b);
	return r;
}

START_TEST(named_sets_remove_what_they_name)
{
	static const struct {
		const char *set;
		long nr;
	} rows[] = {
		{ "\"@systemd/clock\"", SYS_clock_settime },
		{ "\"@systemd/mount\"", SYS_umount2 },
		{ "\"@systemd/mount\"", 467 },
		{ "\"@systemd/network-io\"", SYS_socket },
		{ "\"@systemd/obsolete\"", SYS_uselib },
		{ "\"@systemd/privileged\"", SYS_init_module },
		{ "\"@systemd/process\"", SYS_kill },
		{ "\"@systemd/raw-io\"", SYS_iopl },
		{ "\"@rkt/default-blacklist\"", SYS_ptrace },
		{ "\"@docker/default-blacklist\"", SYS_keyctl },
		{ "\"@systemd/raw-io\",\"mseal\"", 462 },

	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_msg(under("remove", rows[i].set, rows[i].nr, -1, 0) == EXDEV, "%s", rows[i].set);
		ck_assert_int_eq(under("remove", rows[i].set, SYS_getpriority, 0, 0), 0);
	}
}
END_TEST

START_TEST(white_lists_keep_their_conditions)
{
	static const char *const lists[] = { "\"@rkt/default-whitelist\"",
					     "\"@docker/default-whitelist\",\"mount\"" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		ck_assert_int_eq(under("retain", lists[i], SYS_getppid, 0, 0), 0);
		ck_assert_int_eq(under("retain", lists[i], SYS_mount, 0, 0), i ? EFAULT : EXDEV);
		ck_assert_int_eq(under("retain", lists[i], SYS_clone3, 0, 0), ENOSYS);
		ck_assert_int_eq(under("retain", lists[i], SYS_clone, CLONE_NEWUSER | SIGCHLD, 0), EPERM);
		ck_assert_int_eq(under("retain", lists[i], SYS_clone, SIGCHLD, 0), 0);
		ck_assert_int_eq(under("retain", lists[i], SYS_ioctl, -1, TIOCSTI), EXDEV);
		ck_assert_int_eq(under("retain", lists[i], SYS_ioctl, -1, TCGETS), EBADF);
		ck_assert_int_eq(under("retain", lists[i], 452, -1, 0), EFAULT);
	}
	/* a plain name is without condition */
	ck_assert_int_eq(under("retain", "\"@rkt/default-whitelist\",\"ioctl\"", SYS_ioctl, -1, TIOCSTI),
			 EBADF);
	ck_assert_int_eq(under("retain", "\"clone3\",\"@rkt/default-whitelist\"", SYS_clone3, 0, 0), EINVAL);
	ck_assert_int_eq(under("retain", "\"@systemd/default-whitelist\"", SYS_getpid, 0, 0), 0);
	ck_assert_int_eq(under("retain", "\"@systemd/default-whitelist\"", SYS_socket, 0, 0), EXDEV);
}
END_TEST

START_TEST(an_empty_retain_set_denies_everything_but_the_end)
{
	struct bpf b;
	struct err e = ERR_INIT;

	ck_assert_int_eq(of("os/linux/seccomp-retain-set", "{\"set\":[\"@appc.io/empty\"]}", &b, &e), 0);
	ck_assert_uint_gt(b.n, 3);
	ck_assert_int_eq(ask(&b, SYS_getpid, 0, 0, 0), -1);
	ck_assert_int_eq(ask(&b, SYS_exit_group, 5, 0, 0), 5);
	bpf_done(&b);
	ck_assert_int_eq(under("retain", "\"@appc.io/empty\"", SYS_read, 0, 0), EXDEV);
	/* on this architecture waitpid is no call: a set of such names is as empty */
	ck_assert_int_eq(under("retain", "\"waitpid\"", SYS_getpid, 0, 0), EXDEV);
	ck_assert_int_eq(of("os/linux/seccomp-remove-set", "{\"set\":[\"@appc.io/all\"]}", &b, &e), -EINVAL);
}
END_TEST

START_TEST(wildcards_do_not_hide_misspellings)
{
	struct bpf b;
	struct err e = ERR_INIT;
	static const char *const bad[] = { "{\"set\":[\"@appc.io/all\",\"no_such_call\"]}",
					   "{\"set\":[\"@systemd/clok\"]}", "{\"set\":[\"@rkt\"]}",
					   "{\"set\":[\"@\"]}" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(of("os/linux/seccomp-retain-set", bad[i], &b, &e), -EINVAL);
}
END_TEST

START_TEST(every_errno_has_its_name)
{
	static const struct {
		const char *name;
		int code;
	} rows[] = { { "ENOTSUP", ENOTSUP },
		     { "EWOULDBLOCK", EAGAIN },
		     { "EOVERFLOW", EOVERFLOW },
		     { "EHWPOISON", EHWPOISON },
		     { "EDEADLOCK", EDEADLOCK } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bpf b;
		struct err e = ERR_INIT;
		auto_free char *json = xasprintf("{\"set\":[\"getppid\"],\"errno\":\"%s\"}", rows[i].name);

		ck_assert_int_eq(of("os/linux/seccomp-remove-set", json, &b, &e), 0);
		ck_assert_int_eq(ask(&b, SYS_getppid, 0, 0, 0), rows[i].code);
		bpf_done(&b);
	}
}
END_TEST

#ifdef __x86_64__
/* getpid by the 32-bit door; a negative errno comes back in the register. */
static int old_door(const struct bpf *b)
{
	pid_t pid = fork();
	int st;

	if (pid == 0) {
		struct sock_fprog p = { .len = (unsigned short)b->n,
					.filter = (struct sock_filter *)(uintptr_t)b->insn };
		int r = 20;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) < 0)
			_exit(255);
		__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
		(void)syscall(SYS_exit_group, r < 0 ? -r : 0);
	}
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

START_TEST(the_32_bit_door_is_no_way_around)
{
	struct bpf b = dflt();
	struct err e = ERR_INIT;

	ck_assert_int_eq(old_door(&b), ENOSYS);
	ck_assert_int_eq(
		of("os/linux/seccomp-remove-set", "{\"set\":[\"mount\"],\"errno\":\"EPERM\"}", &b, &e), 0);
	ck_assert_int_eq(old_door(&b), ENOSYS);
	ck_assert_int_eq(ask(&b, 0x40000000 | SYS_getpid, 0, 0, 0), ENOSYS); /* x32 */
	bpf_done(&b);
}
END_TEST
#endif

struct box {
	char *path;
	int fd, pod;
};

/* A data directory with one pod in it. */
static struct box box_new(void)
{
	struct box x = { NULL, -1, -1 };

	x.fd = suite_make_dir(&x.path);
	ck_assert_int_eq(mkdir_p_at(x.fd, "cas", 0750), 0);
	ck_assert_int_eq(mkdir_p_at(x.fd, "pods/run/u", 0750), 0);
	x.pod = openat(x.fd, "pods/run/u", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return x;
}

static void box_done(struct box *x)
{
	(void)close(x->pod);
	suite_drop_dir(x->fd, x->path);
}

static void policy(struct seccomp_policy *p, const char *call)
{
	struct err e = ERR_INIT;
	struct app *a = app_new();
	auto_free char *json = xasprintf("{\"set\":[\"%s\"],\"errno\":\"EXDEV\"}", call);

	OK(isolators_add(&a->isolators, "os/linux/seccomp-remove-set", json_parse(json, strlen(json), &e),
			 &e));
	ck_assert_int_eq(seccomp_policy_of_app(a, p, &e), SECCOMP_OWN);
	app_free(a);
}

/* The only file of the cache. */
static char *only_file(const struct box *x)
{
	auto_free char *dir = xasprintf("%s/" SECCOMP_CACHE_DIR, x->path);
	DIR *d = opendir(dir);
	char *found = NULL;

	ck_assert_ptr_nonnull(d);
	for (struct dirent *f; (f = readdir(d));) {
		if (f->d_name[0] == '.')
			continue;
		ck_assert_ptr_null(found);
		found = xasprintf("%s/%s", dir, f->d_name);
	}
	(void)closedir(d);
	return found;
}

static void fill_box(struct box *x, struct seccomp_policy *p)
{
	struct bpf b = { NULL, 0, NULL }, got = { NULL, 0, NULL };
	struct err e = ERR_INIT;

	policy(p, "getppid");
	ck_assert_int_eq(seccomp_cache_load(x->pod, p, &got), -ENOENT);
	OK(seccomp_compile(p, &b, &e));
	seccomp_cache_save(x->pod, p, &b);
	ck_assert_int_eq(seccomp_cache_load(x->pod, p, &got), 0);
	ck_assert_uint_eq(got.n, b.n);
	ck_assert_int_eq(memcmp(got.insn, b.insn, b.n * sizeof(*b.insn)), 0);
	ck_assert_int_eq(ask(&got, SYS_getppid, 0, 0, 0), EXDEV);
	bpf_done(&b);
	bpf_done(&got);
}

START_TEST(a_compiled_program_is_kept_and_belongs_to_its_policy)
{
	struct box x = box_new();
	struct seccomp_policy p, other;
	struct bpf got = { NULL, 0, NULL };

	fill_box(&x, &p);
	policy(&other, "getpgrp");
	ck_assert_int_eq(seccomp_cache_load(x.pod, &other, &got), -ENOENT);
	other = p;
	other.version++;
	ck_assert_int_eq(seccomp_cache_load(x.pod, &other, &got), -ENOENT);
	/* the same program under another policy's name is not taken for its own */
	other = p;
	other.dflt ^= 1;
	auto_free char *file = only_file(&x);
	auto_free char *as = xasprintf("%s/" SECCOMP_CACHE_DIR "/0123456789abcdef", x.path);
	ck_assert_int_eq(rename(file, as), 0);
	ck_assert_int_eq(seccomp_cache_load(x.pod, &other, &got), -ENOENT);
	box_done(&x);
}
END_TEST

START_TEST(what_others_could_have_written_is_not_run)
{
	struct box x = box_new();
	struct seccomp_policy p;
	struct bpf got = { NULL, 0, NULL };
	auto_free char *dir = xasprintf("%s/" SECCOMP_CACHE_DIR, x.path);
	char byte;

	fill_box(&x, &p);
	auto_free char *file = only_file(&x);
	auto_free char *twin = xasprintf("%s/twin", x.path);
	ck_assert_int_eq(chmod(file, 0620), 0);
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), -ENOENT);
	ck_assert_int_eq(chmod(file, 0600), 0);
	ck_assert_int_eq(chmod(dir, 0702), 0);
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), -ENOENT);
	ck_assert_int_eq(chmod(dir, 0700), 0);
	ck_assert_int_eq(link(file, twin), 0);
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), -ENOENT);
	ck_assert_int_eq(unlink(twin), 0);
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), 0);
	bpf_done(&got);
	/* one bit of the last instruction */
	auto_close int fd = open(file, O_RDWR | O_CLOEXEC);
	off_t last = lseek(fd, -1, SEEK_END);
	ck_assert_int_eq(pread(fd, &byte, 1, last), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, last), 1);
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), -ENOENT);
	ck_assert_int_eq(ftruncate(fd, 10), 0);
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), -ENOENT);
	ck_assert_int_eq(rename(file, twin), 0);
	ck_assert_int_eq(symlink(twin, file), 0);
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), -ENOENT);
	box_done(&x);
}
END_TEST

START_TEST(the_cache_does_not_grow_for_ever)
{
	struct box x = box_new();
	struct seccomp_policy p;
	struct sock_filter one = { 6, 0, 0, 0x7fff0000 };
	struct bpf b = { &one, 1, NULL }, got = { NULL, 0, NULL };

	policy(&p, "getppid");
	for (uint32_t i = 0; i < SECCOMP_CACHE_MAX + 5; i++) {
		p.dflt = i;
		seccomp_cache_save(x.pod, &p, &b);
	}
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), 0);
	bpf_done(&got);
	p.dflt = 0;
	ck_assert_int_eq(seccomp_cache_load(x.pod, &p, &got), -ENOENT);
	box_done(&x);
}
END_TEST

START_TEST(every_set_selects_something_here)
{
	static const char *const names[] = { "clock",    "default-whitelist", "mount",   "network-io",
					     "obsolete", "privileged",        "process", "raw-io" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *name = xasprintf("@systemd/%s", names[i]);
		const struct seccomp_set *set = seccomp_set_find(name);

		ck_assert_ptr_nonnull(set);
		for (const char *const *c = set->calls; c[0] && c[1]; c++)
			ck_assert_msg(strcmp(c[0], c[1]) < 0, "%s: %s, %s", name, c[0], c[1]);
	}
	ck_assert_int_eq(seccomp_newer_number("mseal"), 462);
	ck_assert_int_eq(seccomp_newer_number("read"), -1);
}
END_TEST

START_TEST(no_call_is_both_allowed_and_denied)
{
	for (const char *const *a = seccomp_allowed; *a; a++)
		ck_assert_msg(!strv_has((char *const *)(uintptr_t)seccomp_denied, *a), "%s", *a);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		built_in_equals_a_fresh_compile,
		default_allows_ordinary_work,
		default_denies_with_EPERM,
		clone3_and_the_unknown_give_ENOSYS,
		T26_typing_into_the_terminal_is_refused_in_64_bits_too,
		remove_set_takes_away_only_what_it_names,
		retain_set_allows_only_what_it_names,
		wildcards_of_the_specification,
		unknown_names_and_errnos_are_refused,
		no_call_is_both_allowed_and_denied,
		named_sets_remove_what_they_name,
		white_lists_keep_their_conditions,
		an_empty_retain_set_denies_everything_but_the_end,
		wildcards_do_not_hide_misspellings,
		every_errno_has_its_name,
#ifdef __x86_64__
		the_32_bit_door_is_no_way_around,
#endif
		a_compiled_program_is_kept_and_belongs_to_its_policy,
		what_others_could_have_written_is_not_run,
		the_cache_does_not_grow_for_ever,
		every_set_selects_something_here,
	};

	return suite_run("seccomp", tests, ARRAY_LEN(tests));
}
