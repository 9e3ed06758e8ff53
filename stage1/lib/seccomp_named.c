/*
 * seccomp_named — see seccomp_named.h.  Data: one table a set, alphabetical.
 *
 * Sources: internals.md section 5.10 for which sets rkt 1.30 knew; the groups of the same names as
 * `systemd-analyze syscall-filter` of systemd 252 prints them, with the members of a nested group written
 * out, with what version 231 (the one that rkt 1.30 asked for) had in @clock and @obsolete, and
 * with the calls of Linux up to 6.18.  Names of other architectures stay: they select nothing here.
 */
#include "stage1/lib/seccomp_named.h"

#include <stddef.h>
#include <string.h>

#include "base/auto.h"
#include "stage1/lib/seccomp_sets.h"

/* clang-format off */
/* @systemd/clock: Changing the clocks. */
static const char *const systemd_clock[] = {
	"adjtimex", "clock_adjtime", "clock_adjtime64", "clock_settime", "clock_settime64",
	"settimeofday", "stime",
	NULL,
};

/* @systemd/default-whitelist: What every program needs to run at all, and nothing by which it could reach out. */
static const char *const systemd_default[] = {
	"arch_prctl", "brk", "cacheflush", "clock_getres", "clock_getres_time64", "clock_gettime",
	"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "execve", "exit", "exit_group",
	"futex", "futex_requeue", "futex_time64", "futex_wait", "futex_waitv", "futex_wake",
	"get_robust_list", "get_thread_area", "getegid", "getegid32", "geteuid", "geteuid32", "getgid",
	"getgid32", "getgroups", "getgroups32", "getpgid", "getpgrp", "getpid", "getppid", "getrandom",
	"getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit", "getsid", "gettid",
	"gettimeofday", "getuid", "getuid32", "membarrier", "mmap", "mmap2", "mprotect", "mseal",
	"munmap", "nanosleep", "pause", "prlimit64", "restart_syscall", "riscv_flush_icache",
	"riscv_hwprobe", "rseq", "rt_sigreturn", "sched_getaffinity", "sched_yield", "set_robust_list",
	"set_thread_area", "set_tid_address", "set_tls", "sigreturn", "time", "ugetrlimit",
	"uretprobe",
	NULL,
};

/* @systemd/mount: Changing what is mounted where. */
static const char *const systemd_mount[] = {
	"chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount",
	"open_tree", "open_tree_attr", "pivot_root", "umount", "umount2",
	NULL,
};

/* @systemd/network-io: Sockets of every family. */
static const char *const systemd_network_io[] = {
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
	"recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg",
	"sendto", "setsockopt", "shutdown", "socket", "socketcall", "socketpair",
	NULL,
};

/* @systemd/obsolete: Unusual, unimplemented or removed. */
static const char *const systemd_obsolete[] = {
	"_sysctl", "afs_syscall", "bdflush", "break", "create_module", "epoll_ctl_old",
	"epoll_wait_old", "ftime", "get_kernel_syms", "getpmsg", "gtty", "idle", "lock", "mpx",
	"nfsservctl", "prof", "profil", "putpmsg", "query_module", "security", "sgetmask", "ssetmask",
	"stime", "stty", "sysfs", "tuxcall", "ulimit", "uselib", "ustat", "vserver",
	NULL,
};

/* @systemd/privileged: What only a privileged process may do: owners, clocks, modules, raw i/o, reboot, swap, and changing who one is. */
static const char *const systemd_privileged[] = {
	"_sysctl", "acct", "adjtimex", "bpf", "capset", "chown", "chown32", "chroot", "clock_adjtime",
	"clock_adjtime64", "clock_settime", "clock_settime64", "delete_module", "fanotify_init",
	"fanotify_mark", "fchown", "fchown32", "fchownat", "finit_module", "init_module", "ioperm",
	"iopl", "kexec_file_load", "kexec_load", "lchown", "lchown32", "nfsservctl",
	"open_by_handle_at", "pciconfig_iobase", "pciconfig_read", "pciconfig_write", "pivot_root",
	"quotactl", "quotactl_fd", "reboot", "s390_pci_mmio_read", "s390_pci_mmio_write",
	"setdomainname", "setfsuid", "setfsuid32", "setgroups", "setgroups32", "sethostname",
	"setresuid", "setresuid32", "setreuid", "setreuid32", "settimeofday", "setuid", "setuid32",
	"swapoff", "swapon", "vhangup",
	NULL,
};

/* @systemd/process: Starting, watching, ending and separating processes. */
static const char *const systemd_process[] = {
	"capget", "clone", "clone3", "execveat", "fork", "getrusage", "kill",
	"pidfd_open", "pidfd_send_signal", "prctl", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "setns", "swapcontext", "tgkill", "times", "tkill", "unshare", "vfork",
	"wait4", "waitid", "waitpid",
	NULL,
};

/* @systemd/raw-io: Direct access to i/o ports and to PCI memory. */
static const char *const systemd_raw_io[] = {
	"ioperm", "iopl", "pciconfig_iobase", "pciconfig_read", "pciconfig_write",
	"s390_pci_mmio_read", "s390_pci_mmio_write",
	NULL,
};
/* clang-format on */

static const struct seccomp_set sets[] = {
	{ "@docker/default-blacklist", seccomp_denied, false },
	{ "@docker/default-whitelist", seccomp_allowed, true },
	{ "@rkt/default-blacklist", seccomp_denied, false },
	{ "@rkt/default-whitelist", seccomp_allowed, true },
	{ "@systemd/clock", systemd_clock, false },
	{ "@systemd/default-whitelist", systemd_default, false },
	{ "@systemd/mount", systemd_mount, false },
	{ "@systemd/network-io", systemd_network_io, false },
	{ "@systemd/obsolete", systemd_obsolete, false },
	{ "@systemd/privileged", systemd_privileged, false },
	{ "@systemd/process", systemd_process, false },
	{ "@systemd/raw-io", systemd_raw_io, false },
};

const struct seccomp_set *seccomp_set_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		if (strcmp(sets[i].name, name) == 0)
			return &sets[i];
	}
	return NULL;
}

/* From 424 on every architecture has the same numbers. */
static const struct seccomp_number newer[] = {
#ifdef __x86_64__
	{ "uretprobe", 335 },
#endif
	{ "cachestat", 451 },         { "fchmodat2", 452 },        { "map_shadow_stack", 453 },
	{ "futex_wake", 454 },        { "futex_wait", 455 },       { "futex_requeue", 456 },
	{ "statmount", 457 },         { "listmount", 458 },        { "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
	{ "setxattrat", 463 },        { "getxattrat", 464 },       { "listxattrat", 465 },
	{ "removexattrat", 466 },     { "open_tree_attr", 467 },   { "file_getattr", 468 },
	{ "file_setattr", 469 },
};

int seccomp_newer_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(newer); i++) {
		if (strcmp(newer[i].name, name) == 0)
			return newer[i].nr;
	}
	return -1;
}
