/*
 * init_devices — which devices an app may open, on cgroup v2: a program that the kernel asks at every open and mknod.
 *
 * stage1 has written the program (stage1/lib/devices.c) and tried whether this kernel takes it.  Attached beside those of
 * outer groups, it can only take away.  It goes with the cgroup.
 */
#include <linux/bpf.h>

#include "stage2/init.h"
#include "stage2/sys.h"

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return sys_ret(syscall(SYS_bpf, cmd, attr, sizeof(*attr)));
}

static int load(const void *insns, uint32_t n)
{
	union bpf_attr attr;

	(void)memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

static int attach(int prog, int dir)
{
	union bpf_attr attr;

	(void)memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	return sys_bpf(BPF_PROG_ATTACH, &attr);
}

int devices_attach(struct pod *p, uint32_t app, int dir)
{
	const struct plan_app *a = app_plan(p, app);
	int r, prog;

	if (a->ndevices == 0)
		return 0;
	prog = load((const char *)p->apps[app].plan + a->devices_off, a->ndevices);
	r = prog < 0 ? prog : attach(prog, dir);
	if (prog >= 0)
		(void)close(prog);
	if (r < 0)
		control_send(p, MSG_FAILED, (int32_t)app, INIT_DEVICES, -r,
			     plan_str(p->apps[app].plan, a->name));
	return r;
}
