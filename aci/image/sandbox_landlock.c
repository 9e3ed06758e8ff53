/*
 * sandbox_landlock — file access below one directory or not at all, by the kernel's path rules.
 *
 * The system calls and constants are spelled here because the oldest headers that we build with know
 * only the first version.  Versions: landlock(7); 2 = REFER (hard links between directories),
 * 3 = TRUNCATE, 4 = TCP, 5 = IOCTL_DEV, 6 = abstract sockets and signals.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "image/sandbox_parts.h"

enum {
	LL_EXECUTE = 1 << 0,
	LL_WRITE_FILE = 1 << 1,
	LL_READ_FILE = 1 << 2,
	LL_READ_DIR = 1 << 3,
	LL_REMOVE_DIR = 1 << 4,
	LL_REMOVE_FILE = 1 << 5,
	LL_MAKE_CHAR = 1 << 6,
	LL_MAKE_SOCK = 1 << 9,
	LL_MAKE_SYM = 1 << 12,
	LL_REFER = 1 << 13,
	LL_TRUNCATE = 1 << 14,
	LL_IOCTL_DEV = 1 << 15,
};

enum { LL_VERSION = 1, LL_RULE_PATH = 1, LL_VERSION_MIN = 2 };

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* Everything that a version can forbid. */
static struct ruleset all_of(int version, size_t *size)
{
	struct ruleset r = { .fs = LL_REFER | (LL_REFER - 1) };

	*size = sizeof(r.fs);
	if (version >= 3)
		r.fs |= LL_TRUNCATE;
	if (version >= 4) {
		r.net = 3; /* bind and connect */
		*size = sizeof(r.fs) + sizeof(r.net);
	}
	if (version >= 5)
		r.fs |= LL_IOCTL_DEV;
	if (version >= 6) {
		r.scoped = 3; /* abstract sockets and signals */
		*size = sizeof(r);
	}
	return r;
}

int sandbox_landlock(enum sandbox_kind k, int dirfd, struct err *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LL_VERSION);
	auto_close int fd = FD_NONE;
	struct ruleset rules;
	size_t size;

	if (version < LL_VERSION_MIN)
		return 0;
	rules = all_of((int)version, &size);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0)
		return err_sys(e, errno, "make a landlock ruleset");
	if (k == SANDBOX_WRITE) {
		struct path_rule rule = {
			.allowed = rules.fs & ~(uint64_t)(LL_EXECUTE | LL_MAKE_SOCK | LL_IOCTL_DEV),
			.fd = dirfd,
		};
		if (syscall(SYS_landlock_add_rule, fd, LL_RULE_PATH, &rule, 0) < 0)
			return err_sys(e, errno, "add a landlock rule");
	}
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(e, errno, "apply landlock rules");
	return 0;
}
