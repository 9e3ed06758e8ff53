/*
 * classic — mounts for stage1 images that were written for rkt 1.30 (internals.md section 3.3).
 *
 * Such a stage1 expects to find its own tree mounted at stage1/rootfs of the pod and the trees of
 * the apps below it, in the mount namespace of the host.  They stay until the pod is deleted.  Our
 * own flavors do none of this: they mount in a namespace that dies with the pod.
 */
#pragma once

#include "base/err.h"
#include "stage0/pod.h"
#include "stage0/stage1.h"

/* Before run: mount, or without overlay copy, the stage1 tree and the trees of the apps. */
int classic_setup(const struct stage1 *s, const struct pod *p, struct err *e);
/* Before gc: stage1's own overlay, if a restart of the machine has undone it. */
int classic_remount(const struct stage1 *s, const struct pod *p, struct err *e);
/* Undo every mount below the pod's directory that this mount namespace knows: private first so that
 * nothing outside is undone with it, then innermost first, lazily where something is busy. */
int pod_unmount_all(const struct pod *p, struct err *e);
