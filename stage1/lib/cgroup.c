/* cgroup — see cgroup.h: probing and planning. */
#include "stage1/lib/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/path.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/cgroup_limits.h"

#define PROC_FILE_MAX (4u << 20)

static int read_proc(const char *path, struct buf *b, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "open %s", path);
	int r = fd_read_all(fd, PROC_FILE_MAX, b);
	return r < 0 ? err_sys(e, -r, "read %s", path) : 0;
}

/* One mounted hierarchy. */
struct hierarchy {
	char *mount, *root;
	char *options; /* superblock options: v1 controllers */
	bool v2;
};

/* "36 35 98:0 /root /mount opts… - type source superopts" (proc(5)); NULL when not a cgroup line. */
static bool parse_mount(char *line, struct hierarchy *h)
{
	char *sep = strstr(line, " - cgroup");

	if (!sep)
		return false;
	auto_strv left = NULL;
	*sep = '\0';
	left = strv_split(line, ' ');
	auto_strv right = strv_split(sep + 3, ' ');
	if (strv_len(left) < 5 || strv_len(right) < 3)
		return false;
	h->v2 = strcmp(right[0], "cgroup2") == 0;
	if (!h->v2 && strcmp(right[0], "cgroup") != 0)
		return false;
	h->root = xstrdup(left[3]);
	h->mount = xstrdup(left[4]);
	h->options = xstrdup(right[2]);
	return true;
}

static void hierarchy_done(struct hierarchy *h)
{
	free(h->mount);
	free(h->root);
	free(h->options);
}

/* Is @name one of the comma-separated words of @list? */
static bool has_word(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; (p = strstr(p, name)); p += n) {
		if ((p == list || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
			return true;
	}
	return false;
}

/* Our path in the hierarchy: the line of /proc/self/cgroup whose controllers match.  Heap or NULL. */
static char *own_path(const struct hierarchy *h, char *const *lines)
{
	for (; lines && *lines; lines++) {
		char *ctrl = strchr(*lines, ':');
		char *path = ctrl ? strchr(ctrl + 1, ':') : NULL;

		if (!path)
			continue;
		auto_free char *names = xstrndup(ctrl + 1, (size_t)(path - ctrl - 1));
		auto_strv words = strv_split(names, ',');

		if (h->v2 ? !*names : *names && has_word(h->options, words[0]))
			return xstrdup(path + 1);
	}
	return NULL;
}

/* A unit's cgroup is its manager's; below it we may make groups only when it was delegated to us. */
static bool may_subdivide(const char *own, const char *dir)
{
	size_t n = strlen(own);
	char value[4];

	if (n < 8 || strcmp(own + n - 8, ".service") != 0)
		return true;
	return getxattr_delegate(dir, value, sizeof(value)) && value[0] == '1';
}

static int add_dir(struct cgroups *g, const struct hierarchy *h, const char *own, const char *uuid)
{
	auto_free char *rel = NULL;

	if (path_below(own, h->root) && strcmp(h->root, "/") != 0)
		rel = xstrdup(own + strlen(h->root));
	else
		rel = xstrdup(own);
	auto_free char *joined = xasprintf("%s/%s", h->mount, rel);
	auto_free char *dir = path_clean(joined);
	auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* only the unified hierarchy has the one, every other has the other */
	const char *file = h->v2 ? "cgroup.subtree_control" : "cgroup.procs";
	if (fd < 0 || faccessat(fd, file, W_OK, AT_EACCESS) < 0 || !may_subdivide(own, dir))
		return -ENOENT;
	g->v[g->n] = (struct cgroup_dir){
		.parent_fd = steal_fd(&fd),
		.path = xasprintf("%s/rkt-%s", strcmp(dir, "/") == 0 ? "" : dir, uuid),
		.v2 = h->v2,
		.cpuset = !h->v2 && has_word(h->options, "cpuset"),
		.controllers = xstrdup(h->v2 ? "" : h->options),
	};
	return (int)g->n++;
}

/* Does the pod need this hierarchy?  v2 always; v1 if a needed controller lives there. */
static bool wanted(const struct hierarchy *h, char *const *controllers)
{
	if (h->v2)
		return true;
	for (; controllers && *controllers; controllers++) {
		if (has_word(h->options, *controllers))
			return true;
	}
	return false;
}

static int probe(const struct podctx *c, char *const *controllers, struct cgroups *g, struct err *e)
{
	auto_buf mounts = BUF_INIT;
	auto_buf own = BUF_INIT;
	int r = read_proc("/proc/self/mountinfo", &mounts, e);

	if (r == 0)
		r = read_proc("/proc/self/cgroup", &own, e);
	if (r < 0)
		return r;
	auto_strv mount_lines = strv_split(buf_str(&mounts), '\n');
	auto_strv own_lines = strv_split(buf_str(&own), '\n');
	for (char **l = mount_lines; *l && g->n < CGROUP_MAX; l++) {
		struct hierarchy h = { NULL, NULL, NULL, false };

		if (!parse_mount(*l, &h))
			continue;
		auto_free char *path = wanted(&h, controllers) ? own_path(&h, own_lines) : NULL;
		if (path)
			(void)add_dir(g, &h, path, c->uuid);
		hierarchy_done(&h);
	}
	return 0;
}

/* Where everybody mounts the unified hierarchy: alone, or beside those of version 1. */
static const char *const unified[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

/*
 * A pod without limits needs the unified hierarchy only, and that is nearly always in one of two places:
 * asking there spares reading the mount table, which the kernel prints line by line.  -ENOENT: read it.
 */
static int probe_unified(const struct podctx *c, struct cgroups *g)
{
	struct hierarchy h = { .root = (char *)(uintptr_t) "/",
			       .options = (char *)(uintptr_t) "",
			       .v2 = true };
	auto_buf own = BUF_INIT;
	int r = -ENOENT;

	/* the kernel prints it in one piece */
	if (read_own_file_at(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, &own) < 0)
		return -ENOENT;
	auto_strv lines = strv_split(buf_str(&own), '\n');
	auto_free char *path = own_path(&h, lines);
	for (size_t i = 0; path && i < ARRAY_LEN(unified) && r < 0; i++) {
		h.mount = (char *)(uintptr_t)unified[i];
		r = add_dir(g, &h, path, c->uuid);
	}
	return r < 0 ? r : 0;
}

int cgroups_plan(const struct podctx *c, bool devices, struct cgroups *ret, struct err *e)
{
	auto_strv controllers = NULL;
	int r;

	*ret = (struct cgroups){ .n = 0 };
	cgroup_limits_controllers(c, &controllers);
	if (devices)
		strv_push(&controllers, "devices");
	if (c->mutable_pod)
		cgroup_limits_all(&controllers);
	r = controllers ? -ENOENT : probe_unified(c, ret);
	if (r < 0)
		r = probe(c, controllers, ret, e);
	if (r == 0 && c->mutable_pod)
		cgroup_limits_offer(ret);
	if (r == 0)
		r = cgroup_limits_plan(c, ret, e);
	return r;
}

void cgroups_done(struct cgroups *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		fd_close(&g->v[i].parent_fd);
		free(g->v[i].path);
		free(g->v[i].controllers);
	}
	for (uint32_t i = 0; i < g->nwrites; i++)
		free(g->writes[i].value);
	free(g->writes);
	*g = (struct cgroups){ .n = 0 };
}

int cgroups_record(const struct cgroups *g, const struct podctx *c, struct err *e)
{
	auto_buf b = BUF_INIT;
	int r;

	for (uint32_t i = 0; i < g->n; i++)
		buf_addf(&b, "%s\n", g->v[i].path);
	r = record_write_at(c->pod_fd, CONTRACT_FILE_CGROUPS, buf_str(&b));
	if (r == 0 && g->n > 0 && !c->own_stage0)
		r = write_file_at(c->pod_fd, CONTRACT_FILE_SUBCGROUP, g->v[0].path, strlen(g->v[0].path),
				  0640, 0);
	return r < 0 ? err_sys(e, -r, "record the pod's cgroups") : 0;
}
