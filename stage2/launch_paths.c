/*
 * launch_paths — Landlock: the app may use the paths that the plan names and no others.
 *
 * Every right that this kernel can take away is taken away and given back below those paths (landlock(7)); a kernel
 * without Landlock fails the launch.  Done while we are root inside the app's root file system, so that no_new_privs is
 * not needed, and after everything that has to be opened for the launch; what is open already stays usable.
 */
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>

#include "stage2/launch_steps.h"
#include "stage2/sys.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

/* Bits of LANDLOCK_ACCESS_FS_*, written as numbers where Debian 12's header is older than the kernels we run on. */
#define FS_EXECUTE    (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE  (1ull << 2)
#define FS_READ_DIR   (1ull << 3)
#define FS_CHANGE                                                                                            \
	(0x3ffull << 4 | 1ull << 13) /* remove, make, refer (Linux 5.19): directories only but the next two */
#define FS_TRUNCATE  (1ull << 14)    /* 6.2 */
#define FS_IOCTL_DEV (1ull << 15)    /* 6.10 */
#define FS_OF_FILES  (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

static uint64_t known_rights(long abi)
{
	static const unsigned int bits[] = {
		0, 13, 14, 15, 15, 16
	}; /* how many, by version of the interface */

	return (1ull << bits[abi > 5 ? 5 : abi]) - 1;
}

static uint64_t rights(uint32_t access)
{
	uint64_t r = 0;

	if (access & PLAN_PATH_READ)
		r |= FS_READ_FILE | FS_READ_DIR;
	if (access & PLAN_PATH_WRITE)
		r |= FS_WRITE_FILE | FS_CHANGE | FS_TRUNCATE | FS_IOCTL_DEV;
	if (access & PLAN_PATH_EXEC)
		r |= FS_EXECUTE;
	return r;
}

static int add_path(struct launch_ctx *c, int rules, const struct plan_path *p, uint64_t known)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights(p->access) & known };
	struct stat st;
	int r;

	c->what = plan_str(c->l->plan, p->path);
	rule.parent_fd = sys_open_in_root(AT_FDCWD, c->what, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return rule.parent_fd;
	if (fstat(rule.parent_fd, &st) < 0) {
		r = -errno;
	} else {
		if (!S_ISDIR(st.st_mode))
			rule.allowed_access &= FS_OF_FILES;
		r = sys_ret(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
	}
	(void)close(rule.parent_fd);
	return r;
}

int launch_paths(struct launch_ctx *c)
{
	const struct plan_path *v = (const struct plan_path *)(const void *)((const char *)c->l->plan +
									     c->app->paths_off);
	uint64_t handled;
	long abi;
	int r = 0, rules;

	if (c->app->npaths == 0)
		return 0;
	c->what = "Landlock";
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return abi < 0 ? -errno : -ENOSYS;
	handled = known_rights(abi);
	/* the first version of the struct: the rights on files and nothing else */
	rules = sys_ret(syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0));
	if (rules < 0)
		return rules;
	for (uint32_t i = 0; i < c->app->npaths && r == 0; i++)
		r = add_path(c, rules, &v[i], handled);
	if (r == 0) {
		c->what = "Landlock";
		r = sys_ret(syscall(SYS_landlock_restrict_self, rules, 0));
	}
	(void)close(rules);
	return r;
}
