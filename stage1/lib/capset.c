/* capset — see capset.h.  libcap would ask the kernel six things before main, in every start. */
#include "stage1/lib/capset.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"

#define BIT(c) (UINT64_C(1) << (c))

/* By their numbers (linux/capability.h).  Every kernel that we can run on, 5.12 or later, has all of them. */
static const char *const names[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};
_Static_assert(ARRAY_LEN(names) == CAP_CHECKPOINT_RESTORE + 1, "one name a capability");

uint64_t capset_default(void)
{
	return BIT(CAP_AUDIT_WRITE) | BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) |
	       BIT(CAP_FOWNER) | BIT(CAP_KILL) | BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) |
	       BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) |
	       BIT(CAP_SETFCAP) | BIT(CAP_SYS_CHROOT);
}

uint64_t capset_own(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (syscall(SYS_capget, &h, d) < 0)
		return 0;
	return (uint64_t)d[1].permitted << 32 | d[0].permitted;
}

static int one_name(const char *name, uint64_t *set, struct err *e)
{
	const char *bare = strncasecmp(name, "cap_", 4) == 0 ? name + 4 : name;

	for (size_t c = 0; c < ARRAY_LEN(names); c++) {
		if (strcasecmp(names[c], bare) == 0) {
			*set |= BIT(c);
			return 0;
		}
	}
	return err_set(e, ERR_INPUT, EINVAL, "unknown capability \"%s\"", name);
}

static int union_of(const struct app *a, enum isolator_kind kind, bool *seen, uint64_t *set, struct err *e)
{
	for (size_t i = 0; i < a->isolators.n; i++) {
		const struct isolator *iso = &a->isolators.v[i];

		if (iso->kind != kind)
			continue;
		*seen = true;
		for (char **s = iso->set; s && *s; s++) {
			int r = one_name(*s, set, e);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int capset_of_app(const struct app *a, uint64_t *ret, struct err *e)
{
	bool has_retain = false, has_remove = false;
	uint64_t retain = 0, removed = 0;
	int r = union_of(a, ISO_CAPS_RETAIN, &has_retain, &retain, e);

	if (r == 0)
		r = union_of(a, ISO_CAPS_REMOVE, &has_remove, &removed, e);
	if (r < 0)
		return r;
	if (has_retain && has_remove)
		return err_set(e, ERR_INPUT, EINVAL,
			       "capabilities: a retain-set and a remove-set exclude each other");
	*ret = has_retain ? retain : capset_default() & ~removed;
	return 0;
}
