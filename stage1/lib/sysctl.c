/* sysctl — see sysctl.h. */
#include "stage1/lib/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/path.h"

/* Names as paths below /proc/sys; a final slash stands for everything below. */
static const struct {
	const char *path;
	uint64_t ns;
	const char *remedy;
} known[] = {
	{ "net/", CLONE_NEWNET, "the pod has the network of its caller" },
	{ "fs/mqueue/", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/msgmax", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/msgmnb", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/msgmni", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/sem", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/shmall", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/shmmax", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/shmmni", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC, "the pod has the ipc namespace of its caller" },
	{ "kernel/hostname", 0, "use --hostname" },
};

/* "net.ipv4.conf.eth0/1.forwarding" or "net/ipv4/conf/eth0.1/forwarding": the first separator decides, and the other
 * one is part of a name. */
static char *path_of(const char *name)
{
	char *p = xstrdup(name);

	if (p[strcspn(p, "./")] != '.')
		return p;
	for (char *c = p; *c; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return p;
}

static bool matches(const char *path, const char *pattern)
{
	size_t n = strlen(pattern);

	return pattern[n - 1] == '/' ? strncmp(path, pattern, n) == 0 && path[n] : strcmp(path, pattern) == 0;
}

static int check_name(const char *name, uint64_t ns, struct err *e)
{
	auto_free char *path = path_of(name);
	auto_free char *absolute = xasprintf("/%s", path);
	auto_free char *clean = path_clean(absolute);

	/* "net/../kernel/…" must not pass for one of net's */
	if (strcmp(clean, absolute) != 0)
		return err_set(e, ERR_INPUT, EINVAL, "sysctl \"%.100s\": not a name", name);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!matches(path, known[i].path))
			continue;
		if (known[i].ns & ns)
			return 0;
		return err_set(e, ERR_INPUT, EPERM, "sysctl \"%.100s\": not the pod's own: %s", name,
			       known[i].remedy);
	}
	return err_set(
		e, ERR_INPUT, EPERM,
		"sysctl \"%.100s\": belongs to the whole machine; only net.*, fs.mqueue.* and System V ipc "
		"parameters belong to a pod",
		name);
}

/* Union of all lists; @fn for each. */
static int for_all(const struct podctx *c, int (*fn)(const char *, const char *, void *, struct err *),
		   void *arg, struct err *e)
{
	for (size_t i = 0; i <= c->napps; i++) {
		const struct isolators *l = i < c->napps ? &c->apps[i].app->isolators
							 : &c->manifest->isolators;

		for (size_t k = 0; k < l->n; k++) {
			const char *name;
			json_t *value;

			if (l->v[k].kind != ISO_SYSCTL)
				continue;
			json_object_foreach(l->v[k].value, name, value)
			{
				int r = fn(name, json_string_value(value), arg, e);

				if (r < 0)
					return r;
			}
		}
	}
	return 0;
}

struct checking {
	uint64_t ns;
	struct pairs seen; /* path, value */
};

static int check_one(const char *name, const char *value, void *arg, struct err *e)
{
	struct checking *k = arg;
	auto_free char *path = path_of(name);
	const char *before = pairs_get(&k->seen, path);
	int r = check_name(name, k->ns, e);

	if (r < 0)
		return r;
	if (before && strcmp(before, value) != 0)
		return err_set(e, ERR_INPUT, EINVAL,
			       "sysctl \"%.100s\": both \"%.60s\" and \"%.60s\" are asked for", name, before,
			       value);
	pairs_set(&k->seen, path, value);
	return 0;
}

int sysctl_check(const struct podctx *c, uint64_t ns, struct err *e)
{
	struct checking k = { ns, { NULL, 0 } };
	int r = for_all(c, check_one, &k, e);

	pairs_done(&k.seen);
	return r;
}

static int apply_one(const char *name, const char *value, void *arg, struct err *e)
{
	struct statfs fs;
	auto_free char *path = path_of(name);
	auto_free char *below = xasprintf("sys/%s", path);
	auto_close int proc = openat(*(const int *)arg, "proc",
				     O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (proc < 0)
		return err_sys(e, errno, "open our own procfs");
	auto_close int fd = open_beneath(proc, below, O_WRONLY, 0);
	if (fd < 0)
		return err_sys(e, -fd, "sysctl \"%s\": open", name);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return err_set(e, ERR_SYS, EINVAL, "sysctl \"%s\": not on procfs", name);
	if (write(fd, value, strlen(value)) < 0)
		return err_sys(e, errno, "sysctl \"%s\": write \"%s\"", name, value);
	return 0;
}

int sysctl_apply(const struct podctx *c, int root_fd, struct err *e)
{
	return for_all(c, apply_one, &root_fd, e);
}
