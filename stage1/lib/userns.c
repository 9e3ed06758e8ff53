/* userns — maps and idmapped mounts; see userns.h. */
#include "stage1/lib/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/num.h"
#include "stage1/lib/sandbox.h"

int userns_parse(const char *text, struct userns *ret, struct err *e)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	auto_free char *first = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;

	*ret = (struct userns)USERNS_INIT;
	if (!text || !*text)
		return 0;
	if (!first || parse_id(first, &ret->shift) < 0 || parse_id(colon + 1, &ret->count) < 0 ||
	    !ret->shift || !ret->count || ret->shift > UINT32_MAX - ret->count)
		return err_set(e, ERR_USAGE, EINVAL, "--private-users=%s: not SHIFT:COUNT", text);
	ret->on = true;
	return 0;
}

/* Isolators whose files or calls only the host's root has. */
static int check_app(const struct app_build *a, struct err *e)
{
	const struct isolator *oom = isolators_get(&a->in->app->isolators, ISO_OOM_SCORE_ADJ);

	if (isolators_get(&a->in->app->isolators, ISO_DEVICES))
		return err_set(e, ERR_INPUT, ENOTSUP, "--device cannot be had with --private-users");
	if (oom && oom->limit < 0)
		return err_set(e, ERR_INPUT, ENOTSUP,
			       "--oom-score-adj below 0 cannot be had with --private-users");
	return 0;
}

/* Of an owner beyond the range the pod would see nobody. */
static int check_volumes(const struct sandbox *s, struct err *e)
{
	const struct volumes *l = &s->ctx->manifest->volumes;

	for (size_t i = 0; i < l->n; i++) {
		const struct volume *v = &l->v[i];

		if (v->kind == VOLUME_EMPTY && (v->uid >= s->users.count || v->gid >= s->users.count))
			return err_set(e, ERR_INPUT, EINVAL, "volume \"%s\": owner %u:%u: " USERNS_BEYOND,
				       v->name, v->uid, v->gid, s->users.count);
	}
	return 0;
}

int userns_check(const struct sandbox *s, struct err *e)
{
	if (!s->users.on)
		return 0;
	if (!(s->flavor->flags & FLAVOR_CONFINE))
		return err_set(e, ERR_INPUT, ENOTSUP, "flavor %s has no --private-users", s->flavor->name);
	if (s->ctx->mutable_pod)
		return err_set(e, ERR_INPUT, ENOTSUP, "mutable pods cannot have --private-users");
	if (!(s->flavor->namespaces(s->ctx) & CLONE_NEWNET) ||
	    !(s->flavor->namespaces(s->ctx) & CLONE_NEWIPC))
		return err_set(e, ERR_INPUT, ENOTSUP,
			       "--private-users needs network and ipc namespaces of the pod's own: "
			       "not with --net=host or --ipc=parent");
	for (size_t i = 0; i < s->ctx->napps; i++) {
		if (check_app(&s->apps[i], e) < 0)
			return err_ctx(e, "app \"%s\"", s->apps[i].in->rt->name);
	}
	return check_volumes(s, e);
}

static int write_map(const struct userns *u, pid_t pid, const char *file, struct err *e)
{
	auto_free char *path = xasprintf("/proc/%d/%s", pid, file);
	auto_free char *text = xasprintf("0 %u %u\n", u->shift, u->count);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : write_full(fd, text, strlen(text));

	return r < 0 ? err_sys(e, -r, "--private-users: write %s", path) : 0;
}

int userns_map(const struct userns *u, pid_t pid, struct err *e)
{
	int r = write_map(u, pid, "gid_map", e);

	return r == 0 ? write_map(u, pid, "uid_map", e) : r;
}

/* The namespace lives on by our descriptor when its only process has ended. */
int userns_open(struct userns *u, struct err *e)
{
	int gate[2];

	if (pipe2(gate, O_CLOEXEC) < 0)
		return err_sys(e, errno, "pipe");
	auto_close int in = gate[0];
	auto_close int out = gate[1];
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0)
		return err_sys(e, errno, "--private-users: create a user namespace");
	if (pid == 0) {
		char c;

		(void)close(out);
		_exit(read(in, &c, 1) != 0);
	}
	int r = userns_map(u, pid, e);
	if (r == 0) {
		auto_free char *path = xasprintf("/proc/%d/ns/user", pid);

		u->map_fd = open(path, O_RDONLY | O_CLOEXEC);
		r = u->map_fd < 0 ? err_sys(e, errno, "open %s", path) : 0;
	}
	fd_close(&out);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return r;
}

int userns_shift(const struct userns *u, int mount_fd, bool recursive, struct err *e)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)u->map_fd };

	if (syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &a,
		    sizeof(a)) == 0)
		return 0;
	err_sys(e, errno, "--private-users: shift the ids of a mount");
	if (e->code == EINVAL)
		err_hint(e, "its file system, or one below it, cannot have idmapped mounts");
	return -e->code;
}
