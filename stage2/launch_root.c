/*
 * launch_root — the app's root file system and working directory.
 *
 * The child has a mount namespace of its own, a copy of init's.  Its root becomes the directory that
 * the plan names; the old root, with procfs and the other apps' trees, is detached.
 *
 * The working directory is a path inside a tree that somebody else made, and procfs is part of it:
 * "/proc/self/fd/7" or a link to it must not lead to a directory of the host (CVE-2024-21626).  Hence
 * magic links are refused, and afterwards the kernel must be able to name the place below our root.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/mount.h>

#include "stage2/launch_steps.h"
#include "stage2/sys.h"

int launch_root(struct launch_ctx *c)
{
	const char *root = plan_str(c->l->plan, c->app->root);

	if (c->l->flags & LAUNCH_JOINED)
		return 0;
	c->what = root;
	/* What we detach below must not vanish from init's namespace; pivot_root(2) refuses shared mounts. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -errno;
	/* pivot_root(2), "pivot_root(".", ".")": the old root lies over the new one and is taken off again. */
	if (chdir(root) < 0)
		return -errno;
	if (sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return -errno;
	return 0;
}

/* For kernels without openat2(2) (Linux < 5.6): component by component, and no link of any kind. */
static int walk(const char *path)
{
	int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	while (at >= 0 && *path) {
		char name[NAME_MAX + 1];
		size_t n = strcspn(path, "/");
		int next;

		if (n > NAME_MAX || (n == 2 && memcmp(path, "..", 2) == 0)) {
			(void)close(at);
			return n > NAME_MAX ? -ENAMETOOLONG : -EXDEV;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		path += n + (path[n] == '/');
		if (n == 0)
			continue;
		next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			next = -errno;
		(void)close(at);
		if (next < 0)
			return next;
		at = next;
	}
	return at < 0 ? -errno : at;
}

static int enter_cwd(const char *cwd)
{
	char buf[PATH_MAX];
	int r, fd = sys_open_in_root(AT_FDCWD, cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd == -ENOSYS || fd == -EPERM)
		fd = walk(cwd);
	if (fd < 0)
		return fd;
	r = fchdir(fd) < 0 ? -errno : 0;
	(void)close(fd);
	if (r < 0)
		return r;
	/* The system call itself: libc would hide the "(unreachable)" that we look for. */
	if (syscall(SYS_getcwd, buf, sizeof(buf)) < 0)
		return -errno;
	return buf[0] == '/' ? 0 : -EXDEV;
}

int launch_cwd(struct launch_ctx *c)
{
	const char *cwd = plan_str(c->l->plan, c->app->cwd);

	/* A joined process leaves whatever directory it came with; launch_root has left the others in the new root. */
	if (c->l->flags & LAUNCH_JOINED && chdir("/") < 0)
		return -errno;
	c->what = cwd;
	return strcmp(cwd, "/") == 0 ? 0 : enter_cwd(cwd);
}
