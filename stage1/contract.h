/*
 * contract — names that stage0 and stage1 agree on.  The prose twin is stage1/CONTRACT.md; a unit
 * test checks that every name here appears there.
 */
#pragma once

/* Annotations of a stage1 image manifest; values are paths relative to its rootfs. */
#define CONTRACT_RUN   "coreos.com/rkt/stage1/run"
#define CONTRACT_ENTER "coreos.com/rkt/stage1/enter"
#define CONTRACT_GC    "coreos.com/rkt/stage1/gc"
#define CONTRACT_STOP  "coreos.com/rkt/stage1/stop"
/* Optional: connect to the streams of an app. */
#define CONTRACT_ATTACH "coreos.com/rkt/stage1/attach"
/* Optional; a stage1 that has the last three supports mutable pods. */
#define CONTRACT_APP_ADD   "coreos.com/rkt/stage1/app/add"
#define CONTRACT_APP_START "coreos.com/rkt/stage1/app/start"
#define CONTRACT_APP_STOP  "coreos.com/rkt/stage1/app/stop"
#define CONTRACT_APP_RM    "coreos.com/rkt/stage1/app/rm"
/* Integer text, default 1. */
#define CONTRACT_VERSION     "coreos.com/rkt/stage1/interface-version"
#define CONTRACT_VERSION_MAX 6
/* "true": this stage1 assembles the apps' roots itself from ../../../cas/tree/<id>/rootfs, as listed
 * one id a line (lowest layer first) in appsinfo/<app>/treeStoreID, below the pod's overlay/<app>/.
 * Without it stage0 mounts overlays at stage1/rootfs and stage1/rootfs/opt/stage2/<app>/rootfs first. */
#define CONTRACT_NATIVE "rkt.io/stage1/assembles-roots"
/* Optional, ours: networks of the host's side, for `rkt net` (stage1/net/README.md). */
#define CONTRACT_NET "rkt.io/stage1/net"
/* "true": all that the gc entrypoint does is to remove the directories named in the pod's cgroups file, and what
 * its directory net names.  Where neither is left, stage0 need not call it. */
#define CONTRACT_GC_RECORD "rkt.io/stage1/gc-by-record"

/* Pod annotation. */
#define CONTRACT_MUTABLE "coreos.com/rkt/stage1/mutable"

/* Annotations of an app in the pod manifest: where its standard streams lead (stage1/lib/streams.h). */
#define CONTRACT_STDIN  "coreos.com/rkt/stage2/stdin"
#define CONTRACT_STDOUT "coreos.com/rkt/stage2/stdout"
#define CONTRACT_STDERR "coreos.com/rkt/stage2/stderr"
/* Annotation of an app in the pod manifest: "no", "on-failure[:N]", "always[:N]". */
#define CONTRACT_RESTART "rkt.io/restart"

/* Environment of the run entrypoint. */
#define CONTRACT_LOCK_FD               "RKT_LOCK_FD"
#define CONTRACT_SELINUX_CONTEXT       "RKT_SELINUX_CONTEXT"
#define CONTRACT_SELINUX_MOUNT_CONTEXT "RKT_SELINUX_MOUNT_CONTEXT"

/* Ours, for run and enter: the command that the user gave ("run-prepared"), for messages. */
#define CONTRACT_VERB "RKT_VERB"

/* Ours, for run, gc and net: the directory of the vendor's configuration; /usr/lib/rkt when it is not there. */
#define CONTRACT_SYSTEM_CONFIG "RKT_SYSTEM_CONFIG"

/* Ours, for net: variables of the caller's that reach it and the plugins, beside the one above. */
#define CONTRACT_NET_ENVIRONMENT "PATH", "CNI_PATH", "RKT_CNI_TIMEOUT_MS"

/* Ours, of net: the descriptor of the pod's network namespace. */
#define CONTRACT_NET_FD 3

/* Environment of the app entrypoints. */
#define CONTRACT_ENTERCMD "RKT_STAGE1_ENTERCMD"
#define CONTRACT_ENTERPID "RKT_STAGE1_ENTERPID"

/* Ours: "1" from `rkt run`, whose pod nobody has seen yet: if it never starts, run removes its directory. */
#define CONTRACT_FRESH "RKT_POD_FRESH"

/* Files in the pod directory (cwd of every entrypoint). */
#define CONTRACT_FILE_PID       "pid"       /* container pid 1 … */
#define CONTRACT_FILE_PPID      "ppid"      /* … or its parent, which has exactly one child */
#define CONTRACT_FILE_PID_START "pid-start" /* ours: "PID STARTTIME BOOTID", guards against reuse */
#define CONTRACT_FILE_SUBCGROUP "subcgroup"
#define CONTRACT_FILE_CGROUPS                                                                                \
	"cgroups"                     /* ours: one absolute directory a line, written before they are made */
#define CONTRACT_FILE_PLAN     "plan" /* ours: the stage2 plan, 0600, read by enter */
#define CONTRACT_DIR_NET       "net"  /* ours: one file a network that has to be undone */
#define CONTRACT_FILE_NET_INFO "net-info.json" /* networks of the pod, for readers; stays when it has ended */
#define CONTRACT_FILE_LOCK     "pod.lck"       /* locked by whoever adds, starts or removes an app */
#define CONTRACT_FILE_ARGS     "runtime-config" /* ours: arguments of run, each with a NUL, for app/add */
#define CONTRACT_FILE_SOCKET   "control"        /* ours: the supervisor of a mutable pod listens here */
#define CONTRACT_FILE_ATTACH   "attach" /* ours: and here for `rkt attach`, if an app offers streams */
#define CONTRACT_DIR_PLANS     "plans"  /* ours: <app>: plan of an added app, as plan */
#define CONTRACT_FILE_FLAVOR   "flavor" /* symlink, target text = flavor */
#define CONTRACT_DIR_STATUS    "stage1/rootfs/rkt/status"   /* <app>: decimal exit status + newline */
#define CONTRACT_DIR_PIDS      "stage1/rootfs/rkt/pids"     /* ours: <app>: pid in the pod's pid namespace */
#define CONTRACT_DIR_RESTARTS  "stage1/rootfs/rkt/restarts" /* ours: <app>: how often it was started again */
/* Ours, when stage0 is ours too: records (base/fsat.h) in appsinfo/<app>, where no pod can write. */
#define CONTRACT_DIR_APPS     "appsinfo"
#define CONTRACT_APP_STATUS   "status"
#define CONTRACT_APP_PID      "pid"
#define CONTRACT_APP_RESTARTS "restarts"
#define CONTRACT_LINK_READY   "ready" /* in the pod directory: as CONTRACT_READY_LINK */
#define CONTRACT_DIR_ENV      "stage1/rootfs/rkt/env"
#define CONTRACT_READY_LINK   "stage1/rootfs/rkt/supervisor-status" /* symlink → "ready" */
#define CONTRACT_DIR_ETC      "stage1/rootfs/etc"
/* Written by stage0 for --dns-conf-mode=…=stage0; stage1 adds the host name to the line of 127.0.0.1 in hosts. */
#define CONTRACT_FILE_RESOLV "stage1/rootfs/etc/rkt-resolv.conf"
#define CONTRACT_FILE_HOSTS  "stage1/rootfs/etc/rkt-hosts"
/* Ours: the host's name servers, for apps whose image has no resolv.conf or an empty one. */
#define CONTRACT_FILE_RESOLV_HOST "stage1/rootfs/etc/rkt-resolv-host.conf"
/* How a hosts file begins. */
#define CONTRACT_HOSTS_FALLBACK                                                                              \
	"127.0.0.1 localhost localhost.localdomain\n::1 localhost ip6-localhost ip6-loopback\n"
#define CONTRACT_DIR_STAGE2 "stage1/rootfs/opt/stage2" /* <app>/{manifest,rootfs} */

/* Exit status of app/stop: the app does not run. */
#define CONTRACT_EXIT_NOT_RUNNING 5
/* Exit status of the run entrypoint when rkt itself failed. */
#define CONTRACT_EXIT_FAILURE 254
