/* cgroup_limits — see cgroup_limits.h. */
#include "stage1/lib/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/strv.h"

#define CPU_PERIOD_US 100000

/* Text of the file for a limit; the unit is the isolator's (bytes, milli-cores, shares). */
static char *plain(int64_t v)
{
	return xasprintf("%lld", (long long)v);
}

static char *cpu_quota_v1(int64_t milli)
{
	return plain(milli * (CPU_PERIOD_US / 1000));
}

static char *cpu_max_v2(int64_t milli)
{
	return xasprintf("%lld %d", (long long)milli * (CPU_PERIOD_US / 1000), CPU_PERIOD_US);
}

/* 2..262144 shares onto 1..10000 weight, as the kernel's documentation of both scales suggests. */
static char *weight_of_shares(int64_t shares)
{
	return plain(1 + ((shares - 2) * 9999) / 262142);
}

struct limit {
	enum isolator_kind kind;
	const char *isolator;
	const char *controller;
	const char *file_v1;
	char *(*text_v1)(int64_t);
	const char *file_v2;
	char *(*text_v2)(int64_t);
};

static const struct limit limits[] = {
	{ ISO_MEMORY, "resource/memory", "memory", "memory.limit_in_bytes", plain, "memory.max", plain },
	{ ISO_CPU, "resource/cpu", "cpu", "cpu.cfs_quota_us", cpu_quota_v1, "cpu.max", cpu_max_v2 },
	{ ISO_CPU_SHARES, "os/linux/cpu-shares", "cpu", "cpu.shares", plain, "cpu.weight", weight_of_shares },
};

void cgroup_limits_controllers(const struct podctx *c, char ***ret)
{
	for (size_t a = 0; a < c->napps; a++) {
		for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
			const struct isolator *iso = isolators_get(&c->apps[a].app->isolators,
								   limits[i].kind);

			if (iso && iso->limit >= 0 && !strv_has(*ret, limits[i].controller))
				strv_push(ret, limits[i].controller);
		}
	}
}

static void add_write(struct cgroups *g, uint32_t dir, int app, const char *file, char *value)
{
	g->writes = xreallocarray(g->writes, g->nwrites + 1, sizeof(*g->writes));
	g->writes[g->nwrites++] = (struct cgroup_write){ dir, app, file, value };
}

static bool list_has(const char *list, const char *word, const char *seps)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n) {
		if ((p == list || strchr(seps, p[-1])) && (p[n] == '\0' || strchr(seps, p[n])))
			return true;
	}
	return false;
}

/* The caller's v2 group must hand the controller down; switching it on may be refused (cgroups(7),
 * "no internal processes"). */
static int enable_v2(struct cgroups *g, uint32_t dir, const char *controller, struct err *e)
{
	auto_close int sub = openat(g->v[dir].parent_fd, "cgroup.subtree_control", O_RDWR | O_CLOEXEC);
	auto_buf now = BUF_INIT;
	auto_free char *on = xasprintf("+%s", controller);

	if (sub < 0 || fd_read_all(sub, 4096, &now) < 0)
		return err_sys(e, errno, "read cgroup.subtree_control");
	if (!list_has(buf_str(&now), controller, " \n") && write(sub, on, strlen(on)) < 0) {
		err_sys(e, errno, "enable cgroup controller \"%s\"", controller);
		return err_hint(e, "start rkt in a delegated group, e.g. systemd-run -p Delegate=yes");
	}
	for (uint32_t i = 0; i < g->nwrites; i++) {
		if (g->writes[i].dir == dir && g->writes[i].app < 0 && strcmp(g->writes[i].value, on) == 0)
			return 0;
	}
	add_write(g, dir, -1, "cgroup.subtree_control", steal_ptr(&on));
	return 0;
}

static bool v2_offers(const struct cgroups *g, uint32_t dir, const char *controller)
{
	auto_close int fd = openat(g->v[dir].parent_fd, "cgroup.controllers", O_RDONLY | O_CLOEXEC);
	auto_buf b = BUF_INIT;

	return fd >= 0 && fd_read_all(fd, 4096, &b) == 0 && list_has(buf_str(&b), controller, " \n");
}

static int apply(struct cgroups *g, int app, const struct limit *l, int64_t v, struct err *e)
{
	for (uint32_t d = 0; d < g->n; d++) {
		if (g->v[d].v2 && v2_offers(g, d, l->controller)) {
			int r = enable_v2(g, d, l->controller, e);

			if (r == 0)
				add_write(g, d, app, l->file_v2, l->text_v2(v));
			return r;
		}
		if (!g->v[d].v2 && list_has(g->v[d].controllers, l->controller, ",")) {
			add_write(g, d, app, l->file_v1, l->text_v1(v));
			return 0;
		}
	}
	return err_set(e, ERR_SYS, ENOTSUP, "isolator %s: no usable cgroup controller \"%s\" here",
		       l->isolator, l->controller);
}

int cgroup_limits_plan(const struct podctx *c, struct cgroups *g, struct err *e)
{
	for (size_t a = 0; a < c->napps; a++) {
		for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
			const struct isolator *iso = isolators_get(&c->apps[a].app->isolators,
								   limits[i].kind);

			if (!iso || iso->limit < 0)
				continue;
			if (iso->kind == ISO_MEMORY && iso->limit < 4096)
				return err_set(e, ERR_INPUT, EINVAL,
					       "app \"%s\": memory limit of %lld bytes is below one page",
					       c->apps[a].rt->name, (long long)iso->limit);
			int r = apply(g, (int)a, &limits[i], iso->limit, e);

			if (r < 0)
				return err_ctx(e, "app \"%s\"", c->apps[a].rt->name);
		}
	}
	return 0;
}

bool getxattr_delegate(const char *dir, char *value, size_t size)
{
	return getxattr(dir, "trusted.delegate", value, size) > 0 ||
	       getxattr(dir, "user.delegate", value, size) > 0;
}
