/*
 * sandbox — from a pod context to a running init: the supervisor's side and the child's side.
 *
 * The process that was rkt stays outside as the supervisor (supervise.h) and clones a child into
 * the pod's namespaces.  The child builds every app's tree with detached mounts (mnt.h), seals the
 * plan and executes stage2/init; what fails there comes back to the supervisor as one struct err over
 * the socket that is init's afterwards.
 */
#pragma once

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "stage1/lib/cgroup.h"
#include "stage1/lib/flavor.h"
#include "stage1/lib/listen.h"
#include "stage1/lib/login.h"
#include "stage1/lib/netcall.h"
#include "stage1/lib/podctx.h"
#include "stage1/lib/seccomp.h"
#include "stage1/lib/steps.h"
#include "stage1/lib/streams.h"
#include "stage1/lib/userns.h"
#include "stage1/lib/volumes.h"
#include "stage2/plan.h"

enum dev_node { DEV_NULL_NODE, DEV_ZERO, DEV_FULL, DEV_RANDOM, DEV_URANDOM, DEV_TTY, DEV_NODES };

struct bpf_insn;
struct plan_path_in;

struct app_build {
	const struct pod_app *in;
	uint32_t index;
	struct vol_mounts vols;     /* detached, made by the supervisor */
	struct vol_mounts netfiles; /* over the volumes: netfiles.h, notify.h */
	int notify_fd;              /* where it says that it is ready, or FD_NONE */
	uint64_t caps;
	bool keep_caps; /* the caller's own, whatever they are */
	struct bpf bpf;
	struct plan_rlimit rlimits[PLAN_RLIMITS_MAX];
	uint32_t nrlimits;
	struct bpf_insn *devices; /* see devices.h */
	uint32_t ndevices;
	struct plan_path_in *paths; /* strings borrowed from the manifest */
	uint32_t npaths;
	int root_fd; /* the app's root mount, in the child; with a user namespace made before it */
	int dev_fd;  /* its /dev, in the child */
	uint32_t uid, gid;
	struct login login; /* of an image of docker's kind */
	uint32_t restart;   /* flags of restart.h */
	struct app_streams streams;
	struct listen_fds listen;
	char root[16]; /* "/a0": where it is attached in init's mount namespace */
	bool skeleton; /* the topmost layer of its root: skeleton.h */
	char at[32];   /* where the file system is that tree_begin mounted last */
	char **env, **search;
};

struct sandbox {
	struct podctx *ctx;
	const struct flavor *flavor;
	struct app_build *apps;
	struct cgroups cgroups;
	struct userns users;
	struct netcall net;
	int place_fd;       /* with a user namespace, in the child: where init's root goes, and … */
	int plan_fd;        /* … the plan, opened while we may */
	int init_exe;       /* read-only detached clone of stage2/init */
	int control[2];     /* [0] supervisor, [1] the child and what it becomes, init */
	int root_fd;        /* init's root tmpfs, in the child */
	bool proc_readonly; /* so is init's procfs there: nothing will be written through it */
	int shm_fd;         /* the pod's /dev/shm, in the child */
	int proc_mount;     /* app/add: the pod's procfs and shared memory, detached; else FD_NONE */
	int shm_mount;
	int pty_slave;  /* in the child, or FD_NONE */
	int pty_master; /* in the supervisor, or FD_NONE */
	bool tty;       /* the caller's terminal is to be an app's */
	bool started;   /* some app's program was executed */
	pid_t init_pid;
	int init_pidfd;
};

/* Zeroed but for what the context says. */
void sandbox_init(struct sandbox *s, struct podctx *c, const struct flavor *f);

/* What has to be decided about every app on the host's side: isolators, privileges, volumes. */
extern const struct step sandbox_app_steps[];

/* The child's whole work; returns only on failure. */
int child_build(struct sandbox *s, struct err *e);

/* ---- the same pieces for app/add ---- */

/* Nothing that is mounted from here on reaches the host; s->ctx->pod_fd is opened anew. */
int child_separate(struct sandbox *s, struct err *e);
/* The tmpfs that becomes init's root, over the pod's "appsinfo". */
int child_pod_root(struct sandbox *s, struct err *e);
/* One app: image, kernel file systems, volumes over them, at a->root below s->root_fd. */
int child_build_app(struct sandbox *s, struct app_build *a, struct err *e);
struct plan_app_in;
/* Identity and environment of @a inside its finished tree; *out borrows from @a. */
int child_plan_app(const struct sandbox *s, struct app_build *a, struct plan_app_in *out, struct err *e);
struct buf;
/* The plan of apps @apps, one or, for the pod's own, all: its bytes into @ret, which is empty. */
int child_plan_build(const struct sandbox *s, const int parent_fds[CGROUP_MAX],
		     const struct plan_app_in *apps, struct buf *ret, struct err *e);

/* ---- pieces of the child's work (tree.c, kernfs.c, dev.c, etcfiles.c) ---- */

/* Open the image's own directory @name directly below the root, creating it if missing; a symlink or
 * a file there is an error (threats.md T12).  O_PATH fd. */
int tree_own_dir(int root_fd, const char *name, mode_t mode, struct err *e);
/* A new file system of ours for the app, in two steps and in the mount namespace of the child alone, whose working directory
 * is init's root.  First it is mounted over the app's root as a whole, where no name is the image's, and is filled by
 * the names of tree_at; then it is moved to the image's directory @name, under the rules of tree_own_dir.  With a skeleton
 * @name is a directory of ours, whatever the image has there: it is mounted there at once. */
int tree_begin(struct app_build *a, const char *name, const char *fstype, unsigned long flags,
	       const char *options, struct err *e);
/* Where that is: as a name in the working directory; kept in @a. */
const char *tree_place(struct app_build *a, const char *name);
const char *tree_at(const struct app_build *a, const char *name, char out[PATH_MAX]);
int tree_settle(const struct app_build *a, const char *name, struct err *e);
/* Attach the app's root file system: overlay of its layers, or the copy in opt/stage2. */
int tree_attach_root(struct sandbox *s, struct app_build *a, struct err *e);
/* The default /proc and /sys of flavor ns with their protection. */
int kernfs_mount(struct sandbox *s, struct app_build *a, struct err *e);
/* The minimal /dev of flavor ns; a pty for the interactive app. */
int dev_mount(struct sandbox *s, struct app_build *a, struct err *e);
/* Allocate a terminal on the devpts whose @ptmx lies below @dir_fd, a directory that no app can change. */
int dev_open_pty(int dir_fd, const char *ptmx, int *master, int *slave, struct err *e);
/* /etc/hosts, /etc/hostname, /etc/mtab where the image has none. */
int etcfiles_write(struct sandbox *s, struct app_build *a, struct err *e);
/* Resolve user, group, environment; build the plan and write it into the pod directory.  The open file;
 * @parent_fds: the numbers under which init will find the cgroup parents. */
int child_plan(struct sandbox *s, const int parent_fds[CGROUP_MAX], struct err *e);

/* Create the file of the plan; fd or -errno. */
int child_open_plan(const struct sandbox *s);

/* ---- messages of the child before its execve, on the control socket ---- */

/* One datagram, told from init's by its size, optionally with a descriptor (the terminal's master). */
struct sync_msg {
	int kind; /* enum sync_kind */
	int app;  /* SYNC_PTY: whose; -1 it is relayed to the caller's terminal */
	struct err err;
};

_Static_assert(sizeof(struct sync_msg) != sizeof(struct plan_msg), "sizes tell who speaks");

enum sync_kind { SYNC_PTY = 1, SYNC_FAILED };
