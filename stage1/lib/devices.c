/* devices — see devices.h. */
#include "stage1/lib/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/path.h"
#include "schema/device.h"
#include "stage1/lib/cgroup_limits.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/sandbox.h"

#define ANY UINT32_MAX
#define RWM (DEVICE_READ | DEVICE_WRITE | DEVICE_MKNOD)

/* What every app has in its /dev, and terminals (lib/dev.c). */
static const struct vol_device usual[] = {
	{ 'c', 1, 3, RWM },     /* null */
	{ 'c', 1, 5, RWM },     /* zero */
	{ 'c', 1, 7, RWM },     /* full */
	{ 'c', 1, 8, RWM },     /* random */
	{ 'c', 1, 9, RWM },     /* urandom */
	{ 'c', 5, 0, RWM },     /* tty */
	{ 'c', 5, 1, RWM },     /* console */
	{ 'c', 5, 2, RWM },     /* ptmx */
	{ 'c', 136, ANY, RWM }, /* pts */
};

struct vol_device devices_of(const struct stat *st, unsigned int access)
{
	char type = S_ISCHR(st->st_mode) ? 'c' : S_ISBLK(st->st_mode) ? 'b' : 0;

	return type ? (struct vol_device){ type, major(st->st_rdev), minor(st->st_rdev), access }
		    : (struct vol_device){ .type = 0 };
}

static int add_one(const struct device *d, struct vol_mounts *l, struct err *e)
{
	struct vol_mount m = { .fd = FD_NONE };
	struct stat st;
	auto_free char *target = path_clean(d->target);
	auto_close int src = open(d->source, O_PATH | O_CLOEXEC);

	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].target, target) == 0)
			return err_set(e, ERR_INPUT, EEXIST, "device %s: something else is mounted at %s",
				       d->source, target);
	}
	if (src < 0 || fstat(src, &st) < 0)
		return err_sys(e, errno, "device %s: open", d->source);
	m.device = devices_of(&st, d->access);
	if (!m.device.type)
		return err_set(e, ERR_INPUT, ENODEV, "device %s: it is no device", d->source);
	m.fd = mnt_clone(src, "", false, e);
	int r = m.fd < 0 ? m.fd : mnt_propagation(m.fd, MS_PRIVATE, false, e);
	if (r == 0)
		r = mnt_set(m.fd, MNT_NOSUID | MNT_NOEXEC_, false, e);
	if (r < 0) {
		fd_close(&m.fd);
		return err_ctx(e, "device %s", d->source);
	}
	m.name = xstrdup(d->source);
	m.target = steal_ptr(&target);
	vol_mounts_push(l, &m);
	return 0;
}

int devices_add(const struct pod_app *a, unsigned int flavor_flags, struct vol_mounts *l, struct err *e)
{
	const struct isolator *iso = isolators_get(&a->app->isolators, ISO_DEVICES);

	if (!iso)
		return 0;
	if (!a->rt->app)
		return err_set(
			e, ERR_INPUT, EPERM,
			"app \"%s\": an image cannot choose devices of the host (isolator rkt.io/devices)",
			a->rt->name);
	if (!(flavor_flags & FLAVOR_CONFINE))
		return err_set(e, ERR_INPUT, ENOTSUP,
			       "app \"%s\": --device: this flavor has all devices of the host in /dev",
			       a->rt->name);
	for (size_t i = 0; i < json_array_size(iso->value); i++) {
		struct device d;
		int r = device_from_json(json_array_get(iso->value, i), "rkt.io/devices", &d, e);

		if (r == 0)
			r = add_one(&d, l, e);
		if (r < 0)
			return err_ctx(e, "app \"%s\"", a->rt->name);
	}
	return 0;
}

/* ---- cgroup v2 ---- */

#define LOAD(dst, src, offset) ((struct bpf_insn){ BPF_LDX | BPF_MEM | BPF_W, dst, src, offset, 0 })
#define MOVE(dst, src)         ((struct bpf_insn){ BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0 })
#define ALU(op, dst, imm)      ((struct bpf_insn){ BPF_ALU64 | (op) | BPF_K, dst, 0, 0, (int32_t)(imm) })
#define UNLESS(dst, imm, skip) ((struct bpf_insn){ BPF_JMP | BPF_JNE | BPF_K, dst, 0, skip, (int32_t)(imm) })
#define END                    ((struct bpf_insn){ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 })
#define NOTHING                ((struct bpf_insn){ BPF_JMP | BPF_JA, 0, 0, 0, 0 })

#define RULE_LEN 8

enum { R_RET, R_CTX, R_TYPE, R_ACCESS, R_MAJOR, R_MINOR, R_TMP };

/* The kernel's bits are mknod 1, read 2, write 4. */
static uint32_t kernel_access(unsigned int access)
{
	return (access & DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0) |
	       (access & DEVICE_READ ? BPF_DEVCG_ACC_READ : 0) |
	       (access & DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0);
}

/* Allow and end if the device is @d and nothing but @d's access is asked for; else fall behind the rule. */
static void put_rule(struct bpf_insn *at, const struct vol_device *d)
{
	const struct bpf_insn rule[RULE_LEN] = {
		UNLESS(R_TYPE, d->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, 7),
		MOVE(R_TMP, R_ACCESS),
		ALU(BPF_AND, R_TMP, ~kernel_access(d->access)),
		UNLESS(R_TMP, 0, 4),
		UNLESS(R_MAJOR, d->major, 3),
		d->minor == ANY ? NOTHING : UNLESS(R_MINOR, d->minor, 2),
		ALU(BPF_MOV, R_RET, 1),
		END,
	};

	memcpy(at, rule, sizeof(rule));
}

struct bpf_insn *devices_program(const struct vol_mounts *l, uint32_t *ret_n)
{
	static const struct bpf_insn head[] = {
		LOAD(R_TYPE, R_CTX, 0),     MOVE(R_ACCESS, R_TYPE),  ALU(BPF_AND, R_TYPE, 0xffff),
		ALU(BPF_RSH, R_ACCESS, 16), LOAD(R_MAJOR, R_CTX, 4), LOAD(R_MINOR, R_CTX, 8),
	};
	static const struct bpf_insn tail[] = { ALU(BPF_MOV, R_RET, 0), END };
	size_t max = ARRAY_LEN(head) + (ARRAY_LEN(usual) + l->n) * RULE_LEN + ARRAY_LEN(tail);
	struct bpf_insn *p = xcalloc(max, sizeof(*p)), *at = p + ARRAY_LEN(head);

	memcpy(p, head, sizeof(head));
	for (size_t i = 0; i < ARRAY_LEN(usual); i++, at += RULE_LEN)
		put_rule(at, &usual[i]);
	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].device.type)
			continue;
		put_rule(at, &l->v[i].device);
		at += RULE_LEN;
	}
	memcpy(at, tail, sizeof(tail));
	*ret_n = (uint32_t)(at + ARRAY_LEN(tail) - p);
	return p;
}

/* Does this kernel take it from us?  (stage2/init_devices.c loads it again where it is attached.) */
static bool loads(const struct bpf_insn *insns, uint32_t n)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
	auto_close int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	return fd >= 0;
}

/* ---- cgroup v1 ---- */

static char *v1_text(const struct vol_device *d)
{
	auto_free char *number = d->minor == ANY ? xstrdup("*") : xasprintf("%u", d->minor);

	return xasprintf("%c %u:%s %s%s%s", d->type, d->major, number, d->access & DEVICE_READ ? "r" : "",
			 d->access & DEVICE_WRITE ? "w" : "", d->access & DEVICE_MKNOD ? "m" : "");
}

static void add_v1(struct cgroups *g, uint32_t dir, int app, const struct vol_mounts *l)
{
	cgroup_add_write(g, dir, app, "devices.deny", xstrdup("a"));
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		cgroup_add_write(g, dir, app, "devices.allow", v1_text(&usual[i]));
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].device.type)
			cgroup_add_write(g, dir, app, "devices.allow", v1_text(&l->v[i].device));
	}
}

/* ---- both ---- */

static bool needs_policy(const struct app_build *a)
{
	if (isolators_get(&a->in->app->isolators, ISO_DEVICES))
		return true;
	for (size_t i = 0; i < a->vols.n; i++) {
		/* a read-only mount does not keep a device from being written */
		if (a->vols.v[i].device.type && a->vols.v[i].read_only)
			return true;
	}
	return false;
}

static bool has_v2(const struct cgroups *g)
{
	for (uint32_t d = 0; d < g->n; d++) {
		if (g->v[d].v2)
			return true;
	}
	return false;
}

/* A program for every app that needs one, if they can be used at all. */
static bool plan_v2(struct sandbox *s)
{
	for (size_t i = 0; i < s->ctx->napps; i++) {
		struct app_build *a = &s->apps[i];

		if (!needs_policy(a))
			continue;
		a->devices = devices_program(&a->vols, &a->ndevices);
		if (a->ndevices > PLAN_BPF_MAX || !loads(a->devices, a->ndevices)) {
			a->ndevices = 0;
			return false;
		}
	}
	return true;
}

static int apply_v1(struct sandbox *s, struct err *e)
{
	int dir = cgroup_place_devices(&s->cgroups, e);

	for (size_t i = 0; i < s->ctx->napps && dir >= 0; i++) {
		s->apps[i].ndevices = 0;
		if (needs_policy(&s->apps[i]))
			add_v1(&s->cgroups, (uint32_t)dir, (int)i, &s->apps[i].vols);
	}
	return dir < 0 ? dir : 0;
}

static int plan_v1(struct sandbox *s, struct err *e)
{
	cgroups_done(&s->cgroups);
	int r = cgroups_plan(s->ctx, true, &s->cgroups, e);

	return r < 0 ? r : apply_v1(s, e);
}

static bool needed(const struct sandbox *s)
{
	for (size_t i = 0; i < s->ctx->napps; i++) {
		if (needs_policy(&s->apps[i]))
			return true;
	}
	return false;
}

int devices_plan_cgroups(struct sandbox *s, struct err *e)
{
	int r = cgroups_plan(s->ctx, false, &s->cgroups, e);

	if (r < 0 || !needed(s) || (has_v2(&s->cgroups) && plan_v2(s)))
		return r;
	return plan_v1(s, e);
}

int devices_plan_added(struct sandbox *s, struct err *e)
{
	int r = cgroups_plan_added(s->ctx, &s->cgroups, e);

	if (r < 0 || !needed(s) || (has_v2(&s->cgroups) && plan_v2(s)))
		return r;
	return apply_v1(s, e);
}
