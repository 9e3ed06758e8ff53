/*
 * pod — one pod directory and the lock that proves its state (internals.md section 1).
 *
 * State = which of the six directories holds the pod + whether its lock is held.  A struct pod owns
 * the directory fd; a lock taken through it lives as long as that fd and its duplicates.  All file
 * reads go through the fd, so a concurrent rename does not disturb them.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "base/uuid.h"
#include "schema/pod.h"
#include "stage0/dirs.h"

enum pod_state {
	POD_EMBRYO,
	POD_PREPARING,
	POD_ABORTED_PREPARE,
	POD_PREPARED,
	POD_RUNNING,
	POD_EXITED,
	POD_EXITED_GARBAGE,
	POD_EXITED_DELETING,
	POD_GARBAGE,
	POD_DELETING,
	POD_GONE,
};

/* The words of list and status: "running", "aborted prepare" … */
const char *pod_state_name(enum pod_state s);

struct pod {
	char uuid[UUID_LEN + 1];
	enum pod_state state;       /* a sample; see pod_refresh */
	int fd;                     /* pod directory, FD_NONE when gone */
	const struct datadir *data; /* borrowed */
	bool locked;                /* we hold the exclusive lock */
	int at;                     /* where it was seen last: pod.c looks there first */
};

void pod_done(struct pod *p);
#define auto_pod __attribute__((cleanup(pod_done))) struct pod
#define POD_INIT                                                                                             \
	{                                                                                                    \
		"", POD_GONE, -EBADF, NULL, false, 0                                                         \
	}

/* New pod in prepare/, exclusively locked by us (embryo/ first, so that it never appears unlocked). */
int pod_create(const struct datadir *d, struct pod *ret, struct err *e);
/* Open by full UUID, any state; never waits.  -ENOENT. */
int pod_open(const struct datadir *d, const char *uuid, struct pod *ret, struct err *e);
/* Open by unique prefix among prepare, prepared, run, exited-garbage.
 * -EINVAL "UUID cannot be empty", -ENOENT `no matches found for "…"`, -ENOTUNIQ "ambiguous UUID …". */
int pod_open_prefix(const struct datadir *d, const char *prefix, struct pod *ret, struct err *e);
/* Look again: directory and lock. */
int pod_refresh(struct pod *p, struct err *e);

/* prepare/ → prepared/: syncfs, rename, unlock, fsync. */
int pod_to_prepared(struct pod *p, struct err *e);
/* prepare/ or prepared/ → run/ under the lock, never waiting: -EBUSY another rkt was faster. */
int pod_to_run(struct pod *p, struct err *e);
/* run/ (unlocked) → exited-garbage/. */
int pod_to_exited_garbage(struct pod *p, struct err *e);
/* prepare/ (locked by nobody, or by us) or prepared/ → garbage/. */
int pod_to_garbage(struct pod *p, struct err *e);
/* Take the exclusive lock without waiting; -EBUSY. */
int pod_lock(struct pod *p, struct err *e);
/* Delete everything of a pod in exited-garbage/ or garbage/ that we have locked. */
int pod_delete(struct pod *p, struct err *e);

/* UUIDs in the given directories (bits of 1 << index in lifecycle order: embryo = 1 … garbage = 32),
 * sorted, each once; strv.  Holds one descriptor at a time. */
enum {
	PODS_EMBRYO = 1,
	PODS_PREPARE = 2,
	PODS_PREPARED = 4,
	PODS_RUN = 8,
	PODS_EXITED_GARBAGE = 16,
	PODS_GARBAGE = 32,
	PODS_MOST = 2 | 4 | 8 | 16,
	PODS_ALL = 63
};
int pods_list(const struct datadir *d, unsigned int which, char ***ret, struct err *e);

/* The same with the place of each, for those who open all of them; free(ret->v). */
struct pod_place {
	char uuid[UUID_LEN + 1];
	unsigned char at; /* index of the directory in lifecycle order */
};
struct pod_places {
	struct pod_place *v;
	size_t n, room;
};
int pods_scan(const struct datadir *d, unsigned int dirs, struct pod_places *ret, struct err *e);
/* As pod_open, looking first where the scan has seen the pod. */
int pod_open_place(const struct datadir *d, const struct pod_place *seen, struct pod *ret, struct err *e);

/* ---- facts of a pod, read through its fd ---- */

struct pod_manifest *pod_manifest_load(const struct pod *p, struct err *e);
int pod_created(const struct pod *p, struct timespec *ret);   /* mtime of pod-created; -ENOENT */
int pod_started(const struct pod *p, struct timespec *ret);   /* mtime of pid or ppid; -ENOENT */
int pod_gc_marked(const struct pod *p, struct timespec *ret); /* ctime of the directory */
/* Content of pid, else ppid.  -ENOENT. */
int pod_pid(const struct pod *p, pid_t *ret);
/* The container's pid 1: pid, or the only child of ppid.  -ENOENT not yet, -ESRCH gone. */
int pod_init_pid(const struct pod *p, pid_t *ret, struct err *e);
/* Exit status text of an app: 0 and *ret, or -ENOENT. */
int pod_app_status(const struct pod *p, const char *app, int *ret);
/* How often an app was started again; 0 when never. */
int pod_app_restarts(const struct pod *p, const char *app);
/* Does supervisor-status read "ready"? */
bool pod_ready(const struct pod *p);
