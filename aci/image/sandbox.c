/*
 * sandbox — what a child does to itself before it touches untrusted bytes.
 *
 * Each wall stands alone: with no capability and no file system, a seccomp hole leads nowhere; with
 * seccomp, a kernel bug behind a call that is not on the list cannot be reached.
 */
#include "image/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/sanitizer.h"
#include "image/sandbox_parts.h"

#ifdef UNDER_SANITIZER
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

static int closed;

/* The search for leaks at the end wants a tracer and /proc: without them it would end every child of the sandbox
 * with an error.  What runs in here is searched by the unit tests and the fuzz corpora. */
int __lsan_is_turned_off(void)
{
	return closed;
}
#endif

struct box {
	enum sandbox_kind kind;
	int *dirfd;
};

static int step_rlimits(const struct box *b, struct err *e)
{
	const struct {
		int resource;
		rlim_t max;
	} rows[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 256 },
#ifndef UNDER_SANITIZER
		{ RLIMIT_AS, 1 << 30 },
#endif
	};

	(void)b;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rlimit now;

		if (getrlimit((__rlimit_resource_t)rows[i].resource, &now) < 0)
			return err_sys(e, errno, "read resource limit %d", rows[i].resource);
		/* Only ever down. */
		if (now.rlim_max <= rows[i].max && now.rlim_cur <= rows[i].max)
			continue;
		now.rlim_cur = now.rlim_max = rows[i].max < now.rlim_max ? rows[i].max : now.rlim_max;
		if (setrlimit((__rlimit_resource_t)rows[i].resource, &now) < 0)
			return err_sys(e, errno, "set resource limit %d", rows[i].resource);
	}
	return 0;
}

static int step_namespaces(const struct box *b, struct err *e)
{
	(void)b;
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return err_sys(e, errno, "unshare");
	return 0;
}

/* A descriptor of a mount that only this process knows, to become the root. */
static int private_mount(const struct box *b, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
	auto_close int fs = FD_NONE;
	auto_close int fd = FD_NONE;

	if (b->kind == SANDBOX_WRITE) {
		fd = open_tree(*b->dirfd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		if (fd < 0)
			return err_sys(e, errno, "clone the mount of the target directory");
	} else {
		/* An empty file system: there is nothing to see. */
		attr.attr_set |= MOUNT_ATTR_RDONLY;
		fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
		if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
			return err_sys(e, errno, "make an empty file system");
		fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
		if (fd < 0)
			return err_sys(e, errno, "mount an empty file system");
	}
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, errno, "restrict the mount");
	return steal_fd(&fd);
}

static int step_root(const struct box *b, struct err *e)
{
	auto_close int mnt = private_mount(b, e);
	int fd;

	if (mnt < 0)
		return mnt;
	if (fchdir(mnt) < 0 || chroot(".") < 0)
		return err_sys(e, errno, "chroot");
	if (b->kind == SANDBOX_PIPE)
		return 0;
	/* open_tree gives a handle only; work needs a directory that is open. */
	fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "open the target directory");
	fd_close(b->dirfd);
	*b->dirfd = fd;
	return 0;
}

static int step_capabilities(const struct box *b, struct err *e)
{
	const uint64_t writer = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER |
				1u << CAP_FSETID | 1u << CAP_MKNOD | 1ull << CAP_SETFCAP;
	uint64_t keep = b->kind == SANDBOX_WRITE ? writer : 0;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_sys(e, errno, "drop capability %d for good", cap);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, errno, "clear ambient capabilities");
	if (syscall(SYS_capget, &head, data) < 0)
		return err_sys(e, errno, "read capabilities");
	/* Kept, not gained: what is absent already (a container without MKNOD) stays absent. */
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(e, errno, "drop capabilities");
	return 0;
}

static int step_no_new_privs(const struct box *b, struct err *e)
{
	(void)b;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, errno, "set no_new_privs");
	return 0;
}

static int step_landlock(const struct box *b, struct err *e)
{
	return sandbox_landlock(b->kind, b->kind == SANDBOX_WRITE ? *b->dirfd : FD_NONE, e);
}

static int step_seccomp(const struct box *b, struct err *e)
{
	return sandbox_seccomp(b->kind, e);
}

/* The order matters: a mount can be cloned only from the namespace it is in, mounting needs privilege, the
 * filters need no_new_privs, seccomp forbids the rest. */
static const struct {
	const char *name;
	int (*run)(const struct box *b, struct err *e);
} steps[] = {
	{ "limit resources", step_rlimits },        { "own root", step_root },
	{ "own namespaces", step_namespaces },      { "drop capabilities", step_capabilities },
	{ "no new privileges", step_no_new_privs }, { "restrict files", step_landlock },
	{ "restrict system calls", step_seccomp },
};

int sandbox_enter(enum sandbox_kind k, int *dirfd, struct err *e)
{
	const struct box b = { k, dirfd };

#ifdef UNDER_SANITIZER
	closed = 1;
	/* A report cannot go to a file from here. */
	__sanitizer_set_report_fd((void *)STDERR_FILENO);
#endif
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i].run(&b, e) < 0)
			return err_ctx(e, "sandbox: %s", steps[i].name);
	}
	return 0;
}
