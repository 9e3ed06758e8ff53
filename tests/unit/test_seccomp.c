/* test_seccomp — compiled filters are loaded into a child and asked, call by call. */
#include "suite.h"

#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/strv.h"
#include "stage1/lib/seccomp.h"
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

	ck_assert_int_eq(seccomp_of_app(a, &b, &e), 0);
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
	int r = seccomp_of_app(a, b, e);
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
	};

	return suite_run("seccomp", tests, ARRAY_LEN(tests));
}
