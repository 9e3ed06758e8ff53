/*
 * status — a snapshot of a pod for list and status (cli.md sections 9.5, 9.6 and 13).
 */
#pragma once

#include "base/json.h"
#include "stage0/pod.h"

struct app_snapshot {
	char *name;
	char *image_id;
	char *image_title; /* name[:version] from the app's image manifest, or NULL if unreadable */
	bool has_exit;
	int exit_code;
	int restarts;      /* filled by pod_snapshot_restarts */
	const char *state; /* unknown, created, running, exited */
	bool has_created, has_started, has_finished;
	struct timespec created, started, finished; /* of the app in a mutable pod, else of the pod */
};

struct pod_snapshot {
	char uuid[UUID_LEN + 1];
	enum pod_state state;
	bool has_created, has_started;
	struct timespec created, started, finished;
	char *networks;   /* text; "" when none */
	json_t *net_info; /* the array in net-info.json, or NULL */
	struct app_snapshot *apps;
	size_t napps;
	struct pod_manifest *manifest; /* NULL when not readable */
};

/* Of a pod that was just opened or refreshed: its state is taken as it is there. */
void pod_snapshot_take(const struct pod *p, struct pod_snapshot *ret);
/* Enough for the table of list: of the apps only name, image_id (perhaps its beginning only) and image_title are
 * there, and no manifest.  Cheap where the pod has a summary (summary.h). */
void pod_snapshot_brief(const struct pod *p, struct pod_snapshot *ret);
/* How often each app was started again: a file each, which list does without. */
void pod_snapshot_restarts(const struct pod *p, struct pod_snapshot *s);
void pod_snapshot_done(struct pod_snapshot *s);
/* The App object of app @i; new reference. */
json_t *app_snapshot_json(const struct pod_snapshot *s, size_t i);
/* The Pod object of cli.md section 13; new reference. */
json_t *pod_snapshot_json(const struct pod_snapshot *s);

/* Wait until the pod is finished (@ready: until it is ready).  @timeout_ns < 0 = for ever.
 * Blocks on the lock or on inotify, never by polling in a loop shorter than 100 ms.
 * -ETIMEDOUT; for @ready also -ESRCH when the pod finished without becoming ready. */
int pod_wait(struct pod *p, bool ready, int64_t timeout_ns, struct err *e);
