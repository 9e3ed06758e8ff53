/* cgroup_limits — see cgroup_limits.h. */
#include "stage1/lib/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/strv.h"

#define CPU_PERIOD_US   100000
#define CPU_LEAST_MILLI 10 /* a millisecond of every period; the kernel refuses less */

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

/* The other way round; 100 is the ordinary weight and 1024 the ordinary number of shares. */
static char *shares_of_weight(int64_t weight)
{
	int64_t shares = (weight * 1024 + 50) / 100;

	return plain(shares < 2 ? 2 : shares);
}

/* 1..10000 onto bfq's 1..1000; 100 is ordinary in both. */
static char *bfq_weight(int64_t weight)
{
	return plain(weight <= 100 ? weight : 100 + (weight - 100) * 900 / 9900);
}

/* A controller by its name in either version of the interface. */
struct controller {
	const char *v1, *v2;
};

static const struct controller cpu = { "cpu", "cpu" };
static const struct controller memory = { "memory", "memory" };
static const struct controller pids = { "pids", "pids" };
static const struct controller io = { "blkio", "io" };
/* version 2 has programs instead */
static const struct controller devices = { "devices", "" };

struct limit {
	enum isolator_kind kind;
	const char *isolator;
	const struct controller *controller;
	const char *file_v1;
	char *(*text_v1)(int64_t);
	const char *file_v2;
	char *(*text_v2)(int64_t);
};

static const struct limit limits[] = {
	{ ISO_MEMORY, "resource/memory", &memory, "memory.limit_in_bytes", plain, "memory.max", plain },
	{ ISO_CPU, "resource/cpu", &cpu, "cpu.cfs_quota_us", cpu_quota_v1, "cpu.max", cpu_max_v2 },
	{ ISO_CPU_SHARES, "os/linux/cpu-shares", &cpu, "cpu.shares", plain, "cpu.weight", weight_of_shares },
	{ ISO_CPU_WEIGHT, "rkt.io/cpu-weight", &cpu, "cpu.shares", shares_of_weight, "cpu.weight", plain },
	{ ISO_PIDS_LIMIT, "rkt.io/pids-limit", &pids, "pids.max", plain, "pids.max", plain },
	{ ISO_IO_WEIGHT, "rkt.io/io-weight", &io, "blkio.bfq.weight", bfq_weight, "io.weight", plain },
};

/* One limit of a disk: a file for each on v1, "KEY=N" in one file on v2. */
static const struct {
	const char *key, *file_v1;
} disk_limits[] = {
	{ "rbps", "blkio.throttle.read_bps_device" },
	{ "wbps", "blkio.throttle.write_bps_device" },
	{ "riops", "blkio.throttle.read_iops_device" },
	{ "wiops", "blkio.throttle.write_iops_device" },
};

static void need(char ***list, const struct controller *c)
{
	if (!strv_has(*list, c->v1))
		strv_push(list, c->v1);
}

void cgroup_limits_controllers(const struct podctx *c, char ***ret)
{
	for (size_t a = 0; a < c->napps; a++) {
		const struct isolators *l = &c->apps[a].app->isolators;

		for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
			const struct isolator *iso = isolators_get(l, limits[i].kind);

			if (iso && iso->limit >= 0)
				need(ret, limits[i].controller);
		}
		if (isolators_get(l, ISO_IO_MAX))
			need(ret, &io);
	}
}

void cgroup_add_write(struct cgroups *g, uint32_t dir, int app, const char *file, char *value)
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
	cgroup_add_write(g, dir, -1, "cgroup.subtree_control", steal_ptr(&on));
	return 0;
}

static bool v2_offers(const struct cgroups *g, uint32_t dir, const char *controller)
{
	auto_close int fd = openat(g->v[dir].parent_fd, "cgroup.controllers", O_RDONLY | O_CLOEXEC);
	auto_buf b = BUF_INIT;

	return fd >= 0 && fd_read_all(fd, 4096, &b) == 0 && list_has(buf_str(&b), controller, " \n");
}

/* Index of the hierarchy that has the controller, ready for writes below it. */
static int place(struct cgroups *g, const struct controller *c, const char *isolator, struct err *e)
{
	for (uint32_t d = 0; d < g->n; d++) {
		if (g->v[d].v2 && v2_offers(g, d, c->v2)) {
			int r = enable_v2(g, d, c->v2, e);

			return r < 0 ? r : (int)d;
		}
		if (!g->v[d].v2 && list_has(g->v[d].controllers, c->v1, ","))
			return (int)d;
	}
	return err_set(e, ERR_SYS, ENOTSUP, "isolator %s: no usable cgroup controller \"%s\" here", isolator,
		       c->v1);
}

int cgroup_place_devices(struct cgroups *g, struct err *e)
{
	return place(g, &devices, "rkt.io/devices", e);
}

static int apply(struct cgroups *g, int app, const struct limit *l, int64_t v, struct err *e)
{
	int d = place(g, l->controller, l->isolator, e);

	if (d < 0)
		return d;
	if (g->v[d].v2)
		cgroup_add_write(g, (uint32_t)d, app, l->file_v2, l->text_v2(v));
	else
		cgroup_add_write(g, (uint32_t)d, app, l->file_v1, l->text_v1(v));
	return 0;
}

/* All limits of one disk. */
static int apply_disk(struct cgroups *g, int app, const char *device, const json_t *values, struct err *e)
{
	struct stat st;
	auto_buf all = BUF_INIT;
	int d = place(g, &io, "rkt.io/io-max", e);

	if (d < 0)
		return d;
	if (stat(device, &st) < 0)
		return err_sys(e, errno, "isolator rkt.io/io-max: %s", device);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ERR_INPUT, ENOTBLK, "isolator rkt.io/io-max: %s is not a disk", device);
	buf_addf(&all, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	for (size_t i = 0; i < ARRAY_LEN(disk_limits); i++) {
		int64_t v = isolator_io_max(values, disk_limits[i].key);

		if (v < 0)
			continue;
		if (g->v[d].v2)
			buf_addf(&all, " %s=%lld", disk_limits[i].key, (long long)v);
		else
			cgroup_add_write(g, (uint32_t)d, app, disk_limits[i].file_v1,
					 xasprintf("%s %lld", buf_str(&all), (long long)v));
	}
	if (g->v[d].v2)
		cgroup_add_write(g, (uint32_t)d, app, "io.max", buf_steal(&all));
	return 0;
}

static int apply_disks(struct cgroups *g, int app, const struct isolators *l, struct err *e)
{
	const struct isolator *iso = isolators_get(l, ISO_IO_MAX);
	const char *device;
	json_t *values;
	int r = 0;

	if (!iso)
		return 0;
	json_object_foreach(iso->value, device, values)
	{
		if (r == 0)
			r = apply_disk(g, app, device, values, e);
	}
	return r;
}

static int apply_limits(struct cgroups *g, int app, const struct isolators *l, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct isolator *iso = isolators_get(l, limits[i].kind);

		if (!iso || iso->limit < 0)
			continue;
		if (iso->kind == ISO_MEMORY && iso->limit < 4096)
			return err_set(e, ERR_INPUT, EINVAL, "memory limit of %lld bytes is below one page",
				       (long long)iso->limit);
		if (iso->kind == ISO_CPU && iso->limit < CPU_LEAST_MILLI)
			return err_set(e, ERR_INPUT, EINVAL,
				       "cpu limit of %lldm is below %dm, the least that the kernel keeps to",
				       (long long)iso->limit, CPU_LEAST_MILLI);
		int r = apply(g, app, &limits[i], iso->limit, e);

		if (r < 0)
			return r;
	}
	return apply_disks(g, app, l, e);
}

static const struct {
	const struct controller *c;
	const char *file_v1; /* by which a group of version 1 is known to have it */
} all_controllers[] = {
	{ &cpu, "cpu.shares" },        { &memory, "memory.limit_in_bytes" },
	{ &pids, "pids.max" },         { &io, "blkio.throttle.read_bps_device" },
	{ &devices, "devices.allow" },
};

void cgroup_limits_all(char ***ret)
{
	for (size_t i = 0; i < ARRAY_LEN(all_controllers); i++)
		need(ret, all_controllers[i].c);
}

void cgroup_limits_offer(struct cgroups *g)
{
	struct err ignored = ERR_INIT; /* an isolator that needs it will be refused when it comes */

	for (uint32_t d = 0; d < g->n; d++) {
		for (size_t i = 0; g->v[d].v2 && i < ARRAY_LEN(all_controllers); i++) {
			if (*all_controllers[i].c->v2 && v2_offers(g, d, all_controllers[i].c->v2))
				(void)enable_v2(g, d, all_controllers[i].c->v2, &ignored);
			err_clear(&ignored);
		}
	}
}

char *cgroup_limits_found(int dirfd)
{
	auto_strv names = NULL;

	for (size_t i = 0; i < ARRAY_LEN(all_controllers); i++) {
		if (faccessat(dirfd, all_controllers[i].file_v1, F_OK, 0) == 0)
			strv_push(&names, all_controllers[i].c->v1);
	}
	return names ? strv_join(names, ",") : xstrdup("");
}

int cgroup_limits_plan(const struct podctx *c, struct cgroups *g, struct err *e)
{
	for (size_t a = 0; a < c->napps; a++) {
		if (apply_limits(g, (int)a, &c->apps[a].app->isolators, e) < 0)
			return err_ctx(e, "app \"%s\"", c->apps[a].rt->name);
	}
	return 0;
}

bool getxattr_delegate(const char *dir, char *value, size_t size)
{
	return getxattr(dir, "trusted.delegate", value, size) > 0 ||
	       getxattr(dir, "user.delegate", value, size) > 0;
}
