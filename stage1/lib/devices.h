/*
 * devices — devices of the host that an app is given (isolator rkt.io/devices, --device), and the policy for all others.
 *
 * In flavor ns every file system is mounted nodev and the few devices are bound one by one: that is the policy of an app
 * that asked for nothing.  Finer than that, "not to be written" and "not to be made with mknod", is decided by the device
 * controller: a program on cgroup v2, rules on v1.  It is set up for an app that was given devices, or a volume
 * that is a device and read-only; it then allows the usual devices, those, and nothing else.
 */
#pragma once

#include <linux/bpf.h>
#include <sys/stat.h>

#include "base/err.h"
#include "stage1/lib/podctx.h"
#include "stage1/lib/volumes.h"

struct sandbox;

/* What @st is, if it is a device; else .type is 0. */
struct vol_device devices_of(const struct stat *st, unsigned int access);

/* Open what the app's isolator names and append the mounts.  -EPERM: the image named them, not the operator;
 * -ENOTSUP in a flavor that has all devices of the host anyway. */
int devices_add(const struct pod_app *a, unsigned int flavor_flags, struct vol_mounts *l, struct err *e);

/* The program for cgroup v2: heap, *ret_n instructions. */
struct bpf_insn *devices_program(const struct vol_mounts *l, uint32_t *ret_n);

/* Plan the pod's cgroups, with the device policies of its apps.  -ENOTSUP: neither v2 programs nor the v1 controller. */
int devices_plan_cgroups(struct sandbox *s, struct err *e);
/* The same for an app that is added, in the groups that its pod has. */
int devices_plan_added(struct sandbox *s, struct err *e);
